/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads that are long gone go, with all that belongs to them. */
#include <errno.h>

#include "store_fixture.h"

static const struct {
	const char *key;
	bool running;
	int64_t called; /* 0: never */
	int64_t went;
	bool goes; /* pruned before NOW */
} olds[] = {
	{ "runs", true, NOW - 100, 0, false },
	{ "called-before", false, NOW - 100, NOW - 90, true },
	{ "went-later", false, NOW - 100, NOW + 5, false },
	{ "called-later", false, NOW, NOW - 90, false },
	{ "never-called", false, 0, NOW - 1, true },
	{ "just-went", false, 0, NOW, false },
};

static void show_olds(void)
{
	int64_t u = add_unit(NOW - 200);

	for (size_t n = 0; n < ARRAY_SIZE(olds); n++) {
		int64_t id = 0, w, i;

		assert_stored(store_workload(st, &(struct store_workload){ .key = olds[n].key },
					     NOW - 200, &w));
		i = add_instance(olds[n].key, w, NOW - 200);
		if (olds[n].called)
			add_calls(i, u, TAMIS_WORKLOAD, SET(1), olds[n].called);
		if (!olds[n].running)
			end_instance(olds[n].key, w, olds[n].went);
		assert_stored(store_workload(st, &(struct store_workload){ .key = olds[n].key },
					     NOW, &id));
	}
}

static void hear(void *ctx, const char *key)
{
	strcat(ctx, key);
	strcat(ctx, " ");
}

static uint64_t prune_gone(int64_t before)
{
	const struct store_prune what = { .gone_before = before };
	struct store_pruned pruned = { 77, 77 };

	assert_stored(store_prune(st, &what, NULL, NULL, &pruned));
	assert_int_equal(pruned.units, 0);
	return pruned.workloads;
}

static void those_long_gone_go(void **state)
{
	const struct store_prune what = { .gone_before = NOW };
	struct store_pruned pruned = { 0 };
	char heard[256] = "";

	IN_TRANSACTION show_olds();
	assert_int_equal(store_prune(st, &what, NULL, NULL, &pruned), -EINVAL);
	assert_stored(store_begin(st)); /* dry */
	assert_stored(store_prune(st, &what, hear, heard, &pruned));
	store_rollback(st);
	assert_int_equal(count_workloads(), ARRAY_SIZE(olds));
	IN_TRANSACTION assert_int_equal(prune_gone(NOW), pruned.workloads);
	assert_string_equal(heard, "called-before never-called ");
	for (size_t n = 0; n < ARRAY_SIZE(olds); n++)
		assert_int_equal(is_listed(olds[n].key), !olds[n].goes);
	assert_int_equal(broken_rule(), 0);
	IN_TRANSACTION assert_int_equal(prune_gone(NOW), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_long_gone_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
