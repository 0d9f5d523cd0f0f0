/* SPDX-License-Identifier: Apache-2.0 */
/* Mining runs: what is kept of them, and what pruning, merging and forgetting leave. */
#include <errno.h>

#include "mine_fixture.h"

#define DAY   86400
#define TODAY ((int64_t)NOW / DAY * DAY)

/* --- runs -------------------------------------------------------------------------------- */

static void a_run_is_kept(void **state)
{
	struct store_mine m = { .began = NOW, .target = "web:1", .tests = "sha256:aa" }, back;
	int64_t first = 0, second = 0;

	fill();
	assert_int_equal(store_mine_last(st, web, &back), -ENOENT);
	IN_TRANSACTION
	{
		assert_stored(store_mine_add(st, &m, &first));
		assert_stored(store_mine_add(st, &m, &second));
		m = (struct store_mine){ .id = second, .workload = web };
		m.ended = NOW + 9;
		m.state = STORE_MINE_STOPPED;
		m.generation = UINT32_MAX;
		m.minimised = 2;
		m.why = "stopped";
		assert_stored(store_mine_set(st, &m));
	}
	assert_true(first > 0 && second > first);
	assert_stored(store_mine_last(st, web, &back));
	assert_int_equal(back.id, second);
	assert_int_equal(back.workload, web);
	assert_int_equal(back.began, NOW);
	assert_int_equal(back.ended, NOW + 9);
	assert_int_equal(back.state, STORE_MINE_STOPPED);
	assert_int_equal(back.generation, UINT32_MAX);
	assert_int_equal(back.minimised, 2);
	assert_string_equal(back.target, "web:1");
	assert_string_equal(back.tests, "sha256:aa");
	assert_string_equal(back.why, "stopped");
	store_mine_done(&back);
	assert_int_equal(store_mine_last(st, other, &back), -ENOENT);
	assert_int_equal(broken_rule(), 0);
}

static void out_of_range_is_not_written(void **state)
{
	struct store_mine m = { .began = NOW };
	struct store_minimised gone = { .nr = 1, .state = 3, .errno_ret = ENOSYS };
	int64_t id = 0, unit;

	fill();
	IN_TRANSACTION
	{
		assert_int_equal(store_mine_add(st, &m, &id), -EINVAL);
		m.id = id = add_run(web, NOW, STORE_MINE_OBSERVING);
		m.state = STORE_MINE_STATE_MAX;
		assert_int_equal(store_mine_set(st, &m), -EINVAL);
		unit = add_test(id, NOW, "t");
		assert_int_equal(store_mine_outcome(st, unit, MATRIX_OUTCOME_MAX), -EINVAL);
		assert_int_equal(store_mine_outcome(st, unit + 1, MATRIX_PASS), -ENOENT);
		assert_int_equal(store_mine_outcome(st, add_unit(NOW), MATRIX_PASS), -ENOENT);
		assert_int_equal(store_mine_unit(st, id + 1, NOW, "t", &unit), -ENOENT);
		gone.errno_ret = EACCES;
		assert_int_equal(store_minimised_set(st, id, &gone), -EINVAL);
		gone.errno_ret = EPERM;
		gone.state = STORE_MINIMISED_STATE_MAX;
		assert_int_equal(store_minimised_set(st, id, &gone), -EINVAL);
		gone.state = 3;
		gone.nr = TAMIS_CALLS;
		assert_int_equal(store_minimised_set(st, id, &gone), -EINVAL);
	}
	assert_int_equal(store_mine_unit(st, id, NOW, "t", &unit), -EINVAL);
	assert_int_equal(ask_db("SELECT count(*) FROM minimised"), 0);
}

/* --- pruning, merging, forgetting ---------------------------------------------------------- */

static uint64_t fold(int64_t before)
{
	const struct store_prune what = { .fold_before = before };
	struct store_pruned pruned = { 0 };

	IN_TRANSACTION assert_stored(store_prune(st, &what, NULL, NULL, &pruned));
	return pruned.units;
}

/* Of a day: two units of the daemon's, then a run of three tests, two of one name. */
static int64_t add_day(int64_t instance, int64_t began, enum store_mine_state how)
{
	static const char *const name[] = { "t1", "t2", "t2" };
	int64_t run = 0;

	IN_TRANSACTION
	{
		for (int n = 0; n < 2; n++)
			add_calls(instance, add_unit(began + n), TAMIS_WORKLOAD, SET(1, 2 + n),
				  began + n);
		run = add_run(web, began + 9, how);
		for (int n = 0; n < 3; n++)
			add_calls(instance, add_test(run, began + 10 + n, name[n]), TAMIS_WORKLOAD,
				  SET(1, 10 + n), began + 10 + n);
	}
	return run;
}

