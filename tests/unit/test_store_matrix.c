/* SPDX-License-Identifier: Apache-2.0 */
/* The units of a run, or the daemon's own, as a matrix. */
#include <errno.h>
#include <time.h>

#include "mine_fixture.h"

static void tests_are_units_with_their_calls(void **state)
{
	struct sysset i386 = SET(11);
	int64_t a, b, run, next, u[4];

	fill();
	IN_TRANSACTION
	{
		a = add_instance("a", web, NOW);
		b = add_instance("b", other, NOW);
		run = add_run(web, NOW, STORE_MINE_OBSERVING);
		u[0] = add_test(run, NOW, "start");
		add_calls(a, u[0], TAMIS_SETUP, SET(9), NOW);
		add_calls(a, u[0], TAMIS_GATE, SET(10), NOW);
		add_calls(a, u[0], TAMIS_WORKLOAD, SET(1, 2), NOW);
		add_calls(b, u[0], TAMIS_WORKLOAD, SET(7), NOW);
		u[1] = add_unit(NOW + 1); /* the daemon's */
		add_calls(a, u[1], TAMIS_WORKLOAD, SET(1, 2, 3), NOW + 1);
		u[2] = add_test(run, NOW + 2, "makes none");
		u[3] = add_test(run, NOW + 3, "last");
		add_calls(a, u[3], TAMIS_SESSION, SET(2, 4), NOW + 3);
		add_calls(add_instance("a2", web, NOW), u[3], TAMIS_WORKLOAD, SET(5), NOW + 3);
		assert_stored(
			store_calls(st, a, u[3], TAMIS_WORKLOAD, TAMIS_ABI_I386, &i386, NOW + 3));
		assert_stored(store_mine_outcome(st, u[2], MATRIX_HUNG));
		assert_stored(store_mine_outcome(st, u[3], MATRIX_PASS));
		next = add_run(web, NOW + 9, STORE_MINE_OBSERVING);
		add_calls(a, add_test(next, NOW + 9, "start"), TAMIS_WORKLOAD, SET(6), NOW + 9);
	}
	_matrix_ struct matrix m = matrix_of(web, run), daemons = matrix_of(web, 0);
	assert_int_equal(m.cnt, 3);
	assert_unit(&m, 0, "start", SET(1, 2));
	assert_unit(&m, 1, "makes none", NO_CALLS);
	assert_unit(&m, 2, "last", SET(2, 4, 5));
	assert_set(m.unit[2].set[TAMIS_ABI_I386], i386);
	assert_int_equal(m.unit[2].began, NOW + 3);
	assert_int_equal(m.unit[0].outcome, MATRIX_NONE);
	assert_int_equal(m.unit[1].outcome, MATRIX_HUNG);
	assert_int_equal(m.unit[2].outcome, MATRIX_PASS);
	assert_int_equal(daemons.cnt, 1);
	assert_unit(&daemons, 0, NULL, SET(1, 2, 3));
	assert_int_equal(units_of(other, 0), 0);
	assert_int_equal(units_of(web, next), 1);
	assert_int_equal(broken_rule(), 0);
}

static void what_is_forgotten_is_in_no_unit(void **state)
{
	const struct store_coverage c = { .at = NOW, .coverage = 0.5, .high = 1 };
	struct store_coverage back;
	int64_t a, run, u;

	fill();
	IN_TRANSACTION
	{
		a = add_instance("a", web, NOW);
		run = add_run(web, NOW, STORE_MINE_OBSERVING);
		add_calls(a, u = add_test(run, NOW, "t1"), TAMIS_WORKLOAD, SET(1, 2), NOW);
		assert_stored(store_coverage_set(st, web, &c));
		assert_stored(store_forget_call(st, web, TAMIS_ABI_X86_64, 2));
		add_calls(a, u, TAMIS_WORKLOAD, SET(1, 2), NOW);
		add_calls(a, add_test(run, NOW + 1, "t2"), TAMIS_WORKLOAD, SET(2, 3), NOW + 1);
	}
	_matrix_ struct matrix m = matrix_of(web, run);
	assert_unit(&m, 0, "t1", SET(1));
	assert_unit(&m, 1, "t2", SET(2, 3));
	assert_int_equal(store_coverage_get(st, web, &back), -ENOENT);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `units` of them, in which every 7th is another's. */
static void add_many(int64_t mine, int units, int instances)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %d)"
		 " INSERT INTO instance (instance, workload, running, starts, lost_range,"
		 " lost_full, lost_ring, lost_task, lost_gaps, first, last, first_unit, last_unit)"
		 " SELECT 'many' || n, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 100000 FROM n;"
		 "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %d)"
		 " INSERT INTO unit (began, label, mine)"
		 " SELECT n, 'test ' || n, iif(n %% 7 = 3, 99, nullif(%d, 0)) FROM n;"
		 "INSERT INTO observation SELECT u.id, i.id, 2, 0, l.calls FROM unit u,"
		 " instance i, learned l WHERE i.instance LIKE 'many%%'",
		 instances, units, (int)mine);
	spoil_db(sql);
}

