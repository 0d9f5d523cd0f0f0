/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's table: which step follows which, and that production always comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/oracle.h"

#define NOW	INT64_C(1700000000000)
#define BEFORE	(NOW - 5000)
#define ACTION	(ORACLE_ACTION_S * 1000)
#define WINDOW	(ORACLE_WINDOW_S * 1000)
#define BACKOFF (ORACLE_BACKOFF_S * 1000)

static struct store_oracle in_state(enum oracle_state s)
{
	return (struct store_oracle){
		.state = s,
		.since = BEFORE,
		.deadline = BEFORE + 1,
		.tries = 1,
		.window_s = ORACLE_WINDOW_S,
		.per_hour = ORACLE_PER_HOUR,
	};
}

static const char *const state_text[] = { "watch",  "stop",  "twin",  "window",
					  "untwin", "judge", "start", "rest" };
static const char *const event_text[] = { "denied",	"done",	    "failed",  "time",
					  "twin ended", "replayed", "resumed", "died" };
enum { EVENTS = ARRAY_SIZE(event_text) };

static void each_state_and_event(void **state)
{
	enum { _ = -1 }; /* stays, and nothing is to be done */
	/* of the first attempt */
	static const int next[ORACLE_STATE_MAX][EVENTS] = {
		/*                denied, done, failed, time, twin ended, replayed, resumed, died */
		[ORACLE_WATCH] = { ORACLE_STOP, _, _, _, _, _, _, ORACLE_START },
		[ORACLE_STOP] = { _, ORACLE_TWIN, ORACLE_STOP, ORACLE_STOP, _, _, ORACLE_STOP, _ },
		[ORACLE_TWIN] = { _, ORACLE_WINDOW, ORACLE_TWIN, ORACLE_TWIN, _, _, ORACLE_TWIN,
				  _ },
		[ORACLE_WINDOW] = { _, _, ORACLE_UNTWIN, ORACLE_UNTWIN, ORACLE_UNTWIN,
				    ORACLE_UNTWIN, ORACLE_WINDOW, _ },
		[ORACLE_UNTWIN] = { _, ORACLE_JUDGE, ORACLE_UNTWIN, ORACLE_UNTWIN, _, _,
				    ORACLE_UNTWIN, _ },
		[ORACLE_JUDGE] = { _, ORACLE_START, ORACLE_JUDGE, ORACLE_JUDGE, _, _, ORACLE_JUDGE,
				   _ },
		[ORACLE_START] = { _, ORACLE_WATCH, ORACLE_START, ORACLE_START, _, _, ORACLE_START,
				   _ },
		[ORACLE_REST] = { _, _, _, ORACLE_WATCH, _, _, _, _ },
	};

	for (int s = 0; s < ORACLE_STATE_MAX; s++) {
		for (int e = 0; e < EVENTS; e++) {
			struct store_oracle o = in_state((enum oracle_state)s);
			int r = oracle_step(&o, (enum oracle_event)e, 0, NOW);

			if (r != (next[s][e] != _) || (int)o.state != (r ? next[s][e] : s))
				fail_msg("%s in %s: %d, %s", event_text[e], state_text[s], r,
					 state_text[o.state]);
			free(o.why);
		}
	}
}

