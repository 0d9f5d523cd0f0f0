/* SPDX-License-Identifier: Apache-2.0 */
/* The duty cycle, step by step: a second's sample, ten per cent of the time at the least. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "learn/duty.h"

#define S      1000
#define MIDDLE 0x80000000u /* as long as it is on average */

enum { KNOWN = 1, NEWS = 2, STARTED = 4, WOKEN = 8 };

static struct duty duty;

static bool step(int64_t ms, unsigned flags, uint32_t random)
{
	const struct duty_now now = {
		.ms = ms,
		.converged = flags & KNOWN,
		.news = flags & NEWS,
		.started = flags & STARTED,
		.woken = flags & WOKEN,
		.random = random,
	};

	return duty_step(&duty, &now);
}

struct row {
	int64_t ms;
	unsigned flags;
	bool rests;
};

static void assert_steps(const struct row *row, size_t cnt)
{
	duty_init(&duty, S, 10);
	for (size_t i = 0; i < cnt; i++)
		if (step(row[i].ms, row[i].flags, MIDDLE) != row[i].rests)
			fail_msg("row %zu, at %lld ms", i, (long long)row[i].ms);
}

#define ASSERT_STEPS(rows) assert_steps(rows, sizeof(rows) / sizeof((rows)[0]))

static void rests_are_twice_as_long_each_up_to_the_longest(void **state)
{
	static const struct row rows[] = {
		{ 0, KNOWN, false },	{ 999, KNOWN, false },	 { 1000, KNOWN, true },
		{ 1999, KNOWN, true },	{ 2000, KNOWN, false },	 { 3000, KNOWN, true },	 /* 2 s */
		{ 4999, KNOWN, true },	{ 5000, KNOWN, false },	 { 6000, KNOWN, true },	 /* 4 s */
		{ 9999, KNOWN, true },	{ 10000, KNOWN, false }, { 11000, KNOWN, true }, /* 8 s */
		{ 18999, KNOWN, true }, { 19000, KNOWN, false }, { 20000, KNOWN, true }, /* 9 s */
		{ 28999, KNOWN, true }, { 29000, KNOWN, false }, { 30000, KNOWN, true },
		{ 38999, KNOWN, true }, { 39000, KNOWN, false },
	};

	ASSERT_STEPS(rows);
}

static void what_is_not_known_is_watched_all_the_time(void **state)
{
	static const struct row rows[] = {
		{ 0, 0, false },	  { 100000, 0, false },	    { 100001, KNOWN, false },
		{ 101001, KNOWN, true },  { 102001, KNOWN, false }, { 103001, KNOWN, true },
		{ 103002, 0, false }, /* in a rest, at once */
		{ 200000, KNOWN, false }, { 201000, KNOWN, true },  { 202000, KNOWN, false },
	};

	ASSERT_STEPS(rows);
}

static void news_end_a_rest_and_make_the_next_one_short(void **state)
{
	static const struct row rows[] = {
		{ 0, KNOWN, false },
		{ 1000, KNOWN, true },
		{ 2000, KNOWN, false },
		{ 3000, KNOWN, true }, /* 2 s */
		{ 5000, KNOWN, false },
		{ 6000, KNOWN, true },	       /* 4 s */
		{ 6001, KNOWN | NEWS, false }, /* a whole sample from there */
		{ 7000, KNOWN, false },
		{ 7001, KNOWN, true }, /* 1 s */
		{ 8001, KNOWN, false },
		{ 8901, KNOWN | NEWS, false }, /* in a sample: as long again from there */
		{ 9001, KNOWN, false },
		{ 9900, KNOWN, false },
		{ 9901, KNOWN, true },
		{ 10901, KNOWN, false }, /* 1 s */
	};

	ASSERT_STEPS(rows);
}

