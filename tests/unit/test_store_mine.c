/* SPDX-License-Identifier: Apache-2.0 */
/* Mining runs, their units as a matrix, what minimising decided, and coverage. */
#include <errno.h>
#include <math.h>
#include <time.h>

#include "generation_fixture.h"
#include "policy/denials.h"
#include "policy/mines.h"

#define DAY   86400
#define TODAY ((int64_t)NOW / DAY * DAY)

static int64_t web, other;

static void fill(void)
{
	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		other = add_workload("podman/other", "other");
	}
}

static int64_t add_run(int64_t workload, int64_t began, enum store_mine_state state)
{
	struct store_mine m = { .began = began, .target = "docker.io/web", .tests = "sha256:aa" };

	assert_stored(store_mine_add(st, &m, &m.id));
	m.workload = workload;
	m.state = state;
	assert_stored(store_mine_set(st, &m));
	return m.id;
}

static int64_t add_test(int64_t mine, int64_t now, const char *label)
{
	int64_t unit = 0;

	assert_stored(store_mine_unit(st, mine, now, label, &unit));
	return unit;
}

static struct matrix matrix_of(int64_t workload, int64_t mine)
{
	struct matrix m = { 0 };

	assert_stored(store_matrix(st, workload, mine, &m));
	return m;
}

static void assert_unit(const struct matrix *m, size_t at, const char *name, struct sysset calls)
{
	assert_true(at < m->cnt);
	if (name)
		assert_string_equal(m->unit[at].name, name);
	else
		assert_null(m->unit[at].name);
	assert_set(m->unit[at].set[TAMIS_ABI_X86_64], calls);
}

static size_t units_of(int64_t workload, int64_t mine)
{
	_matrix_ struct matrix m = matrix_of(workload, mine);

	return m.cnt;
}

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

/* --- the matrix -------------------------------------------------------------------------- */

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

/* --- minimising and coverage --------------------------------------------------------------- */

static void what_was_decided_is_kept(void **state)
{
	struct store_minimised m[] = {
		{ TAMIS_ABI_I386, 5, 1, 0, "t3" },
		{ TAMIS_ABI_X86_64, 99, 0, 0, NULL },
		{ TAMIS_ABI_X86_64, 2, 3, EPERM, NULL },
	};
	struct store_minimised *list = NULL;
	size_t cnt = 0;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_MINIMISING);
		for (size_t i = 0; i < ARRAY_SIZE(m); i++)
			assert_stored(store_minimised_set(st, run, &m[i]));
		m[1].state = 3;
		m[1].errno_ret = ENOSYS;
		assert_stored(store_minimised_set(st, run, &m[1]));
		assert_int_equal(store_minimised_set(st, run + 1, &m[1]), -EINVAL);
	}
	assert_stored(store_minimised(st, run, &list, &cnt));
	assert_int_equal(cnt, 3);
	assert_int_equal(list[0].nr, 2);
	assert_int_equal(list[0].errno_ret, EPERM);
	assert_int_equal(list[1].nr, 99);
	assert_int_equal(list[1].state, 3);
	assert_int_equal(list[1].errno_ret, ENOSYS);
	assert_null(list[1].why);
	assert_int_equal(list[2].abi, TAMIS_ABI_I386);
	assert_string_equal(list[2].why, "t3");
	store_minimised_free(list, cnt);
}

static void decided(int64_t run)
{
	const struct store_minimised m = { .abi = TAMIS_ABI_X86_64, .nr = 2, .state = 1 };

	assert_stored(store_minimised_set(st, run, &m));
}

/* The newest that decided anything, of the same workload and tests. */
static void minimising_goes_on_where_it_was(void **state)
{
	struct store_mine m;
	int64_t run[4];

	fill();
	assert_int_equal(store_mine_minimised(st, web, "sha256:aa", &m), -ENOENT);
	IN_TRANSACTION
	{
		run[0] = add_run(web, NOW, STORE_MINE_DONE);
		run[1] = add_run(web, NOW, STORE_MINE_STOPPED);
		run[2] = add_run(web, NOW, STORE_MINE_DONE);
		run[3] = add_run(other, NOW, STORE_MINE_DONE);
		decided(run[0]);
		decided(run[1]);
		decided(run[3]);
	}
	assert_stored(store_mine_minimised(st, web, "sha256:aa", &m));
	assert_int_equal(m.id, run[1]);
	store_mine_done(&m);
	assert_int_equal(store_mine_minimised(st, web, "sha256:bb", &m), -ENOENT);
	assert_int_equal(store_mine_minimised(st, web, NULL, &m), -ENOENT);
}