static void a_thousand_tests_are_read_at_once(void **state)
{
	double began;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_OBSERVING);
		add_calls(add_instance("a", web, NOW), add_unit(1), TAMIS_WORKLOAD, SET(7), NOW);
	}
	add_many(run, 1167, 10);
	began = seconds();
	_matrix_ struct matrix m = matrix_of(web, run);
	print_message("%zu units of ten instances in %.0f ms\n", m.cnt, 1000 * (seconds() - began));
	assert_true(seconds() - began < 5);
	assert_int_equal(m.cnt, 1000);
	assert_unit(&m, 999, "test 1167", SET(7));
}

static void of_the_daemons_units_the_newest_are_read(void **state)
{
	fill();
	IN_TRANSACTION
	add_calls(add_instance("a", web, NOW), add_unit(1), TAMIS_WORKLOAD, SET(7), NOW);
	add_many(0, 6000, 2);
	_matrix_ struct matrix m = matrix_of(web, 0);
	assert_int_equal(m.cnt, STORE_MATRIX_MAX);
	assert_unit(&m, STORE_MATRIX_MAX - 1, "test 6000", SET(7));
	for (size_t i = 1; i < m.cnt; i++)
		assert_true(m.unit[i].began > m.unit[i - 1].began);
}

/* It ran long ago, for a moment, and a moment today. */
static void who_seldom_runs_is_found(void **state)
{
	int64_t a, b;

	fill();
	IN_TRANSACTION
	{
		a = add_instance("a", web, NOW);
		add_calls(a, add_unit(1), TAMIS_WORKLOAD, SET(1), NOW);
		end_instance("a", web, NOW);
		b = add_instance("b", other, NOW);
		for (int n = 2; n < 2 * STORE_MATRIX_MAX; n++)
			(void)add_unit(n);
		add_calls(b, add_unit(NOW - 1), TAMIS_WORKLOAD, SET(2), NOW);
		add_calls(add_instance("c", web, NOW), add_unit(NOW), TAMIS_WORKLOAD, SET(3), NOW);
	}
	_matrix_ struct matrix m = matrix_of(web, 0);
	assert_int_equal(m.cnt, 2);
	assert_unit(&m, 0, NULL, SET(1));
	assert_unit(&m, 1, NULL, SET(3));
}

static void what_was_spoiled_is_refused(void **state)
{
	static const struct {
		const char *spoil, *mend;
	} spoils[] = {
		{ "UPDATE unit SET outcome = 4", "UPDATE unit SET outcome = 0" },
		{ "UPDATE unit SET outcome = -1", "UPDATE unit SET outcome = 0" },
		{ "UPDATE unit SET label = printf('%.*c', 4097, 'x')",
		  "UPDATE unit SET label = printf('%.*c', 4096, 'x')" },
		{ "UPDATE observation SET abi = 5", "UPDATE observation SET abi = 0" },
		{ "UPDATE observation SET calls = x'00'",
		  "UPDATE observation SET calls = zeroblob(72)" },
	};
	struct matrix m;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_OBSERVING);
		add_calls(add_instance("a", web, NOW), add_test(run, NOW, "t"), TAMIS_WORKLOAD,
			  SET(1), NOW);
	}
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		spoil_db(spoils[i].spoil);
		assert_int_equal(store_matrix(st, web, run, &m), -EUCLEAN);
		spoil_db(spoils[i].mend);
		assert_int_equal(units_of(web, run), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tests_are_units_with_their_calls),
		TEST(what_is_forgotten_is_in_no_unit),
		TEST(a_thousand_tests_are_read_at_once),
		TEST(of_the_daemons_units_the_newest_are_read),
		TEST(who_seldom_runs_is_found),
		TEST(what_was_spoiled_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
