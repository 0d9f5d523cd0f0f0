/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half: files to entries. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "keeper/journal_internal.h"

/* A file is begun anew when it is over JOURNAL_MAX: one line more, or what waited. */
#define FILE_MAX (2 * JOURNAL_MAX)

struct reader {
	int (*fn)(void *ctx, const struct journal_entry *e);
	void *ctx;
	struct journal_mark *mark;
	uint64_t bad;
};

/* One that is done with is passed over once there is a later file. */
struct part {
	char *text; /* from the mark on */
	size_t len;
	bool other; /* no journal of this version, or one whose first line is in the making */
	bool empty;
};

static void part_donep(struct part *p)
{
	free(p->text);
}
#define _part_ __attribute__((cleanup(part_donep)))

static int open_file(int dir, uint64_t number, off_t *ret_size)
{
	char name[JOURNAL_NAME_MAX];
	_close_ int fd = -1;
	struct stat st;

	journal_name(number, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	*ret_size = st.st_size;
	return TAKE_FD(fd);
}

/* -ENOENT: somebody took it away meanwhile. An offset beyond its end is of another file of that name. */
static int read_part(int dir, struct journal_mark *m, struct part *ret)
{
	const size_t header = strlen(JOURNAL_HEADER);
	char first[sizeof(JOURNAL_HEADER)];
	off_t size = 0;
	_close_ int fd = open_file(dir, m->file, &size);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, first, header, 0);
	if (n < 0)
		return -errno;
	ret->empty = n == 0;
	ret->other = (size_t)n < header || memcmp(first, JOURNAL_HEADER, header) != 0;
	if (ret->other)
		return 0;
	if (m->offset < header || m->offset > (uint64_t)size)
		m->offset = header;
	if (lseek(fd, (off_t)m->offset, SEEK_SET) < 0)
		return -errno;
	return file_read_fd(fd, FILE_MAX, &ret->text, &ret->len);
}

static int take_line(struct reader *r, const char *line, size_t len)
{
	struct journal_entry e = { 0 };
	int n;

	/* Torn. */
	if (len < 2 || memcmp(line + len - 2, " .", 2) != 0)
		return 0;
	n = journal_parse(line, len, &e);
	if (n == -EINVAL)
		r->bad++;
	if (n < 0)
		return n == -EINVAL ? 0 : n;
	n = r->fn(r->ctx, &e);
	journal_entry_done(&e);
	return n;
}

/* What has no end yet stays unread. */
static int take_lines(struct reader *r, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line = end ? (size_t)(end - text) - at : 0;
		int n = end ? take_line(r, text + at, line) : 0;

		if (n != 0 || !end)
			return n;
		at += line + 1;
		r->mark->offset += line + 1;
	}
	return 0;
}

static int read_one(struct reader *r, int dir, uint64_t number, bool last)
{
	_part_ struct part p = { 0 };
	int n;

	if (r->mark->file != number)
		*r->mark = (struct journal_mark){ .file = number };
	n = read_part(dir, r->mark, &p);
	/* Too large, and done with: no keeper made it. */
	if (!last && (n == -EFBIG || (n == 0 && p.other && !p.empty)))
		r->bad++;
	if (n < 0)
		return n == -ENOENT || (n == -EFBIG && !last) ? 0 : n;
	return p.other ? 0 : take_lines(r, p.text, p.len);
}

/* A file with a later one is whole when that was there before it is read. */
int journal_read(const char *state, struct journal_mark *mark,
		 int (*fn)(void *ctx, const struct journal_entry *e), void *ctx, uint64_t *ret_bad)
{
	_close_ int dir = journal_dir(state, false);
	_journal_files_ struct journal_files f = { 0 };
	struct reader r = { .fn = fn, .ctx = ctx, .mark = mark };
	int n = dir == -ENOENT ? 0 : dir < 0 ? dir : journal_list(dir, &f);

	for (size_t i = 0; i < f.cnt && n == 0; i++) {
		bool last = i + 1 == f.cnt;

		if (f.number[i] < mark->file)
			continue;
		n = read_one(&r, dir, f.number[i], last);
		if (n == 0 && !last)
			*mark = (struct journal_mark){ .file = f.number[i + 1] };
	}
	if (ret_bad)
		*ret_bad = r.bad;
	return n;
}

int journal_trim(const char *state, const struct journal_mark *mark)
{
	_close_ int dir = journal_dir(state, false);
	_journal_files_ struct journal_files f = { 0 };
	int r = dir == -ENOENT ? 0 : dir < 0 ? dir : journal_list(dir, &f);

	for (size_t i = 0; i < f.cnt && r == 0; i++) {
		char name[JOURNAL_NAME_MAX];

		if (f.number[i] >= mark->file)
			break;
		journal_name(f.number[i], name);
		if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}
