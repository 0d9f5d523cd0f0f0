/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an older version left, and what must be there after it was opened. */
#pragma once

#include "policy/denials.h"
#include "policy/generations.h"
#include "store_fixture.h"
#include "store_versions.h"

#define STORE_NOW 6 /* the version that they become */

static inline void run_sql(const char *text)
{
	char *error = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What a test begins with, and what must be there after it. */
static const struct old {
	const char *schema, *content, *more;
	int version;
	int64_t calls;
	size_t workloads;
	void (*check)(void);
} * old;

static inline int make_old(const struct old *o)
{
	int r = make_dir(NULL);

	old = o;
	if (r == 0) {
		run_sql(o->schema);
		run_sql(o->content);
		if (o->more)
			run_sql(o->more);
	}
	return r;
}

/* The rows of a query, every value in SQL's own words. */
static inline void dump(FILE *f, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int c = 0; c < sqlite3_column_count(stmt); c++) {
			const char *text = (const char *)sqlite3_column_blob(stmt, c);
			int len = sqlite3_column_bytes(stmt, c);

			fprintf(f, "%d:", sqlite3_column_type(stmt, c));
			for (int i = 0; i < len; i++)
				fprintf(f, "%02x", (unsigned char)text[i]);
			fputc(' ', f);
		}
		fputc('\n', f);
	}
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void assert_migrated(void)
{
	char *units = NULL;
	struct store_row row = row_of("redis");

	assert_string_equal(row.key, "podman/redis");
	assert_string_equal(row.owner, "podman");
	assert_string_equal(row.engine, "podman");
	assert_null(row.image);
	assert_null(row.why_not);
	assert_null(row.leave_comm);
	assert_string_equal(row.container, "abc");
	assert_true(row.running);
	assert_int_equal(row.evidence.starts, 3);
	assert_int_equal(row.evidence.units, 3);
	assert_int_equal(row.evidence.since, NOW);
	assert_int_equal(row.evidence.last, NOW + 130);
	assert_int_equal(row.evidence.lost_range, 1);
	assert_int_equal(row.evidence.lost_gaps, 5);
	assert_int_equal(row.evidence.leaves, 0);
	assert_int_equal(row.replicas, 2);
	assert_int_equal(row.calls, 3);
	store_row_done(&row);
	assert_stored(store_meta_get(st, "units", &units));
	assert_string_equal(units, "boot 7 3 2");
	free(units);
}

static inline void assert_migrated_origins(void)
{
	struct store_row row = row_of("redis");
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	assert_stored(store_origins(st, row.id, &o, &cnt));
	store_row_done(&row);
	assert_int_equal(cnt, 3);
	assert_string_equal(o[0].comm, "comm");
	assert_string_equal(o[0].replica, "abc");
	assert_int_equal(o[0].last, NOW + 120);
	assert_int_equal(o[1].nr, 2);
	assert_int_equal(o[1].first, NOW + 60);
	assert_string_equal(o[2].exe, "/bin/sh");
	store_origins_free(o, cnt);
	/* ... and not only because the unit is still there. */
	assert_int_equal(ask_db("SELECT first FROM call WHERE workload = 201 AND nr = 2"),
			 NOW + 60);
}

static inline void assert_rows_of_version2(void)
{
	struct store_row row = row_of("podman/redis-old");
	char **image = NULL;
	size_t cnt = 0;

	assert_string_equal(row.key, "podman/redis");
	assert_false(row.opted_out);
	assert_int_equal(row.mode, MODE_OBSERVE);
	assert_int_equal(row.generation, 0);
	assert_int_equal(row.evidence.lost_gaps, 6);
	assert_int_equal(row.evidence.leaves, 2);
	assert_int_equal(row.evidence.units, 5);
	assert_stored(store_images(st, row.id, &image, &cnt));
	store_row_done(&row);
	assert_int_equal(cnt, 1);
	assert_string_equal(image[0], "sha256:aa");
	free_texts(image, cnt);
	assert_stored(store_images(st, 2, &image, &cnt));
	assert_int_equal(cnt, 0);
	free_texts(image, cnt);
}

static inline void assert_rows_of_version3(void)
{
	struct store_row row = row_of("podman/redis");
	struct store_applied a = { 0 };
	struct verdicts v;

	assert_int_equal(row.mode, MODE_ENFORCE);
	assert_int_equal(row.generation, 2);
	assert_int_equal(row.replicas, 2);
	store_row_done(&row);
	assert_stored(store_applied_get(st, 1, &a));
	assert_int_equal(a.good, 1);
	assert_true(a.unconfined && a.keep_new_image && !a.replace && !a.probe_new_image);
	assert_int_equal(a.rule, PROBATION_LEARN);
	assert_int_equal(ask_db("SELECT state FROM generation WHERE failed = 'killed'"),
			 GENERATION_FAILED);
	assert_stored(store_verdicts(st, 1, &v));
	assert_true(sysset_has(&v.denied[0], 3) && sysset_has(&v.allowed[1], 1));
}

static inline void check_version1(void)
{
	assert_migrated();
	assert_migrated_origins();
}

static inline int make_version1(void **state)
{
	static const struct old version1 = { schema1, content1, NULL, 1, 203, 201, check_version1 };

	return make_old(&version1);
}

static inline int make_version2(void **state)
{
	static const struct old version2 = {
		schema2, content2, NULL, 2, 4, 3, assert_rows_of_version2
	};

	return make_old(&version2);
}

static inline int make_version3(void **state)
{
	static const struct old version3 = {
		schema3, content2, content3, 3, 4, 3, assert_rows_of_version3
	};

	return make_old(&version3);
}

#define TEST(f)	 cmocka_unit_test_setup_teardown(f, make_version1, drop_dir)
#define TEST2(f) cmocka_unit_test_setup_teardown(f, make_version2, drop_dir)
#define TEST3(f) cmocka_unit_test_setup_teardown(f, make_version3, drop_dir)
