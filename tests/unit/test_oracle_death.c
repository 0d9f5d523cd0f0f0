/* SPDX-License-Identifier: Apache-2.0 */
/* Production that ends in WATCH, with and without a refused call on record. */
#include <signal.h>

#include "apply/note.h"
#include "learn/exits.h"
#include "oracle_fixture.h"

enum { HOUR_MS = 3600 * 1000, DRAINS = 10 };

static void which_ends_are_deaths(void **state)
{
	static const struct {
		enum trial_end end;
		int code;
		int64_t lived_ms;
		bool is;
	} rows[] = {
		{ TRIAL_KILLED, SIGSYS, HOUR_MS, true },
		{ TRIAL_KILLED, SIGSEGV, 10, true },
		{ TRIAL_KILLED, SIGSEGV, HOUR_MS, false },
		{ TRIAL_EXITED, 1, ORACLE_QUICK_MS - 1, true },
		{ TRIAL_EXITED, 1, ORACLE_QUICK_MS, false },
		{ TRIAL_EXITED, 127, 0, true },
		{ TRIAL_EXITED, 128 + SIGSYS, 0, true },
		/* somebody stops it */
		{ TRIAL_EXITED, 0, 10, false },
		{ TRIAL_KILLED, SIGTERM, 10, false },
		{ TRIAL_KILLED, SIGKILL, 10, false },
		{ TRIAL_EXITED, 128 + SIGTERM, 10, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (oracle_is_death(rows[i].end, rows[i].code, rows[i].lived_ms) != rows[i].is)
			fail_msg("row %zu", i);
}

/* One that lived for a second. */
static void end(enum trial_end how, int code)
{
	struct observed_exit e = { .key = KEY, .container = "c", .entrypoint = true };

	e.end = how;
	e.code = code;
	e.at_ms = note_now_ms() + 1000;
	fake.production = false;
	oracles_ended(all, &e, e.at_ms - 1000);
}

static void look_until(enum oracle_state s)
{
	for (int i = 0; i < 1000 && state_now() != s; i++)
		look(1);
	assert_int_equal(state_now(), s);
}

static void it_comes_back(void **state)
{
	_oracle_ struct store_oracle o = { 0 };

	from_nothing();
	end(TRIAL_KILLED, SIGSYS);
	look(DRAINS);
	o = row();
	assert_int_equal(o.state, ORACLE_START);
	assert_non_null(strstr(o.why, "signal 31, and no refused call is on record: it is started "
				      "again in 5 s"));
	assert_int_equal(alerts, 1);
	assert_false(fake.production);
	look_until(ORACLE_REST);
	assert_true(fake.production);
	assert_int_equal(fake.done[ORACLE_DO_START], 2);
	look_until(ORACLE_WATCH);
	/* nothing more comes of it, and a call that is refused now is tried */
	look(60);
	assert_int_equal(fake.done[ORACLE_DO_START], 2);
	refuse(GETEUID);
	look(9);
	assert_true(is_in_force(GETEUID));
}

/* Which may be told some drains after the end, and be older than that. */
static void a_call_that_was_refused_comes_first(void **state)
{
	from_nothing();
	end(TRIAL_EXITED, 1);
	look(4);
	assert_int_equal(state_now(), ORACLE_WATCH);
	refuse(GETEUID);
	look(9);
	assert_true(fake.production && is_in_force(GETEUID));
	assert_int_equal(alerts, 0);
	look(DRAINS);
	assert_int_equal(fake.done[ORACLE_DO_START], 2);
}

static void who_stops_it_is_left_alone(void **state)
{
	from_nothing();
	end(TRIAL_EXITED, 0);
	end(TRIAL_KILLED, SIGTERM);
	look(DRAINS);
	assert_int_equal(state_now(), ORACLE_WATCH);
	assert_false(fake.production);
	/* also after one that it did by itself, when it was begun again */
	end(TRIAL_EXITED, 1);
	end(TRIAL_KILLED, SIGTERM);
	look(DRAINS);
	assert_int_equal(fake.done[ORACLE_DO_START], 1);
}

/* No loop without a cap: under its engine's own profile nobody can say that it was this one's doing. */
static void three_times_are_enough(void **state)
{
	from_nothing();
	for (unsigned n = 1; n <= ORACLE_TRIES; n++) {
		assert_int_equal(applied_to(workload).mode, MODE_ENFORCE);
		end(TRIAL_EXITED, 1);
		look_until(ORACLE_START);
		look_until(ORACLE_WATCH);
		assert_int_equal(fake.done[ORACLE_DO_START], 1 + n);
	}
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
	assert_true(fake.production);
	assert_int_equal(alerts, ORACLE_TRIES + 1);
}

/* Its engine begins it again each time before the end of the life before is told. */
static void an_engine_that_restarts_it(void **state)
{
	struct observed_exit e = { .key = KEY, .entrypoint = true, .end = TRIAL_EXITED, .code = 1 };

	from_nothing();
	e.at_ms = note_now_ms() - HOUR_MS; /* before it was started */
	for (unsigned n = 0; n < 5; n++)
		oracles_ended(all, &e, note_now_ms());
	look(DRAINS);
	e.at_ms = note_now_ms() + HOUR_MS;
	for (unsigned n = 1; n < ORACLE_TRIES; n++) {
		oracles_started(all, KEY);
		oracles_ended(all, &e, e.at_ms + 100);
		look(DRAINS);
		assert_int_equal(state_now(), ORACLE_WATCH);
	}
	oracles_ended(all, &e, e.at_ms + 100);
	look(DRAINS);
	assert_int_equal(state_now(), ORACLE_START);
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
}

/* While it rests nothing is begun: it waits for that. */
static void it_died_at_rest(void **state)
{
	from_nothing();
	fake.lives = false;
	fake.end = (struct oracle_twin){ .ended = true, .code = 3 };
	refuse(GETEUID);
	look_until(ORACLE_REST);
	end(TRIAL_EXITED, 1);
	look_until(ORACLE_WATCH);
	assert_false(fake.production);
	look_until(ORACLE_START);
	look_until(ORACLE_REST);
	assert_true(fake.production);
	assert_int_equal(fake.done[ORACLE_DO_START], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_ends_are_deaths),
		TEST(it_comes_back),
		TEST(a_call_that_was_refused_comes_first),
		TEST(who_stops_it_is_left_alone),
		TEST(three_times_are_enough),
		TEST(an_engine_that_restarts_it),
		TEST(it_died_at_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
