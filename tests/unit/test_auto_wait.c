/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "learn/auto_wait.h"

static void images_have_to_stay_the_same(void **state)
{
	char *images[] = { (char *)"sha256:a", (char *)"sha256:b" };
	struct generation one = { .image = images, .image_cnt = 1 };
	struct generation two = { .image = images, .image_cnt = 2 };
	struct auto_wait w = { 0 };

	assert_false(auto_wait_is_over(&w, 1, &one, 60, 1000));
	assert_false(auto_wait_is_over(&w, 1, &one, 60, 1059));
	assert_false(auto_wait_is_over(&w, 2, &one, 60, 1059)); /* each its own */
	assert_true(auto_wait_is_over(&w, 1, &one, 60, 1060));
	assert_false(auto_wait_is_over(&w, 1, &two, 60, 1061));
	assert_false(auto_wait_is_over(&w, 1, &two, 60, 1120));
	assert_true(auto_wait_is_over(&w, 1, &two, 60, 1121));
	assert_false(auto_wait_is_over(&w, 1, &two, 60, 900)); /* the clock was set back */
	assert_true(auto_wait_is_over(&w, 1, &two, 60, 960));
	auto_wait_forget(&w, 1);
	auto_wait_forget(&w, 3);
	assert_int_equal(w.cnt, 1);
	assert_false(auto_wait_is_over(&w, 1, &two, 60, 2000));
	assert_true(auto_wait_is_over(&w, 2, &one, 60, 2000));
	auto_wait_done(&w);
}

static void no_time_is_no_wait(void **state)
{
	struct generation g = { 0 };
	struct auto_wait w = { 0 };

	assert_true(auto_wait_is_over(&w, 1, &g, 0, 1000));
	auto_wait_done(&w);
}

/* "ab" and "c" aren't "a" and "bc". */
static void where_an_image_ends_counts(void **state)
{
	char *first[] = { (char *)"ab", (char *)"c" }, *second[] = { (char *)"a", (char *)"bc" };
	struct generation a = { .image = first, .image_cnt = 2 };
	struct generation b = { .image = second, .image_cnt = 2 };
	struct auto_wait w = { 0 };

	assert_false(auto_wait_is_over(&w, 1, &a, 60, 1000));
	assert_false(auto_wait_is_over(&w, 1, &b, 60, 1060));
	auto_wait_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_have_to_stay_the_same),
		cmocka_unit_test(no_time_is_no_wait),
		cmocka_unit_test(where_an_image_ends_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
