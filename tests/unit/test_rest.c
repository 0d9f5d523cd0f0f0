/* SPDX-License-Identifier: Apache-2.0 */
/* When the syscall program may rest, over a sensor that does as it is told. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "learn/rest.h"

static struct {
	enum tamis_rest rests;
	bool filtered;
	int error; /* of the next change */
	unsigned changes;
} kernel;

int sensor_rest(struct sensor *s, enum tamis_rest kind)
{
	if (kernel.rests == kind)
		return 0;
	if (kernel.error)
		return kernel.error;
	kernel.rests = kind;
	kernel.changes++;
	return 0;
}

bool sensor_rests(const struct sensor *s)
{
	return kernel.rests != TAMIS_AWAKE;
}

bool under_all_filtered(const struct under *u)
{
	return kernel.filtered;
}

static struct rest *rest;

static int begin(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	return rest_new(NULL, NULL, &rest);
}

static int end(void **state)
{
	rest_free(rest);
	return kernel.rests != TAMIS_AWAKE;
}

#define NO_CHANGE -1

/* What a look says: to what it changed. */
static void look(int64_t now_ms, int change)
{
	bool resting = false;
	int r = rest_look(rest, now_ms, &resting);

	assert_int_equal(r, change != NO_CHANGE);
	if (change != NO_CHANGE)
		assert_int_equal(resting, change);
	if (r == 1)
		assert_int_equal(kernel.rests != TAMIS_AWAKE, resting);
}

static void it_rests_when_all_are_filtered_and_nothing_begins(void **state)
{
	look(1000, NO_CHANGE);
	look(1000 + REST_QUIET_MS, NO_CHANGE);
	kernel.filtered = true;
	look(1000 + REST_QUIET_MS, 1);
	look(2000 + REST_QUIET_MS, NO_CHANGE);
	kernel.filtered = false;
	look(3000 + REST_QUIET_MS, 0);
	look(4000 + REST_QUIET_MS, NO_CHANGE);
	assert_int_equal(kernel.changes, 2);
}

static void a_daemon_that_begins_is_not_quiet_yet(void **state)
{
	kernel.filtered = true;
	look(100000, NO_CHANGE);
	look(100000 + REST_QUIET_MS - 1, NO_CHANGE);
	look(100000 + REST_QUIET_MS, 1);
}

static void it_wakes_with_what_is_made(void **state)
{
	kernel.filtered = true;
	look(0, NO_CHANGE);
	look(REST_QUIET_MS, 1);
	rest_wake(rest);
	assert_false(kernel.rests); /* at once */
	look(REST_QUIET_MS + 10, 0);
	look(2 * REST_QUIET_MS + 9, NO_CHANGE);
	rest_wake(rest); /* awake: quiet begins anew */
	look(2 * REST_QUIET_MS + 10, NO_CHANGE);
	look(3 * REST_QUIET_MS + 9, NO_CHANGE);
	look(3 * REST_QUIET_MS + 10, 1);
}

static void what_is_made_again_and_again_keeps_it_awake(void **state)
{
	kernel.filtered = true;
	for (int64_t now = 0; now < 20 * REST_QUIET_MS; now += REST_QUIET_MS / 2) {
		rest_wake(rest);
		look(now, NO_CHANGE);
	}
	assert_int_equal(kernel.changes, 0);
}

/* A wake that failed is tried by each look. */
static void a_failure_is_said_and_tried_again(void **state)
{
	bool resting = true;

	kernel.filtered = true;
	look(0, NO_CHANGE);
	kernel.error = -EBUSY;
	assert_int_equal(rest_look(rest, REST_QUIET_MS, &resting), -EBUSY);
	kernel.error = 0;
	look(REST_QUIET_MS, 1);
	kernel.error = -EMFILE;
	rest_wake(rest);
	assert_true(kernel.rests);
	assert_int_equal(rest_look(rest, REST_QUIET_MS + 1, &resting), -EMFILE);
	kernel.error = 0;
	look(REST_QUIET_MS + 2, 0);
}

static void a_clock_that_goes_back_only_delays(void **state)
{
	kernel.filtered = true;
	look(1000000, NO_CHANGE);
	look(0, NO_CHANGE);
	look(REST_QUIET_MS, 1);
}

static void its_end_is_awake(void **state)
{
	struct rest *other = NULL;
	bool resting;

	kernel.filtered = true;
	assert_int_equal(rest_new(NULL, NULL, &other), 0);
	assert_int_equal(rest_look(other, 0, &resting), 0);
	assert_int_equal(rest_look(other, REST_QUIET_MS, &resting), 1);
	assert_true(kernel.rests);
	rest_free(other);
	assert_false(kernel.rests);
	rest_free(NULL);
}

/* --- the duty cycle ---------------------------------------------------------------------- */

#define SAMPLE_MS 10000

/* A nap that begins at SAMPLE_MS. */
static void lie_down(void)
{
	rest_duty(rest, SAMPLE_MS, 5);
	rest_converged(rest, true);
	look(0, NO_CHANGE);
	look(SAMPLE_MS - 1, NO_CHANGE);
	look(SAMPLE_MS, 1);
	assert_int_equal(kernel.rests, TAMIS_NAPS);
	assert_true(rest_naps(rest));
}

