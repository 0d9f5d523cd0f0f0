/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/naps.h"

/* A hundred seconds with ten slept, none, and a second all of it. */
static struct nap list[] = { { 1000, 1100, 10000 }, { 2000, 2000, 0 }, { 3000, 3001, 1000 } };

static void what_is_between_is_slept_in_its_part(void **state)
{
	static const struct {
		int64_t from, to, slept_ms;
	} rows[] = {
		{ 0, 1000, 0 },
		{ 0, 1100, 10000 },
		{ 1000, 1100, 10000 },
		{ 1000, 1050, 5000 },
		{ 1050, 1060, 1000 },
		{ 1099, 5000, 1100 },
		{ 1100, 3000, 0 },
		{ 0, 5000, 11000 },
		{ 3000, 3001, 1000 },
		{ 3001, 9000, 0 },
		{ 1060, 1060, 0 },
		{ 5000, 0, 0 },
		{ INT64_MIN, INT64_MAX, 11000 },
	};
	const struct naps naps = { list, 3 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (naps_slept(&naps, rows[i].from, rows[i].to) != rows[i].slept_ms)
			fail_msg("row %zu: %lld", i,
				 (long long)naps_slept(&naps, rows[i].from, rows[i].to));
}

/* What was stored under a clock that was set back, or by hand. */
static void no_more_is_slept_than_there_was_time(void **state)
{
	struct nap odd[] = { { 100, 110, 50000 }, { 200, 150, 1000 } };
	const struct naps naps = { odd, 2 };

	assert_int_equal(naps_slept(&naps, 0, 1000), 10000);
	assert_int_equal(naps_slept(&naps, 100, 105), 5000);
}

static void without_naps_nothing_is_slept(void **state)
{
	struct naps none = { 0 };

	assert_int_equal(naps_slept(&none, 0, 1000), 0);
	none.nap = malloc(sizeof(*none.nap));
	none.cnt = 1;
	naps_done(&none);
	assert_null(none.nap);
	assert_int_equal(none.cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_between_is_slept_in_its_part),
		cmocka_unit_test(no_more_is_slept_than_there_was_time),
		cmocka_unit_test(without_naps_nothing_is_slept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
