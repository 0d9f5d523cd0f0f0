/* SPDX-License-Identifier: Apache-2.0 */
/* A real store in a directory of its own, for the tests of the store. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "policy/store.h"

#define NOW 1700000000

static char state_dir[64], db_path[96];
static struct store *st;

static inline int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline int make_dir(void **state)
{
	snprintf(state_dir, sizeof(state_dir), "/tmp/tamis-store-XXXXXX");
	if (!mkdtemp(state_dir))
		return -1;
	snprintf(db_path, sizeof(db_path), "%s/tamis.db", state_dir);
	return 0;
}

static inline int drop_dir(void **state)
{
	store_close(st);
	st = NULL;
	return nftw(state_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void assert_stored(int r)
{
	if (r < 0)
		fail_msg("%d: %s", r, store_error(st));
}

static inline int open_store(void **state)
{
	int r = make_dir(state);

	return r < 0 ? r : store_open(state_dir, STORE_WRITE, &st);
}

/* A transaction that must succeed. */
#define IN_TRANSACTION for (int open_ = begin_stored(); open_; open_ = commit_stored())

static inline int begin_stored(void)
{
	assert_stored(store_begin(st));
	return 1;
}

static inline int commit_stored(void)
{
	assert_stored(store_commit(st));
	return 0;
}

static inline int64_t add_workload(const char *key, const char *name)
{
	const struct store_workload w = { .key = key, .engine = "podman", .name = name };
	int64_t id = 0;

	assert_stored(store_workload(st, &w, NOW, &id));
	return id;
}

static inline int64_t add_instance(const char *instance, int64_t workload, int64_t now)
{
	const struct store_instance i = {
		.instance = instance, .workload = workload, .path = "/x", .running = true
	};
	int64_t id = 0;

	assert_stored(store_instance(st, &i, now, &id));
	return id;
}

static inline int64_t add_unit(int64_t now)
{
	int64_t id = 0;

	assert_stored(store_unit_begin(st, now, NULL, &id));
	return id;
}

/* Numbers up to the first -1. */
static inline struct sysset set_of(const int *nr)
{
	struct sysset s = { 0 };

	for (; *nr >= 0; nr++)
		sysset_add(&s, (unsigned)*nr);
	return s;
}

#define SET(...) set_of((const int[]){ __VA_ARGS__, -1 })

static inline void add_calls(int64_t instance, int64_t unit, enum tamis_stage stage,
			     struct sysset calls, int64_t now)
{
	assert_stored(store_calls(st, instance, unit, stage, TAMIS_ABI_X86_64, &calls, now));
}

static inline struct store_row row_of(const char *name)
{
	struct store_row row = { 0 };

	assert_stored(store_find(st, name, &row, NULL));
	return row;
}

static inline const struct policy_origin *origin_of(const struct policy_origin *o, size_t cnt,
						    enum tamis_stage stage, uint32_t nr)
{
	for (size_t i = 0; i < cnt; i++) {
		if (o[i].stage == stage && o[i].nr == nr)
			return &o[i];
	}
	fail_msg("no origin of %u", nr);
	return NULL;
}

static inline size_t count_workloads(void)
{
	struct store_row *rows = NULL;
	size_t cnt = 0;

	assert_stored(store_list(st, &rows, &cnt));
	for (size_t i = 0; i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	return cnt;
}
