/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in a directory of its own, of lines that are numbers. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "dir_fixture.h"
#include "keeper/journal_internal.h"

CLEANUP_DEFINE(struct journal *, journal_close);
#define _journal_ _cleanup_(journal_close)

static inline char *path_of(uint64_t number)
{
	return text_format("%s/keeper/journal.%" PRIu64, dir, number);
}

static inline struct journal_entry counted(uint64_t count)
{
	return (struct journal_entry){ .kind = JOURNAL_COUNT, .key = "oci/x", .count = count };
}

static inline int add(struct journal *j, uint64_t count)
{
	struct journal_entry e = counted(count);

	return journal_add(j, &e);
}

struct got {
	uint64_t count[64];
	size_t cnt, stop;
};

static inline int collect(void *ctx, const struct journal_entry *e)
{
	struct got *g = ctx;

	if (g->stop && g->cnt + 1 == g->stop)
		return -EAGAIN;
	assert_true(g->cnt < ARRAY_SIZE(g->count));
	assert_string_equal(e->key, "oci/x");
	g->count[g->cnt++] = e->count;
	return 0;
}

/* What comes after the mark is these, and nothing is bad. */
static inline void assert_reads(struct journal_mark *m, const char *want)
{
	_free_ char *is = strdup("");
	struct got g = { 0 };
	uint64_t bad = 99;

	assert_int_equal(journal_read(dir, m, collect, &g, &bad), 0);
	assert_int_equal(bad, 0);
	for (size_t i = 0; i < g.cnt; i++) {
		char *more = text_format("%s%s%" PRIu64, is, i ? " " : "", g.count[i]);

		free(is);
		is = more;
	}
	assert_string_equal(is, want);
}

/* The number of the newest file. */
static inline uint64_t newest(void)
{
	_close_ int fd = journal_dir(dir, false);
	_journal_files_ struct journal_files f = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(journal_list(fd, &f), 0);
	assert_true(f.cnt > 0);
	return f.number[f.cnt - 1];
}

static inline size_t file_cnt(void)
{
	_close_ int fd = journal_dir(dir, false);
	_journal_files_ struct journal_files f = { 0 };

	assert_int_equal(journal_list(fd, &f), 0);
	return f.cnt;
}

static inline void write_file(uint64_t number, const char *text, int flags)
{
	_free_ char *path = path_of(number);
	_close_ int fd = open(path, O_WRONLY | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}
