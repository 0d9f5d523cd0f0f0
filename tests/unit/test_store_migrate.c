/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an older version left: all of it is there afterwards. */
#include "migrate_fixture.h"
#include "migrated_fixture.h"

/* What only readers of the daemon's own kind see, row by row. */
static const char *const all_rows[] = {
	"SELECT count(*) * 1000000 + sum(id * units) FROM workload WHERE last_unit > 0",
	"SELECT sum(id * workload) + sum(first_unit) + sum(last_unit) FROM instance",
	"SELECT count(*) * 1000000 + sum(unit * instance) FROM observation",
	"SELECT count(*) + sum(instr(hex(calls), '02')) FROM observation",
	"SELECT count(*) * 1000 + sum(began) FROM unit",
	"SELECT count(*) FROM call WHERE pid IS NOT NULL AND length(exe) > 3",
	"SELECT count(*) FROM learned",
	"SELECT count(*) FROM unit WHERE label = 'before'",
};

static void nothing_is_lost(void **state)
{
	int64_t before[ARRAY_SIZE(all_rows)];

	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		before[n] = ask_db(all_rows[n]);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		assert_int_equal(ask_db(all_rows[n]), before[n]);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_int_equal(count_workloads(), 201);
	assert_migrated();
	assert_migrated_origins();
	assert_int_equal(broken_rule(), 0);
}

/* The same tables, columns and indices as in a new store; and the recorded schema is what it was. */
static void a_migrated_store_is_as_a_new_one(void **state)
{
	assert_as_a_new_one();
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
}

/* --- version 2 ---------------------------------------------------------------------------- */

#define WORKLOAD2                                                                     \
	"id, key, engine, name, image, image_digest, first, units, last_unit, owner," \
	" namespace, why_not, named, folded, running"
#define INSTANCE2                                                                          \
	"id, instance, workload, container, path, running, starts, lost_range, lost_full," \
	" lost_ring, lost_task, lost_gaps, first, last, gone, first_unit, last_unit, pod," \
	" leaves, leave_comm, leave_path"

/* Every table that version 2 had, whole: what was added to workloads, instances and units comes after. */
static void dump_version2(char **ret)
{
	static const char *const tables[] = { "meta",  "observation", "learned",   "call",
					      "alias", "inner",	      "forgotten", "baseline" };
	size_t len = 0;
	FILE *f = open_memstream(ret, &len);

	assert_non_null(f);
	dump(f, "SELECT " WORKLOAD2 " FROM workload ORDER BY id");
	dump(f, "SELECT " INSTANCE2 " FROM instance ORDER BY id");
	dump(f, "SELECT id, began, label FROM unit");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[i]);
		dump(f, sql);
	}
	assert_int_equal(fclose(f), 0);
}

static void nothing_of_version2_is_lost(void **state)
{
	_free_ char *before = NULL, *after = NULL;

	dump_version2(&before);
	assert_true(strlen(before) > 1500);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	dump_version2(&after);
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_rows_of_version2();
	assert_int_equal(broken_rule(), 0);
}

/* Enforcing begins with what was learned before. */
static void version2_gets_generations(void **state)
{
	_generation_ struct generation g = { .created = NOW }, back = { 0 };
	struct store_applied a = { .mode = MODE_ENFORCE, .generation = 1, .since = NOW };

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	assert_stored(store_learned(st, 1, &g.learned));
	IN_TRANSACTION
	{
		assert_int_equal(store_generation_add(st, 1, &g), 0);
		assert_stored(store_applied_set(st, 1, &a));
		assert_stored(store_verdict_set(st, 1, TAMIS_ABI_X86_64, 321, VERDICT_DENY, NOW));
	}
	assert_stored(store_generation_get(st, 1, 1, &back));
	assert_memory_equal(&back.learned, &g.learned, sizeof(g.learned));
	assert_int_equal(broken_rule(), 0);
}

/* --- version 3 ---------------------------------------------------------------------------- */

/* What version 3 had besides; some tables got columns since. */
static void dump_version3(char **ret)
{
	static const char *const queries[] = {
		"SELECT opted_out, " WORKLOAD2 " FROM workload ORDER BY id",
		"SELECT " INSTANCE2 " FROM instance ORDER BY id",
		("SELECT workload, mode, generation, good, replace, unconfined, keep_new_image,"
		 " since FROM applied"),
		"SELECT * FROM generation",
		"SELECT * FROM generation_set",
		"SELECT workload, number, abi, calls FROM generation_denied",
		"SELECT * FROM generation_image",
		"SELECT workload, abi, nr, verdict, since FROM verdict",
		"SELECT * FROM image",
		"SELECT * FROM call",
		"SELECT * FROM observation",
	};
	size_t len = 0;
	FILE *f = open_memstream(ret, &len);

	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		dump(f, queries[i]);
	assert_int_equal(fclose(f), 0);
}

static void nothing_of_version3_is_lost(void **state)
{
	_free_ char *before = NULL, *after = NULL;

	dump_version3(&before);
	assert_true(strlen(before) > 2000);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	dump_version3(&after);
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_rows_of_version3();
	assert_int_equal(broken_rule(), 0);
}

/* What came with version 4, in a store that is older. */
static void version3_gets_denials(void **state)
{
	struct store_denial d = { .workload = 1,
				  .abi = TAMIS_ABI_X86_64,
				  .nr = 57,
				  .count = 1,
				  .first = NOW,
				  .last = NOW };
	struct store_applied a = { .mode = MODE_PROBATION, .generation = 2, .since = NOW };
	struct sysset calls = SET(57);
	bool is_new = false;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &d, &is_new));
		assert_stored(store_learn(st, 1, "keeper", TAMIS_ABI_X86_64, &calls, NULL, NOW));
		assert_stored(store_applied_set(st, 1, &a));
	}
	assert_true(is_new);
	assert_set(learned_in(1, TAMIS_WORKLOAD), SET(1, 2, 57));
	assert_stored(store_applied_get(st, 1, &a));
	assert_int_equal(a.mode, MODE_PROBATION);
	assert_int_equal(broken_rule(), 0);
}

/* -------------------------------------------------------------------------------------------- */

static void what_it_learns_goes_on(void **state)
{
	const struct store_prune fold = { .fold_before = NOW + 86400 };
	struct store_pruned pruned = { 0 };
	int64_t w;
	bool running;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		w = add_workload("podman/redis", "redis");
		assert_int_equal(w, 201);
		assert_int_equal(add_instance("boot/a", w, NOW + 200), 201);
		add_calls(201, add_unit(NOW + 200), TAMIS_WORKLOAD, SET(3), NOW + 201);
		add_calls(201, add_unit(NOW + 260), TAMIS_WORKLOAD, SET(4), NOW + 261);
		assert_stored(store_prune(st, &fold, NULL, NULL, &pruned));
		assert_int_equal(pruned.units, 1); /* that of "before" is one of its own */
		assert_stored(store_forget(st, 7, &running));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 3, 4));
	assert_int_equal(count_workloads(), 200);
	assert_int_equal(broken_rule(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost),
		TEST2(nothing_of_version2_is_lost),
		TEST(a_migrated_store_is_as_a_new_one),
		TEST2(a_migrated_store_is_as_a_new_one),
		TEST3(a_migrated_store_is_as_a_new_one),
		TEST(what_it_learns_goes_on),
		TEST2(version2_gets_generations),
		TEST3(nothing_of_version3_is_lost),
		TEST3(version3_gets_denials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