static void deadlines(void **state)
{
	static const struct {
		enum oracle_state from;
		enum oracle_event e;
		int64_t deadline; /* after now; 0: none */
		bool since_now;
	} rows[] = {
		{ ORACLE_WATCH, ORACLE_EV_DENIED, ACTION, true },
		/* it waits, and what was refused to it before counts */
		{ ORACLE_WATCH, ORACLE_EV_DIED, ORACLE_BACKOFF_S * 1000, false },
		{ ORACLE_STOP, ORACLE_EV_DONE, ACTION, true },
		{ ORACLE_STOP, ORACLE_EV_FAILED, ACTION, false },
		{ ORACLE_TWIN, ORACLE_EV_DONE, WINDOW, true },
		{ ORACLE_WINDOW, ORACLE_EV_RESUMED, WINDOW, false },
		{ ORACLE_WINDOW, ORACLE_EV_TIME, ACTION, true },
		{ ORACLE_JUDGE, ORACLE_EV_DONE, ACTION, true },
		/* production runs since it was started */
		{ ORACLE_START, ORACLE_EV_DONE, 0, false },
		{ ORACLE_REST, ORACLE_EV_TIME, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_oracle o = in_state(rows[i].from);

		assert_int_equal(oracle_step(&o, rows[i].e, 0, NOW), 1);
		assert_int_equal(o.deadline, rows[i].deadline ? NOW + rows[i].deadline : 0);
		assert_int_equal(o.since, rows[i].since_now ? NOW : BEFORE);
	}
}

/* Each time in a row later, and started in the end. */
static void what_died_waits_longer_each_time(void **state)
{
	struct store_oracle o = in_state(ORACLE_WATCH);
	int64_t now = NOW, waits = 0;

	for (unsigned n = 1; n < 12; n++) {
		assert_int_equal(oracle_step(&o, ORACLE_EV_DIED, 0, now), 1);
		assert_int_equal(o.tries, 0);
		assert_int_equal(o.failures, n);
		assert_true(o.deadline - now > waits || o.deadline - now == 600000);
		waits = o.deadline - now;
		now = o.deadline;
		assert_int_equal(oracle_step(&o, ORACLE_EV_TIME, 0, now), 1);
		assert_int_equal(o.tries, 1);
		assert_int_equal(oracle_step(&o, ORACLE_EV_DONE, 0, now), 1);
		assert_int_equal(o.state, ORACLE_REST);
		now = o.deadline;
		assert_int_equal(oracle_step(&o, ORACLE_EV_TIME, 0, now), 1);
		assert_int_equal(o.state, ORACLE_WATCH);
		assert_int_equal(o.since, BEFORE);
	}
	assert_int_equal(waits, 600000);
	free(o.why);
}

static void a_loop_counts_and_the_cap_holds(void **state)
{
	struct store_oracle o = in_state(ORACLE_WATCH);

	o.per_hour = 2;
	assert_int_equal(oracle_step(&o, ORACLE_EV_DENIED, 1, NOW), 1);
	assert_int_equal(o.state, ORACLE_STOP);
	assert_int_equal(o.loops, 1);
	o = in_state(ORACLE_WATCH);
	o.per_hour = 2;
	assert_int_equal(oracle_step(&o, ORACLE_EV_DENIED, 2, NOW), 1);
	assert_int_equal(o.state, ORACLE_REST);
	assert_int_equal(o.loops, 0);
	assert_int_equal(o.deadline, NOW + ORACLE_BACKOFF_MAX_S * 1000);
	assert_non_null(strstr(o.why, "2 loops within an hour"));
	free(o.why);
}

/* Each action fails for good; how often it is tried, and where that leads. */
static void what_fails_for_good_ends_with_production(void **state)
{
	static const struct {
		enum oracle_state s, then;
		uint32_t failures;
		const char *why;
	} rows[] = {
		{ ORACLE_STOP, ORACLE_START, 1, "production didn't stop" },
		/* what there is of it has to go, and the verdict is that it wasn't up */
		{ ORACLE_TWIN, ORACLE_UNTWIN, 0, "the twin didn't start" },
		{ ORACLE_UNTWIN, ORACLE_START, 1, "the twin didn't stop" },
		{ ORACLE_JUDGE, ORACLE_START, 1, "the verdict couldn't be stored" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_oracle o = in_state(rows[i].s);

		for (unsigned n = 1; n < ORACLE_TRIES; n++) {
			assert_int_equal(oracle_step(&o, ORACLE_EV_FAILED, 0, NOW), 1);
			assert_int_equal(o.state, rows[i].s);
			assert_int_equal(o.tries, n + 1);
		}
		assert_int_equal(oracle_step(&o, ORACLE_EV_TIME, 0, NOW), 1);
		if (o.state != rows[i].then || o.failures != rows[i].failures || o.tries != 1 ||
		    !strstr(o.why, rows[i].why))
			fail_msg("%s: %s, %u failures: %s", state_text[rows[i].s],
				 state_text[o.state], o.failures, o.why);
		free(o.why);
	}
}

static void a_start_is_never_given_up(void **state)
{
	struct store_oracle o = in_state(ORACLE_START);
	int64_t now = NOW, last = 0;

	for (int round = 0; round < 12; round++) {
		for (int n = 0; n < ORACLE_TRIES; n++) {
			assert_int_equal(o.tries, n + 1);
			assert_int_equal(oracle_step(&o, ORACLE_EV_FAILED, 0, now), 1);
		}
		assert_int_equal(o.state, ORACLE_START);
		assert_int_equal(o.tries, 0);
		assert_int_equal(o.failures, round + 1);
		assert_true(o.deadline - now >= last);
		last = o.deadline - now;
		/* it waits: a daemon that begins waits too */
		assert_int_equal(oracle_step(&o, ORACLE_EV_RESUMED, 0, now), 0);
		now = o.deadline;
		assert_int_equal(oracle_step(&o, ORACLE_EV_TIME, 0, now), 1);
	}
	assert_int_equal(last, ORACLE_BACKOFF_MAX_S * 1000);
	/* ... and then it rests as long as it had failed before */
	assert_int_equal(oracle_step(&o, ORACLE_EV_DONE, 0, now), 1);
	assert_int_equal(o.state, ORACLE_REST);
	assert_int_equal(o.deadline, now + ORACLE_BACKOFF_MAX_S * 1000);
	free(o.why);
}

static void loops_without_a_verdict_back_off(void **state)
{
	static const int64_t waits[] = { 0, 5, 10, 20, 40, 80, 160, 320, 600, 600 };

	for (uint32_t n = 0; n < ARRAY_SIZE(waits); n++) {
		struct store_oracle o = in_state(ORACLE_START);

		o.failures = n;
		assert_int_equal(oracle_step(&o, ORACLE_EV_DONE, 0, NOW), 1);
		assert_int_equal(o.state, n ? ORACLE_REST : ORACLE_WATCH);
		assert_int_equal(o.deadline, n ? NOW + waits[n] * 1000 : 0);
	}
}

/* Whatever happens in whatever order: from every state production is started within some steps, when
 * what is left to happen is time. */
static void time_alone_brings_production_back(void **state)
{
	for (unsigned seed = 0; seed < 20000; seed++) {
		struct store_oracle o = in_state(ORACLE_WATCH);
		unsigned random = seed * 2654435761u + 1;
		int64_t now = NOW;

		for (int i = 0; i < 30; i++) {
			random = random * 1103515245 + 12345;
			(void)oracle_step(&o, (enum oracle_event)(random >> 16) % EVENTS, 0, now++);
			if (o.state != ORACLE_WATCH && o.deadline <= 0)
				fail_msg("seed %u: %s waits for nothing", seed,
					 state_text[o.state]);
		}
		for (int i = 0; o.state != ORACLE_START && o.state != ORACLE_WATCH; i++) {
			now = o.deadline;
			assert_int_equal(oracle_step(&o, ORACLE_EV_TIME, 0, now), 1);
			assert_true(i < 20);
		}
		free(o.why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_and_event),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(a_loop_counts_and_the_cap_holds),
		cmocka_unit_test(what_died_waits_longer_each_time),
		cmocka_unit_test(what_fails_for_good_ends_with_production),
		cmocka_unit_test(a_start_is_never_given_up),
		cmocka_unit_test(loops_without_a_verdict_back_off),
		cmocka_unit_test(time_alone_brings_production_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
