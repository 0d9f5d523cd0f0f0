/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/learned.h"

static void partial(void **state)
{
	static const struct {
		struct evidence e;
		bool partial;
	} rows[] = {
		{ { 0 }, true },
		{ { .starts = 1 }, false },
		{ { .starts = 0, .units = 1000 }, true },
		{ { .starts = 3, .lost_full = 1 }, true },
		{ { .starts = 3, .lost_gaps = 1 }, true },
		/* None of these can have hidden a call that a policy could name. */
		{ { .starts = 3, .lost_range = 9, .lost_ring = 9, .lost_task = 9 }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(evidence_is_partial(&rows[i].e), rows[i].partial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
