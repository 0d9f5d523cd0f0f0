/* SPDX-License-Identifier: Apache-2.0 */
/* What minimising decided. */
#include <errno.h>

#include "mine_fixture.h"

static void what_was_decided_is_kept(void **state)
{
	struct store_minimised m[] = {
		{ TAMIS_ABI_I386, 5, 1, 0, "t3" },
		{ TAMIS_ABI_X86_64, 99, 0, 0, NULL },
		{ TAMIS_ABI_X86_64, 2, 3, EPERM, NULL },
	};
	struct store_minimised *list = NULL;
	size_t cnt = 0;
	int64_t run;

	fill();
	IN_TRANSACTION
	{
		run = add_run(web, NOW, STORE_MINE_MINIMISING);
		for (size_t i = 0; i < ARRAY_SIZE(m); i++)
			assert_stored(store_minimised_set(st, run, &m[i]));
		m[1].state = 3;
		m[1].errno_ret = ENOSYS;
		assert_stored(store_minimised_set(st, run, &m[1]));
		assert_int_equal(store_minimised_set(st, run + 1, &m[1]), -EINVAL);
	}
	assert_stored(store_minimised(st, run, &list, &cnt));
	assert_int_equal(cnt, 3);
	assert_int_equal(list[0].nr, 2);
	assert_int_equal(list[0].errno_ret, EPERM);
	assert_int_equal(list[1].nr, 99);
	assert_int_equal(list[1].state, 3);
	assert_int_equal(list[1].errno_ret, ENOSYS);
	assert_null(list[1].why);
	assert_int_equal(list[2].abi, TAMIS_ABI_I386);
	assert_string_equal(list[2].why, "t3");
	store_minimised_free(list, cnt);
}

static void decided(int64_t run)
{
	const struct store_minimised m = { .abi = TAMIS_ABI_X86_64, .nr = 2, .state = 1 };

	assert_stored(store_minimised_set(st, run, &m));
}

/* The newest that decided anything, of the same workload and tests. */
static void minimising_goes_on_where_it_was(void **state)
{
	struct store_mine m;
	int64_t run[4];

	fill();
	assert_int_equal(store_mine_minimised(st, web, "sha256:aa", &m), -ENOENT);
	IN_TRANSACTION
	{
		run[0] = add_run(web, NOW, STORE_MINE_DONE);
		run[1] = add_run(web, NOW, STORE_MINE_STOPPED);
		run[2] = add_run(web, NOW, STORE_MINE_DONE);
		run[3] = add_run(other, NOW, STORE_MINE_DONE);
		decided(run[0]);
		decided(run[1]);
		decided(run[3]);
	}
	assert_stored(store_mine_minimised(st, web, "sha256:aa", &m));
	assert_int_equal(m.id, run[1]);
	store_mine_done(&m);
	assert_int_equal(store_mine_minimised(st, web, "sha256:bb", &m), -ENOENT);
	assert_int_equal(store_mine_minimised(st, web, NULL, &m), -ENOENT);
}

static void spoiled_decisions_are_refused(void **state)
{
	static const char *const spoils[] = {
		"UPDATE minimised SET abi = 5",	  "UPDATE minimised SET nr = 576",
		"UPDATE minimised SET state = 4", "UPDATE minimised SET errno = 13",
		"UPDATE minimised SET nr = -1",
	};
	const struct store_minimised m = { .nr = 1 };
	struct store_minimised *list;
	size_t cnt;
	int64_t run;

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		IN_TRANSACTION
		{
			run = add_run(web, NOW, STORE_MINE_MINIMISING);
			assert_stored(store_minimised_set(st, run, &m));
		}
		spoil_db(spoils[i]);
		assert_int_equal(store_minimised(st, run, &list, &cnt), -EUCLEAN);
		spoil_db("DELETE FROM minimised");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_decided_is_kept),
		TEST(minimising_goes_on_where_it_was),
		TEST(spoiled_decisions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
