/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else writes to the store, a drain must not undo. */
#include "observer_fixture.h"

static struct store *edit(void)
{
	struct store *s = NULL;

	assert_stored(store_open(state_dir, STORE_EDIT, &s));
	return s;
}

static void what_was_forgotten_stays_forgotten(void **state)
{
	struct store_row row;
	struct store *other;

	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-silent");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(100, TAMIS_WORKLOAD, 2);
	drain();
	row = row_of("cgroup/w-a");
	other = edit();
	assert_int_equal(store_begin(other), 0);
	assert_int_equal(store_forget_call(other, row.id, TAMIS_ABI_X86_64, 1), 0);
	assert_int_equal(store_commit(other), 0);
	store_close(other);
	kernel_call(100, TAMIS_WORKLOAD, 3);
	drain();
	assert_false(has_call("cgroup/w-a", TAMIS_WORKLOAD, 1));
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 3));
	assert_false(is_there("cgroup/w-silent"));
	assert_stored(observer_unit(watcher));
	kernel_call(100, TAMIS_WORKLOAD, 1); /* in a later unit it counts again */
	drain();
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 1));
	store_row_done(&row);
}

/* A daemon that starts again has the kernel's maps only, and these know everything. */
static void forgotten_also_by_the_next_daemon(void **state)
{
	struct store_row row;
	struct store *other;

	start();
	kernel_mkdir(100, "/w-a");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(100, TAMIS_WORKLOAD, 2);
	drain();
	row = row_of("cgroup/w-a");
	other = edit();
	assert_int_equal(store_begin(other), 0);
	assert_int_equal(store_forget_call(other, row.id, TAMIS_ABI_X86_64, 1), 0);
	assert_int_equal(store_commit(other), 0);
	store_close(other);
	for (int i = 0; i < 3; i++)
		assert_stored(observer_unit(watcher));
	observer_free(watcher);
	kernel.pinned = true;
	start();
	drain();
	assert_false(has_call("cgroup/w-a", TAMIS_WORKLOAD, 1));
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 2));
	store_row_done(&row);
}

static void a_merged_workload_learns_where_it_went(void **state)
{
	struct store_row a, b;
	struct store *other;

	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-b");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(101, TAMIS_WORKLOAD, 2);
	drain();
	a = row_of("cgroup/w-a");
	b = row_of("cgroup/w-b");
	other = edit();
	assert_int_equal(store_begin(other), 0);
	assert_int_equal(store_merge(other, a.id, &b.id, 1), 0);
	assert_int_equal(store_commit(other), 0);
	store_close(other);
	kernel_call(101, TAMIS_WORKLOAD, 3);
	kernel_started(101);
	drain();
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 2));
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 3));
	assert_row("cgroup/w-a", true, 1, 2);
	store_row_done(&a);
	store_row_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_forgotten_stays_forgotten),
		TEST(forgotten_also_by_the_next_daemon),
		TEST(a_merged_workload_learns_where_it_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