static void without_a_cycle_it_never_naps(void **state)
{
	rest_converged(rest, true);
	for (int64_t now = 0; now < 100 * SAMPLE_MS; now += SAMPLE_MS)
		look(now, NO_CHANGE);
}

static void what_is_not_converged_is_watched(void **state)
{
	rest_duty(rest, SAMPLE_MS, 5);
	for (int64_t now = 0; now < 100 * SAMPLE_MS; now += SAMPLE_MS)
		look(now, NO_CHANGE);
	rest_converged(rest, true);
	look(100 * SAMPLE_MS, NO_CHANGE);
	look(101 * SAMPLE_MS, 1);
	rest_converged(rest, false);
	look(101 * SAMPLE_MS + 1, 0);
}

static void a_nap_ends_by_itself(void **state)
{
	lie_down();
	look(SAMPLE_MS + SAMPLE_MS / 2 - 1, NO_CHANGE);
	look(SAMPLE_MS + SAMPLE_MS * 3 / 2, 0);
	assert_false(rest_naps(rest));
}

static void a_nap_ends_at_once_with_what_is_made_or_executed(void **state)
{
	lie_down();
	rest_wake_nap(rest);
	assert_int_equal(kernel.rests, TAMIS_AWAKE);
	look(SAMPLE_MS + 1000, 0);
	look(2 * SAMPLE_MS + 999, NO_CHANGE);
	look(2 * SAMPLE_MS + 1000, 1);
	rest_wake(rest);
	assert_int_equal(kernel.rests, TAMIS_AWAKE);
}

static void news_end_a_nap_with_the_next_look(void **state)
{
	lie_down();
	rest_news(rest, false);
	look(SAMPLE_MS + 1, 0);
	look(2 * SAMPLE_MS + 1, 1); /* they are no news any more */
}

/* What is executed under a filter can't be anything that isn't learned already. */
static void an_exec_is_nothing_to_a_rest_under_filters(void **state)
{
	rest_duty(rest, SAMPLE_MS, 5);
	rest_converged(rest, true);
	kernel.filtered = true;
	look(0, NO_CHANGE);
	look(REST_QUIET_MS, 1);
	assert_int_equal(kernel.rests, TAMIS_RESTS);
	assert_false(rest_naps(rest));
	rest_wake_nap(rest);
	assert_int_equal(kernel.rests, TAMIS_RESTS);
	look(10 * SAMPLE_MS, NO_CHANGE);
	assert_int_equal(rest_napped(rest, 10 * SAMPLE_MS), 0);
	/* one without a filter is sampled first */
	kernel.filtered = false;
	look(10 * SAMPLE_MS + 1, 0);
	look(11 * SAMPLE_MS, NO_CHANGE);
	look(11 * SAMPLE_MS + 1, 1);
	assert_int_equal(kernel.rests, TAMIS_NAPS);
}

static void what_was_napped_is_counted_once(void **state)
{
	lie_down();
	assert_int_equal(rest_napped(rest, SAMPLE_MS), 0);
	look(SAMPLE_MS + 1000, NO_CHANGE);
	assert_int_equal(rest_napped(rest, SAMPLE_MS + 1500), 1500);
	assert_int_equal(rest_napped(rest, SAMPLE_MS + 1500), 0);
	rest_wake_nap(rest); /* until the look that sees it */
	look(SAMPLE_MS + 2500, 0);
	look(SAMPLE_MS + 3500, NO_CHANGE);
	assert_int_equal(rest_napped(rest, SAMPLE_MS + 3500), 1000);
}

/* A program that can't be attached goes on napping, whatever was wanted. */
static void a_nap_that_cant_be_ended_counts_on(void **state)
{
	bool resting;

	lie_down();
	kernel.error = -EMFILE;
	rest_wake_nap(rest);
	assert_int_equal(rest_look(rest, SAMPLE_MS + 1000, &resting), -EMFILE);
	assert_int_equal(rest_look(rest, SAMPLE_MS + 2000, &resting), -EMFILE);
	assert_true(rest_naps(rest));
	kernel.error = 0;
	look(SAMPLE_MS + 3000, 0);
	assert_int_equal(rest_napped(rest, SAMPLE_MS + 9000), 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_rests_when_all_are_filtered_and_nothing_begins),
		TEST(a_daemon_that_begins_is_not_quiet_yet),
		TEST(it_wakes_with_what_is_made),
		TEST(what_is_made_again_and_again_keeps_it_awake),
		TEST(a_failure_is_said_and_tried_again),
		TEST(a_clock_that_goes_back_only_delays),
		TEST(its_end_is_awake),
		TEST(without_a_cycle_it_never_naps),
		TEST(what_is_not_converged_is_watched),
		TEST(a_nap_ends_by_itself),
		TEST(a_nap_ends_at_once_with_what_is_made_or_executed),
		TEST(news_end_a_nap_with_the_next_look),
		TEST(an_exec_is_nothing_to_a_rest_under_filters),
		TEST(what_was_napped_is_counted_once),
		TEST(a_nap_that_cant_be_ended_counts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
