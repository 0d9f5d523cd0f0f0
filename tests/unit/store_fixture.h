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
#include <sqlite3.h>

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

/* What the daemon says when an instance's cgroup went. */
static inline void end_instance(const char *instance, int64_t workload, int64_t now)
{
	const struct store_instance i = { .instance = instance, .workload = workload };
	int64_t id;

	assert_stored(store_instance(st, &i, now, &id));
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

/* Whose calls the numbers are: unit/native.h says otherwise. */
#ifndef MACHINE
#define MACHINE TAMIS_ABI_X86_64
#endif

#define SET(...) set_of((const int[]){ __VA_ARGS__, -1 })

static inline void add_calls(int64_t instance, int64_t unit, enum tamis_stage stage,
			     struct sysset calls, int64_t now)
{
	assert_stored(store_calls(st, instance, unit, stage, MACHINE, &calls, now));
}

/* What is learned of a workload in a stage, by that machine's calls. */
static inline struct sysset learned_in(int64_t workload, enum tamis_stage stage)
{
	struct learned l;

	assert_stored(store_learned(st, workload, &l));
	return l.set[stage][MACHINE];
}

static inline void assert_set(struct sysset is, struct sysset expected)
{
	assert_true(sysset_equal(&is, &expected));
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

static inline bool is_listed(const char *key)
{
	struct store_row row = { 0 };
	int r = store_find(st, key, &row, NULL);

	store_row_done(&row);
	return r == 0;
}

static inline void free_texts(char **text, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		free(text[i]);
	free(text);
}

/* Beside the store, as of the last commit: the number in the only row. */
static inline int64_t ask_db(const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t answer;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return answer;
}

/* Changes it beside the store, as no version of tamis would. */
static inline void spoil_db(const char *sql)
{
	char *error = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What must hold in any store. 0: it does, else the number of the rule. */
static inline int broken_rule(void)
{
	static const char *const rules[] = {
		/* observations are of instances and units, in reach of the instance */
		"SELECT count(*) FROM observation o WHERE NOT EXISTS (SELECT 1 FROM instance i,"
		" unit u WHERE i.id = o.instance AND u.id = o.unit"
		" AND u.id BETWEEN i.first_unit AND i.last_unit)",
		/* what units are visible, and how many went into them */
		"SELECT count(*) FROM workload w WHERE units <> folded + (SELECT"
		" count(DISTINCT o.unit) FROM observation o, instance i"
		" WHERE i.id = o.instance AND i.workload = w.id)",
		"SELECT count(*) FROM workload w WHERE running <> (SELECT count(*)"
		" FROM instance i WHERE i.workload = w.id AND i.running)",
		"SELECT count(*) FROM alias JOIN workload USING (key)",
		"SELECT count(*) FROM observation o, instance i WHERE i.id = o.instance"
		" AND NOT EXISTS (SELECT 1 FROM learned l WHERE l.workload = i.workload"
		" AND l.stage = o.stage AND l.abi = o.abi)",
		"SELECT count(*) FROM instance WHERE first_unit > last_unit",
		"SELECT count(*) FROM workload WHERE image_digest IS NOT NULL AND NOT EXISTS"
		" (SELECT 1 FROM image WHERE workload = id AND digest = image_digest)",
		"SELECT count(*) FROM pragma_foreign_key_check",
		"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (ask_db(rules[i]) != 0)
			return (int)i + 1;
	}
	return 0;
}

/* The bytes of the log and when they were written: the same when nothing was. */
static inline uint64_t log_written(void)
{
	char wal[128];
	struct stat info = { 0 };

	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	assert_int_equal(stat(wal, &info), 0);
	return (uint64_t)info.st_size + (uint64_t)info.st_mtim.tv_nsec;
}
