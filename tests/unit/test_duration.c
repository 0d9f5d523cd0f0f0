/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *text;
	int r;
	int64_t seconds;
} rows[] = {
	{ "0s", 0, 0 },
	{ "90s", 0, 90 },
	{ "15m", 0, 900 },
	{ "12h", 0, 43200 },
	{ "30d", 0, 2592000 },
	{ "2w", 0, 1209600 },
	{ "36500d", 0, 3153600000 },
	{ "36501d", -ERANGE, 0 },
	{ "5215w", -ERANGE, 0 },
	{ "18446744073709551616s", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "d", -EINVAL, 0 },
	{ "30", -EINVAL, 0 },
	{ "30D", -EINVAL, 0 },
	{ "30y", -EINVAL, 0 },
	{ "3 d", -EINVAL, 0 },
	{ " 3d", -EINVAL, 0 },
	{ "-3d", -EINVAL, 0 },
	{ "+3d", -EINVAL, 0 },
	{ "1.5d", -EINVAL, 0 },
	{ "1d12h", -EINVAL, 0 },
	{ "0x1d", -EINVAL, 0 },
};

static void number_and_unit(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t seconds = 7;

		assert_int_equal(duration_parse(rows[i].text, &seconds), rows[i].r);
		assert_int_equal(seconds, rows[i].r == 0 ? rows[i].seconds : 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(number_and_unit) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
