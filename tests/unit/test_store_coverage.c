/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage, and who reads it beside whoever writes. */
#include <errno.h>
#include <math.h>

#include "mine_fixture.h"

static void coverage_is_kept(void **state)
{
	struct store_coverage c = { .at = NOW,
				    .units = 12,
				    .is_known = true,
				    .coverage = 0.97,
				    .low = 0.93,
				    .high = 0.99,
				    .next_hour = 0.25 },
			      back;

	fill();
	assert_int_equal(store_coverage_get(st, web, &back), -ENOENT);
	for (int n = 0; n < 2; n++, c.units++, c.next_hour = -1) {
		IN_TRANSACTION assert_stored(store_coverage_set(st, web, &c));
		assert_stored(store_coverage_get(st, web, &back));
		assert_int_equal(back.at, NOW);
		assert_int_equal(back.units, c.units);
		assert_true(back.is_known);
		assert_true(back.coverage == 0.97 && back.low == 0.93 && back.high == 0.99);
		assert_true(back.next_hour == c.next_hour);
	}
	IN_TRANSACTION
	{
		c.coverage = 1.5;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
		c.coverage = (double)NAN;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
		c.coverage = 0;
		c.next_hour = (double)INFINITY;
		assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
	}
	spoil_db("UPDATE coverage SET low = -0.1");
	assert_int_equal(store_coverage_get(st, web, &back), -EUCLEAN);
	spoil_db("UPDATE coverage SET low = 0, units = -1");
	assert_int_equal(store_coverage_get(st, web, &back), -EUCLEAN);
}

/* `tamis list` and `tamis show` read beside whoever writes. */
static void readers_may_read_it(void **state)
{
	const struct store_coverage c = { .at = NOW, .coverage = 0.5, .high = 1 };
	struct store_coverage back;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_DONE);
		add_calls(add_instance("a", web, NOW), add_test(run, NOW, "t"), TAMIS_WORKLOAD,
			  SET(1), NOW);
		assert_stored(store_coverage_set(st, web, &c));
	}
	store_close(st);
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_int_equal(units_of(web, run), 1);
	assert_stored(store_coverage_get(st, web, &back));
	assert_int_equal(store_coverage_set(st, web, &c), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(coverage_is_kept),
		TEST(readers_may_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
