/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that don't go through: twins, engines and daemons that fail, caps, ends. */
#include "oracle_fixture.h"

static void a_twin_that_never_comes_up_backs_off(void **state)
{
	uint32_t loops[3];

	from_nothing();
	fake.lives = false;
	fake.end = (struct oracle_twin){ .ended = true, .code = 3 };
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		int64_t since = now_ms;

		refuse(GETEUID);
		while (fake.done[ORACLE_DO_STOP] <= i)
			look(1);
		loops[i] = (uint32_t)((now_ms - since) / 1000);
		look(4);
		assert_int_equal(state_now(), ORACLE_REST);
		assert_true(fake.production && !fake.twin);
	}
	assert_true(loops[0] <= 1 && loops[1] > loops[0] && loops[2] > loops[1]);
	assert_int_equal(verdict_on(GETEUID), 0);
	assert_true(alerts >= 3);
}

static void the_cap_holds(void **state)
{
	unsigned stops = 0;

	from_nothing();
	for (unsigned nr = 400; nr < 440; nr++) {
		fake.makes = SET((int)nr);
		refuse(nr);
		look(9);
		stops += fake.production;
	}
	assert_int_equal(stops, 40);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 10);
	/* in the next hour it goes on */
	now_ms += 3600 * 1000;
	refuse(450);
	look(9);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 11);
}

static void whatever_fails_production_comes_back(void **state)
{
	static const enum oracle_action actions[] = { ORACLE_DO_STOP, ORACLE_DO_TWIN,
						      ORACLE_DO_UNTWIN };

	from_nothing();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(actions); i++) {
		enum oracle_action a = actions[i / 2];

		fake.fails[a] = i % 2 ? 0 : ALWAYS;
		fake.hangs[a] = i % 2;
		refuse(GETEUID);
		for (int n = 0; n < 1200 && state_now() == ORACLE_REST; n++)
			look(1);
		look(ORACLE_TRIES * (ORACLE_ACTION_S + 2) + 20);
		if (!fake.production)
			fail_msg("action %d: production is stopped", a);
		fake.fails[a] = 0;
		fake.hangs[a] = false;
	}
}

static void a_start_that_fails_is_tried_without_a_filter(void **state)
{
	from_nothing();
	refuse(GETEUID);
	look(1);
	fake.fails[ORACLE_DO_START] = ORACLE_TRIES;
	look(30);
	assert_true(fake.production);
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
	assert_true(alerts > 0);
}

/* Without hurry: nor does a daemon that ends wait for it. */
static void production_that_never_starts_is_waited_for(void **state)
{
	from_nothing();
	refuse(GETEUID);
	look(1);
	assert_true(oracles_busy(all));
	fake.fails[ORACLE_DO_START] = ALWAYS;
	look(40);
	assert_int_equal(state_now(), ORACLE_START);
	assert_false(oracles_busy(all));
	fake.fails[ORACLE_DO_START] = 0;
	look(ORACLE_BACKOFF_MAX_S);
	assert_true(fake.production);
}

/* The daemon dies as soon as each state was entered, and before each look. */
static void killed_at_every_state(void **state)
{
	from_nothing();
	refuse(PTRACE);
	look(2);
	for (int s = ORACLE_STOP; s <= ORACLE_START; s++) {
		unsigned nr = 400 + (unsigned)s;
		bool killed = false;

		fake.makes = SET((int)nr);
		refuse(nr);
		for (int n = 0; n < 60; n++) {
			if (!killed && (int)state_now() >= s && state_now() != ORACLE_REST) {
				daemon_dies();
				killed = true;
				daemon_begins();
			}
			now_ms += 300;
			assert_stored(n % 3 ? oracles_hurry(all, now_ms)
					    : oracles_look(all, now_ms));
		}
		look(15);
		if (!fake.production || fake.twin || !is_in_force(nr))
			fail_msg("state %d: production %d, twin %d, learned %d", s, fake.production,
				 fake.twin, is_in_force(nr));
	}
	for (unsigned s = ORACLE_STOP; s <= ORACLE_START; s++)
		assert_true(is_in_force(400 + s));
	assert_rejected_and_denied(PTRACE);
}

static void killed_before_it_heard_of_a_denial(void **state)
{
	from_nothing();
	daemon_dies();
	refuse(GETEUID);
	daemon_begins();
	look(9);
	assert_true(is_in_force(GETEUID));
}

static void its_end_waits_for_production(void **state)
{
	_oracle_ struct store_oracle o = { 0 }, gone = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	assert_false(fake.production);
	o = row();
	o.per_hour = 0;
	IN_TRANSACTION
	{
		assert_stored(store_oracle_set(st, &o));
	}
	look(9);
	assert_true(fake.production);
	assert_int_equal(store_oracle_get(st, workload, &gone), -ENOENT);
	assert_false(oracles_any(all));
	assert_true(is_in_force(GETEUID));
}

static void a_row_that_goes_in_the_middle(void **state)
{
	_oracle_ struct store_oracle gone = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	IN_TRANSACTION
	{
		assert_stored(store_oracle_remove(st, workload));
	}
	look(9);
	assert_true(fake.production && !fake.twin);
	assert_int_equal(store_oracle_get(st, workload, &gone), -ENOENT);
	assert_false(oracles_any(all));
}

static void a_daemon_that_stops_brings_production_back(void **state)
{
	_oracle_ struct store_oracle o = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	assert_false(fake.production);
	oracles_end(all, 5);
	assert_true(fake.production && !fake.twin);
	o = row();
	assert_int_equal(o.state, ORACLE_REST);
	assert_string_equal(o.why, "the daemon was stopped");
}

static void who_released_it_has_the_last_word(void **state)
{
	const struct store_applied none = { .mode = MODE_OBSERVE };

	from_nothing();
	refuse(GETEUID);
	look(1);
	IN_TRANSACTION
	{
		assert_stored(store_applied_set(st, workload, &none));
	}
	look(9);
	assert_true(fake.production);
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_twin_that_never_comes_up_backs_off),
		TEST(the_cap_holds),
		TEST(whatever_fails_production_comes_back),
		TEST(a_start_that_fails_is_tried_without_a_filter),
		TEST(production_that_never_starts_is_waited_for),
		TEST(killed_at_every_state),
		TEST(killed_before_it_heard_of_a_denial),
		TEST(its_end_waits_for_production),
		TEST(a_row_that_goes_in_the_middle),
		TEST(a_daemon_that_stops_brings_production_back),
		TEST(who_released_it_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