static void the_last_run_outlives_folding(void **state)
{
	struct store_mine m = { 0 };
	int64_t a, run[4];

	fill();
	IN_TRANSACTION a = add_instance("a", web, 1);
	run[0] = add_day(a, TODAY - 4 * DAY, STORE_MINE_DONE);
	run[1] = add_day(a, TODAY - 3 * DAY, STORE_MINE_DONE);
	run[2] = add_day(a, TODAY - 2 * DAY, STORE_MINE_STOPPED);
	run[3] = add_day(a, TODAY - DAY, STORE_MINE_STOPPED);
	/* Each day's two of the daemon's but for the newest, and the tests of two runs. */
	assert_int_equal(fold(TODAY), 3 + 2 + 2);
	assert_int_equal(fold(TODAY), 0);
	assert_int_equal(units_of(web, run[0]), 0);
	assert_int_equal(units_of(web, run[2]), 0);
	_matrix_ struct matrix done = matrix_of(web, run[1]), last = matrix_of(web, run[3]),
			       rest = matrix_of(web, 0);
	assert_int_equal(done.cnt, 3);
	assert_unit(&done, 2, "t2", SET(1, 12));
	assert_int_equal(last.cnt, 3);
	assert_unit(&last, 1, "t2", SET(1, 11));
	assert_int_equal(rest.cnt, 3 + 2);
	assert_unit(&rest, 0, NULL, SET(1, 2, 3));
	assert_stored(store_mine_last(st, web, &m));
	assert_int_equal(m.id, run[3]);
	store_mine_done(&m);
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(1, 2, 3, 10, 11, 12));
	assert_int_equal(ask_db("SELECT count(*) FROM mine"), 2);
	assert_int_equal(broken_rule(), 0);
}

/* The daemon writes to its newest two, however many tests ran since. */
static void tests_dont_make_the_daemons_units_old(void **state)
{
	int64_t a;

	fill();
	IN_TRANSACTION a = add_instance("a", web, 1);
	(void)add_day(a, TODAY - 2 * DAY, STORE_MINE_DONE);
	assert_int_equal(fold(TODAY), 0);
	assert_int_equal(units_of(web, 0), 2);
}

/* A journal's call is of no test, whenever it came. */
static void what_others_learn_is_in_no_test(void **state)
{
	struct sysset late = SET(77), early = SET(78);
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		(void)add_unit(NOW);
		run = add_run(web, NOW + 1, STORE_MINE_OBSERVING);
		(void)add_test(run, NOW + 2, "t1");
		assert_stored(
			store_learn(st, web, "keeper", TAMIS_ABI_X86_64, &late, NULL, NOW + 3));
		assert_stored(
			store_learn(st, web, "keeper", TAMIS_ABI_X86_64, &early, NULL, NOW - 9));
	}
	_matrix_ struct matrix m = matrix_of(web, run), rest = matrix_of(web, 0);
	assert_unit(&m, 0, "t1", NO_CALLS);
	assert_int_equal(rest.cnt, 1);
	assert_unit(&rest, 0, NULL, SET(77, 78));
}

static void runs_go_with_their_workload(void **state)
{
	const struct store_minimised gone = { .nr = 1, .state = 3, .errno_ret = EPERM };
	struct store_mine m = { .state = STORE_MINE_DONE };
	int64_t unit;
	bool running;

	for (int alive = 0; alive < 2; alive++) {
		fill();
		IN_TRANSACTION
		{
			int64_t a = add_instance("a", web, NOW);

			m.id = add_run(m.workload = web, NOW, STORE_MINE_OBSERVING);
			add_calls(a, unit = add_test(m.id, NOW, "t"), TAMIS_WORKLOAD, SET(1), NOW);
			assert_stored(store_minimised_set(st, m.id, &gone));
			if (!alive)
				end_instance("a", web, NOW);
			assert_stored(store_forget(st, web, &running));
			assert_int_equal(running, alive);
			assert_int_equal(store_mine_set(st, &m), -ENOENT);
			assert_int_equal(store_mine_outcome(st, unit, MATRIX_PASS), -ENOENT);
			assert_int_equal(store_mine_unit(st, m.id, NOW, "t", &unit), -ENOENT);
		}
		assert_int_equal(ask_db("SELECT count(*) FROM mine"), 0);
		assert_int_equal(ask_db("SELECT count(*) FROM minimised"), 0);
		assert_int_equal(ask_db("SELECT count(*) FROM unit WHERE mine <> 0 OR label IS"
					" NOT NULL"),
				 0);
		assert_int_equal(broken_rule(), 0);
	}
}

static void a_merged_workload_was_mined(void **state)
{
	const struct store_coverage c = { .at = NOW, .coverage = 0.5, .high = 1 };
	struct store_mine m = { 0 };
	struct store_coverage back;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		(void)add_run(web, NOW, STORE_MINE_DONE);
		run = add_run(other, NOW, STORE_MINE_DONE);
		add_calls(add_instance("a", other, NOW), add_test(run, NOW, "t"), TAMIS_WORKLOAD,
			  SET(1), NOW);
		assert_stored(store_coverage_set(st, web, &c));
		assert_stored(store_merge(st, web, &other, 1));
	}
	assert_stored(store_mine_last(st, web, &m));
	assert_int_equal(m.id, run);
	store_mine_done(&m);
	_matrix_ struct matrix matrix = matrix_of(web, run);
	assert_unit(&matrix, 0, "t", SET(1));
	assert_int_equal(store_coverage_get(st, web, &back), -ENOENT);
	assert_int_equal(broken_rule(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_is_kept),
		TEST(out_of_range_is_not_written),
		TEST(the_last_run_outlives_folding),
		TEST(tests_dont_make_the_daemons_units_old),
		TEST(what_others_learn_is_in_no_test),
		TEST(runs_go_with_their_workload),
		TEST(a_merged_workload_was_mined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
