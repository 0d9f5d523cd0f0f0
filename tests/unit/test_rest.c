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
	bool rests, filtered;
	int error; /* of the next change */
	unsigned changes;
} kernel;

int sensor_rest(struct sensor *s, bool rest)
{
	if (kernel.rests == rest)
		return 0;
	if (kernel.error)
		return kernel.error;
	kernel.rests = rest;
	kernel.changes++;
	return 0;
}

bool sensor_rests(const struct sensor *s)
{
	return kernel.rests;
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
	return kernel.rests;
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
		assert_int_equal(kernel.rests, resting);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
