/* SPDX-License-Identifier: Apache-2.0 */
/* A store of version 4, which knew nothing of mining: all of it is there afterwards, or it is as it was. */
#include <errno.h>

#include "generation_fixture.h"
#include "migrated_fixture.h"
#include "policy/denials.h"
#include "policy/mines.h"
#include "policy/oracles.h"
#include "store_version4.h"

static int make_version4(void **state)
{
	const char *const text[] = { schema4, content4 };
	sqlite3 *db = NULL;
	int r = make_dir(state);

	if (r < 0 || sqlite3_open(db_path, &db) != SQLITE_OK)
		return -1;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(text); i++) {
		char *error = NULL;

		r = sqlite3_exec(db, text[i], NULL, NULL, &error) == SQLITE_OK ? 0 : -1;
		if (r < 0)
			print_message("%s\n", error);
	}
	(void)sqlite3_close(db);
	return r;
}

/* Every table of version 4; some got columns since. */
static const char *const tables[] = {
	"SELECT * FROM meta",
	"SELECT * FROM workload",
	"SELECT id, instance, workload, container, path, running, starts, lost_range, lost_full,"
	" lost_ring, lost_task, lost_gaps, first, last, gone, first_unit, last_unit, pod, leaves,"
	" leave_comm, leave_path, source FROM instance",
	"SELECT id, began, label FROM unit",
	"SELECT * FROM observation",
	"SELECT * FROM learned",
	"SELECT * FROM call",
	"SELECT * FROM image",
	"SELECT * FROM generation",
	"SELECT * FROM generation_set",
	"SELECT workload, number, abi, calls FROM generation_denied",
	"SELECT * FROM generation_image",
	"SELECT * FROM applied",
	"SELECT workload, abi, nr, verdict, since FROM verdict",
	"SELECT * FROM denial",
	"SELECT * FROM counted",
	"SELECT * FROM oracle",
	"SELECT * FROM oracle_call",
	"SELECT * FROM oracle_loop",
};

static void dump_table(FILE *f, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int c = 0; c < sqlite3_column_count(stmt); c++) {
			const unsigned char *bytes = sqlite3_column_blob(stmt, c);
			int len = sqlite3_column_bytes(stmt, c);

			fprintf(f, "%d:", sqlite3_column_type(stmt, c));
			for (int i = 0; i < len; i++)
				fprintf(f, "%02x", bytes[i]);
			fputc(' ', f);
		}
		fputc('\n', f);
	}
	sqlite3_finalize(stmt);
}

static char *dump(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	sqlite3 *db = NULL;

	assert_non_null(f);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		dump_table(f, db, tables[i]);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* What readers see: what people said is still people's, and what was made is what was made. */
static void assert_readable(void)
{
	_generation_ struct generation g = { 0 };
	struct verdicts v = said_of(1);
	struct store_oracle oracle = { 0 };

	assert_set(v.denied[0], SET(3));
	assert_set(v.allowed[1], SET(1));
	assert_set(v.mined[0], NO_CALLS);
	assert_set(v.denied_eperm[0], NO_CALLS);
	assert_stored(store_generation_get(st, 1, 2, &g));
	assert_set(g.denied[0], SET(3));
	assert_set(g.denied_eperm[0], NO_CALLS);
	assert_int_equal(applied_to(1).mode, MODE_PROBATION);
	assert_set(learned_in(1, TAMIS_WORKLOAD), SET(1, 2));
	assert_stored(store_oracle_get(st, 1, &oracle));
	store_oracle_done(&oracle);
}

static void nothing_is_lost(void **state)
{
	_free_ char *before = dump(), *after = NULL;

	assert_true(strlen(before) > 3000);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	after = dump();
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), 6);
	assert_readable();
	assert_int_equal(broken_rule(), 0);
}

static void it_is_as_a_new_one(void **state)
{
	assert_as_a_new_one();
}

/* Its epochs are units of nobody's, and runs come beside them. */
static void it_can_be_mined(void **state)
{
	struct store_mine m = { .began = NOW + 900, .target = "redis", .tests = "aa" };
	struct matrix before = { 0 }, after = { 0 };
	int64_t unit;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	assert_stored(store_matrix(st, 1, 0, &before));
	assert_int_equal(before.cnt, 3);
	assert_string_equal(before.unit[0].name, "before");
	assert_int_equal(before.unit[0].outcome, MATRIX_NONE);
	assert_set(before.unit[0].set[0], SET(1, 2));
	assert_set(before.unit[1].set[0], SET(1));
	assert_set(before.unit[2].set[1], SET(1));
	matrix_done(&before);
	IN_TRANSACTION
	{
		assert_stored(store_mine_add(st, &m, &m.id));
		assert_stored(store_mine_unit(st, m.id, NOW + 900, "t1", &unit));
		assert_int_equal(unit, 4);
		add_calls(1, unit, TAMIS_WORKLOAD, SET(9), NOW + 901);
		assert_int_equal(store_verdict_mined(st, 1, 0, 3, ENOSYS, NOW), 1);
		assert_int_equal(store_verdict_mined(st, 1, 0, 9, EPERM, NOW), 0);
	}
	assert_stored(store_matrix(st, 1, m.id, &after));
	assert_int_equal(after.cnt, 1);
	assert_set(after.unit[0].set[0], SET(9));
	matrix_done(&after);
	assert_int_equal(broken_rule(), 0);
}

static void commands_leave_it_to_the_daemon(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_EDIT };
	_free_ char *before = dump(), *after = NULL;

	for (size_t n = 0; n < ARRAY_SIZE(modes); n++) {
		assert_int_equal(store_open(state_dir, modes[n], &st), -EPROTO);
		assert_non_null(strstr(store_error(NULL), "'tamis daemon'"));
	}
	after = dump();
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), 4);
}

static char *as_it_was;

static void is_as_it_was(void)
{
	_free_ char *now = dump();

	assert_string_equal(now, as_it_was);
	assert_readable();
}

static void kills_leave_one_or_the_other(void **state)
{
	as_it_was = dump();
	assert_kills_leave_it(4, is_as_it_was);
	free(TAKE_PTR(as_it_was));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_version4, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost),
		TEST(it_is_as_a_new_one),
		TEST(it_can_be_mined),
		TEST(commands_leave_it_to_the_daemon),
		TEST(kills_leave_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