static void a_start_is_watched_for_longer(void **state)
{
	static const struct row rows[] = {
		{ 0, KNOWN, false },
		{ 1000, KNOWN, true },
		{ 1500, KNOWN | STARTED | NEWS, false },
		{ 1500 + DUTY_START * S - 1, KNOWN, false },
		{ 1500 + DUTY_START * S, KNOWN, true },
		{ 2500 + DUTY_START * S, KNOWN, false },
	};

	ASSERT_STEPS(rows);
}

/* Whatever it was that woke it, a rest isn't gone on with. */
static void a_wake_begins_a_sample_and_changes_no_rest(void **state)
{
	static const struct row rows[] = {
		{ 0, KNOWN, false },
		{ 1000, KNOWN, true },
		{ 2000, KNOWN, false },
		{ 3000, KNOWN, true }, /* 2 s */
		{ 3500, KNOWN | WOKEN, false },
		{ 3500 + DUTY_WAKE_MS - 1, KNOWN, false }, /* a second is too short for it */
		{ 3500 + DUTY_WAKE_MS, KNOWN, true },	   /* 4 s */
		{ 7499 + DUTY_WAKE_MS, KNOWN, true },
		{ 7500 + DUTY_WAKE_MS, KNOWN, false },
		{ 8499 + DUTY_WAKE_MS, KNOWN | WOKEN, false }, /* in a sample */
		{ 8498 + 2 * DUTY_WAKE_MS, KNOWN, false },
		{ 8499 + 2 * DUTY_WAKE_MS, KNOWN, true },
	};

	ASSERT_STEPS(rows);
}

static void a_clock_that_goes_back_begins_a_sample(void **state)
{
	static const struct row rows[] = {
		{ 50000, KNOWN, false }, { 51000, KNOWN, true }, { 100, KNOWN, false },
		{ 1099, KNOWN, false },	 { 1100, KNOWN, true },	 { 500, KNOWN, false },
		{ 1499, KNOWN, false },	 { 1500, KNOWN, true },
	};

	ASSERT_STEPS(rows);
}

/* Of average length, whatever chance says, and never so regular that a timer could hide in it. */
static void chance_makes_rests_longer_and_shorter(void **state)
{
	static const struct {
		uint32_t random;
		int64_t ms;
	} rows[] = { { 0, 500 }, { MIDDLE, 1000 }, { 0xffffffff, 1499 }, { 0x40000000, 750 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		duty_init(&duty, S, 10);
		assert_false(step(0, KNOWN, 0));
		assert_true(step(S, KNOWN, rows[i].random));
		assert_true(step(S + rows[i].ms - 1, KNOWN, 0));
		assert_false(step(S + rows[i].ms, KNOWN, 0));
	}
}

/* What part of a day or two it watched, a tenth of a second at a time. */
static double watched(unsigned percent, uint32_t *x)
{
	unsigned awake = 0;

	duty_init(&duty, 10 * S, percent);
	for (int64_t t = 0; t < 2000000; t++) {
		*x = *x * 1664525 + 1013904223;
		awake += !step(t * S / 10, KNOWN, *x);
	}
	return awake / 2000000.0;
}

static void the_least_share_is_kept(void **state)
{
	static const unsigned percent[] = { 1, 2, 5, 20, 50, 80, 99 };
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(percent) / sizeof(percent[0]); i++) {
		double share = watched(percent[i], &x);

		if (share < percent[i] / 100.0 * 0.97)
			fail_msg("%u %%: %f", percent[i], share);
		/* and there is a point in it */
		if (percent[i] <= 20 && share > percent[i] / 100.0 * 1.2)
			fail_msg("%u %%: %f", percent[i], share);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests_are_twice_as_long_each_up_to_the_longest),
		cmocka_unit_test(what_is_not_known_is_watched_all_the_time),
		cmocka_unit_test(news_end_a_rest_and_make_the_next_one_short),
		cmocka_unit_test(a_start_is_watched_for_longer),
		cmocka_unit_test(a_wake_begins_a_sample_and_changes_no_rest),
		cmocka_unit_test(a_clock_that_goes_back_begins_a_sample),
		cmocka_unit_test(chance_makes_rests_longer_and_shorter),
		cmocka_unit_test(the_least_share_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
