/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups whose beginning or end was unheard, heard late, or whose id is used again. */
#include "observer_fixture.h"

#include "learn/unattributed.h"

/* The same number again, as a kernel without generations would have it: two lives, never one. */
static void an_id_that_comes_back_is_another_life(void **state)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_started(100);
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	kernel_mkdir(100, "/w-b"); /* nobody heard that the other one went */
	drain();
	assert_row("cgroup/w-a", false, 1, 1);
	assert_false(is_there("cgroup/w-b"));
	kernel_call(100, TAMIS_WORKLOAD, 2);
	drain();
	assert_row("cgroup/w-b", true, 0, 1);
	assert_false(has_call("cgroup/w-a", TAMIS_WORKLOAD, 2));
	assert_false(has_call("cgroup/w-b", TAMIS_WORKLOAD, 1));
	kernel_rmdir(100);
	kernel_mkdir(100, "/w-b"); /* and once more between two drains, at the same place */
	drain();
	kernel_call(100, TAMIS_WORKLOAD, 3);
	kernel_rmdir(100);
	drain();
	assert_row("cgroup/w-b", false, 0, 2);
}

static void a_notice_that_comes_late_is_the_same_life(void **state)
{
	start();
	kernel_cgroup(100)->path = "/w-a"; /* the tree has it before the ring does */
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	kernel_mkdir(100, "/w-a");
	drain();
	kernel_call(100, TAMIS_WORKLOAD, 2);
	drain();
	assert_row("cgroup/w-a", true, 0, 1);
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 1));
}

/* Whoever is gone without a trace of a path is given up, whatever map speaks of it. */
static void what_nobody_can_name_is_given_up(void **state)
{
	uint64_t stored;

	start();
	kernel_cgroup(100)->has_loss = true;
	kernel_cgroup(101)->has_start = true;
	kernel_call(102, TAMIS_WORKLOAD, 1);
	for (int i = 0; i < 20; i++)
		drain();
	assert_int_equal(observer_stats(watcher).unattributed, 3);
	assert_stored(unattributed_get(st, &stored));
	assert_int_equal(stored, 3);
	assert_int_equal(kernel.set_cnt, 0);
	assert_false(kernel_find(100)->has_loss);
	assert_false(kernel_find(101)->has_start);
}

/* The ring was full: nobody heard of its end, the tree says so. */
static void an_unheard_end_is_found_by_the_unit(void **state)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	kernel_find(100)->path = NULL;
	kernel.lost.ring++;
	assert_stored(observer_unit(watcher));
	assert_row("cgroup/w-a", false, 0, 1);
	assert_int_equal(kernel.set_cnt, 0);
	assert_int_equal(observer_stats(watcher).workload_cgroups, 0);
}

/* Neither its beginning nor its end was heard of. */
static void an_unheard_life_is_found_by_its_path(void **state)
{
	start();
	kernel_cgroup(100)->kept = "/w-a";
	kernel_cgroup(101)->kept = "/elsewhere";
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_started(100);
	kernel.lost.ring = 4;
	drain();
	assert_row("cgroup/w-a", true, 1, 1);
	assert_stored(observer_unit(watcher));
	assert_row("cgroup/w-a", false, 1, 1);
	assert_int_equal(kernel.set_cnt, 0);
	assert_null(kernel_find(100)->kept);
	assert_null(kernel_find(101)->kept);
	assert_int_equal(observer_stats(watcher).unattributed, 0);
}

/* It ended while no daemon ran, and its engine's files are gone: it is who it was. */
static void a_name_that_was_known_stays(void **state)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_started(100);
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	observer_free(watcher);
	kernel.pinned = kernel.forgot = true;
	kernel_call(100, TAMIS_WORKLOAD, 2);
	kernel_call(101, TAMIS_WORKLOAD, 3); /* nobody ever knew that one */
	kernel_cgroup(100)->path = NULL;
	kernel_cgroup(100)->kept = "/w-a";
	kernel_cgroup(101)->kept = "/w-b";
	start();
	kernel.lost.ring++;
	assert_stored(observer_unit(watcher));
	assert_row("cgroup/w-a", false, 1, 1);
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 2));
	assert_false(is_there("cgroup/id:w-a"));
	assert_true(has_call("cgroup/id:w-b", TAMIS_WORKLOAD, 3));
	assert_int_equal(kernel.set_cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_that_comes_back_is_another_life),
		TEST(a_notice_that_comes_late_is_the_same_life),
		TEST(what_nobody_can_name_is_given_up),
		TEST(a_name_that_was_known_stays),
		TEST(an_unheard_end_is_found_by_the_unit),
		TEST(an_unheard_life_is_found_by_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