static void spoiled_decisions_are_refused(void **state)
{
	static const char *const spoils[] = {
		"UPDATE minimised SET abi = 5",	  "UPDATE minimised SET nr = 576",
		"UPDATE minimised SET state = 4", "UPDATE minimised SET errno = 13",
		"UPDATE minimised SET nr = -1",
	};
	const struct store_minimised m = { .nr = 1 };
	struct store_minimised *list;
	size_t cnt;
	int64_t run;

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		IN_TRANSACTION
		{
			run = add_run(web, NOW, STORE_MINE_MINIMISING);
			assert_stored(store_minimised_set(st, run, &m));
		}
		spoil_db(spoils[i]);
		assert_int_equal(store_minimised(st, run, &list, &cnt), -EUCLEAN);
		spoil_db("DELETE FROM minimised");
	}
}

static void coverage_is_kept(void **state)
{
	struct store_coverage c = { .at = NOW,
				    .units = 12,
				    .is_known = true,
				    .coverage = 0.97,
				    .low = 0.93,
				    .high = 0.99,
				    .next_hour = 0.25 },
			      back;

	fill();
	assert_int_equal(store_coverage_get(st, web, &back), -ENOENT);
	for (int n = 0; n < 2; n++, c.units++, c.next_hour = -1) {
		IN_TRANSACTION assert_stored(store_coverage_set(st, web, &c));
		assert_stored(store_coverage_get(st, web, &back));
		assert_int_equal(back.at, NOW);
		assert_int_equal(back.units, c.units);
		assert_true(back.is_known);
		assert_true(back.coverage == 0.97 && back.low == 0.93 && back.high == 0.99);
		assert_true(back.next_hour == c.next_hour);
	}
	IN_TRANSACTION
	{
		c.coverage = 1.5;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
		c.coverage = (double)NAN;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
		c.coverage = 0;
		c.next_hour = (double)INFINITY;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
	}
	spoil_db("UPDATE coverage SET low = -0.1");
	assert_int_equal(store_coverage_get(st, web, &back), -EUCLEAN);
	spoil_db("UPDATE coverage SET low = 0, units = -1");
	assert_int_equal(store_coverage_get(st, web, &back), -EUCLEAN);
}

/* `tamis list` and `tamis show` read beside whoever writes. */
static void readers_may_read_it(void **state)
{
	const struct store_coverage c = { .at = NOW, .coverage = 0.5, .high = 1 };
	struct store_coverage back;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_DONE);
		add_calls(add_instance("a", web, NOW), add_test(run, NOW, "t"), TAMIS_WORKLOAD,
			  SET(1), NOW);
		assert_stored(store_coverage_set(st, web, &c));
	}
	store_close(st);
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_int_equal(units_of(web, run), 1);
	assert_stored(store_coverage_get(st, web, &back));
	assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_is_kept),
		TEST(out_of_range_is_not_written),
		TEST(tests_are_units_with_their_calls),
		TEST(what_is_forgotten_is_in_no_unit),
		TEST(a_thousand_tests_are_read_at_once),
		TEST(of_the_daemons_units_the_newest_are_read),
		TEST(who_seldom_runs_is_found),
		TEST(what_was_spoiled_is_refused),
		TEST(the_last_run_outlives_folding),
		TEST(tests_dont_make_the_daemons_units_old),
		TEST(what_others_learn_is_in_no_test),
		TEST(runs_go_with_their_workload),
		TEST(a_merged_workload_was_mined),
		TEST(what_was_decided_is_kept),
		TEST(minimising_goes_on_where_it_was),
		TEST(spoiled_decisions_are_refused),
		TEST(coverage_is_kept),
		TEST(readers_may_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
