/* SPDX-License-Identifier: Apache-2.0 */
/* Naps in the store, by hours and days, and who ran meanwhile. */
#include <errno.h>
#include <stdlib.h>

#include "policy/mines.h"
#include "store_fixture.h"

#define HOUR 3600
#define DAY  86400
#define T    (NOW / DAY * DAY) /* a midnight */

static void add_nap(int64_t began, int64_t ended, int64_t slept_ms)
{
	const struct nap nap = { began, ended, slept_ms };

	IN_TRANSACTION
	assert_stored(store_nap_add(st, &nap));
}

static void assert_naps(const struct nap *nap, size_t cnt)
{
	_naps_ struct naps is = { 0 };

	assert_stored(store_naps(st, &is));
	assert_int_equal(is.cnt, cnt);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(is.nap[i].began, nap[i].began);
		assert_int_equal(is.nap[i].ended, nap[i].ended);
		assert_int_equal(is.nap[i].slept_ms, nap[i].slept_ms);
	}
}

static void those_of_an_hour_are_one(void **state)
{
	static const struct nap first[] = { { T + 10, T + 20, 9500 } };
	static const struct nap more[] = { { T + 10, T + 3601, 19500 },
					   { T + 3620, T + 3640, 20000 } };

	assert_naps(NULL, 0);
	add_nap(T + 10, T + 20, 9500);
	assert_naps(first, 1);
	add_nap(T + 30, T + 35, 5000);
	add_nap(T + 3596, T + 3601, 5000); /* by its beginning */
	add_nap(T + 3620, T + 3640, 20000);
	assert_naps(more, 2);
}

static void a_clock_that_goes_back_loses_none(void **state)
{
	static const struct nap naps[] = { { T + 5, T + 10, 5000 }, { T + 50, T + 60, 10000 } };

	add_nap(T + 50, T + 60, 10000);
	add_nap(T + 5, T + 10, 5000);
	assert_naps(naps, 2);
}

static void old_ones_are_one_a_day(void **state)
{
	static const struct nap naps[] = {
		{ T + 100, T + 5 * HOUR + 100, 500000 }, /* the first day */
		{ T + DAY, T + DAY + 4 * HOUR + 100, 500000 },
		{ T + 2 * DAY, T + 2 * DAY + 100, 100000 }, /* less than eight days ago */
		{ T + 2 * DAY + HOUR, T + 2 * DAY + HOUR + 100, 100000 },
		{ T + 10 * DAY, T + 10 * DAY + 60, 60000 },
	};

	for (int h = 0; h < 5; h++)
		add_nap(T + 100 + (h ? h * HOUR : 0), T + (h + 1) * HOUR + 100, 100000);
	for (int h = 0; h < 5; h++)
		add_nap(T + DAY + h * HOUR, T + DAY + h * HOUR + 100, 100000);
	for (int h = 0; h < 2; h++)
		add_nap(T + 2 * DAY + h * HOUR, T + 2 * DAY + h * HOUR + 100, 100000);
	add_nap(T + 10 * DAY, T + 10 * DAY + 20, 20000);
	add_nap(T + 10 * DAY + 20, T + 10 * DAY + 60, 40000); /* again: the same */
	assert_naps(naps, ARRAY_SIZE(naps));
}

static void what_is_no_nap_is_refused(void **state)
{
	static const struct nap odd[] = { { T, T - 1, 0 }, { T, T, -1 } };

	assert_int_equal(store_nap_add(st, &odd[0]), -EINVAL); /* outside of a transaction */
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		IN_TRANSACTION
		assert_int_equal(store_nap_add(st, &odd[i]), -EINVAL);
	}
	assert_naps(NULL, 0);
}

static void lives_are_what_ran(void **state)
{
	_free_ struct store_life *life = NULL;
	int64_t w = 0, other = 0;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/a", NULL);
		other = add_workload("podman/b", NULL);
		add_instance("later", w, T + 100);
		add_instance("gone", w, T);
		end_instance("gone", w, T + 50);
		add_instance("others", other, T);
	}
	assert_stored(store_lives(st, w, T + 500, &life, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(life[0].began, T);
	assert_int_equal(life[0].ended, T + 50);
	assert_int_equal(life[1].began, T + 100);
	assert_int_equal(life[1].ended, T + 500);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_of_an_hour_are_one), TEST(a_clock_that_goes_back_loses_none),
		TEST(old_ones_are_one_a_day),	TEST(what_is_no_nap_is_refused),
		TEST(lives_are_what_ran),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
