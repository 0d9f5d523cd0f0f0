/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include "learn/unattributed.h"

static void add(uint64_t more)
{
	assert_stored(store_begin(st));
	assert_stored(unattributed_add(st, more));
	assert_stored(store_commit(st));
}

static void they_add_up(void **state)
{
	uint64_t n = 1;

	assert_stored(unattributed_get(st, &n));
	assert_int_equal(n, 0);
	add(3);
	add(4);
	assert_stored(unattributed_get(st, &n));
	assert_int_equal(n, 7);
	add(UINT64_MAX);
	assert_stored(unattributed_get(st, &n));
	assert_true(n == UINT64_MAX);
}

static void what_is_taken_back_is_not_counted(void **state)
{
	uint64_t n;

	add(3);
	assert_stored(store_begin(st));
	assert_stored(unattributed_add(st, 1));
	store_rollback(st);
	assert_stored(unattributed_get(st, &n));
	assert_int_equal(n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(they_add_up, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(what_is_taken_back_is_not_counted, open_store,
						drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
