/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper and the oracle learned: known as any call, but of no container. */
#include <errno.h>

#include "policy/denials.h"
#include "store_fixture.h"

static void learn(int64_t w, const char *source, struct sysset calls, int64_t now)
{
	assert_stored(store_learn(st, w, source, TAMIS_ABI_X86_64, &calls, NULL, now));
}

static const struct policy_origin origin = { .pid = 42, .comm = "redis", .exe = "/bin/redis" };

/* One that runs since NOW and made calls 1 and 2. */
static int64_t running_workload(void)
{
	int64_t w = add_workload("podman/web", "web"), unit = add_unit(NOW);
	const struct store_instance i = { .instance = "boot/1",
					  .workload = w,
					  .container = "abc",
					  .path = "/x",
					  .running = true,
					  .starts = 1 };
	int64_t id = 0;

	assert_stored(store_instance(st, &i, NOW, &id));
	add_calls(id, unit, TAMIS_WORKLOAD, SET(1, 2), NOW + 1);
	return w;
}

static void assert_counts(const char *name, uint64_t instances, uint64_t starts)
{
	struct store_row row = row_of(name);

	assert_int_equal(row.replicas, instances);
	assert_int_equal(row.containers, instances);
	assert_int_equal(row.evidence.starts, starts);
	assert_int_equal(row.evidence.since, instances ? NOW : 0);
	assert_int_equal(row.evidence.lost_gaps, 0);
	store_row_done(&row);
}

static void it_is_no_container(void **state)
{
	struct store_row row = { 0 };
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		learn(w, "keeper", SET(2, 3), NOW + 5);
		learn(w, "oracle", SET(4), NOW + 6);
		learn(w, "keeper", SET(5), NOW + 7);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 3, 4, 5));
	assert_counts("web", 1, 1);
	row = row_of("web");
	assert_true(row.running);
	assert_string_equal(row.container, "abc");
	assert_int_equal(row.calls, 5);
	assert_int_equal(row.evidence.last, NOW + 7);
	store_row_done(&row);
	assert_int_equal(ask_db("SELECT count(*) FROM instance WHERE source IS NOT NULL"), 2);
	assert_int_equal(broken_rule(), 0);
}

static void origins_say_who_learned_it(void **state)
{
	const struct sysset three = SET(1, 3);
	const struct policy_origin *one;
	struct policy_origin *o = NULL;
	size_t cnt = 0;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		assert_stored(
			store_learn(st, w, "keeper", TAMIS_ABI_X86_64, &three, &origin, NOW + 5));
		learn(w, "oracle", SET(3, 4), NOW + 6);
	}
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(cnt, 4);
	one = origin_of(o, cnt, TAMIS_WORKLOAD, 3);
	assert_string_equal(one->source, "keeper");
	assert_int_equal(one->pid, 42);
	assert_string_equal(one->exe, "/bin/redis");
	assert_int_equal(one->replicas, 0);
	assert_null(one->replica);
	assert_string_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 4)->source, "oracle");
	assert_null(origin_of(o, cnt, TAMIS_WORKLOAD, 2)->source);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 2)->replicas, 1);
	store_origins_free(o, cnt);
}

/* The journal may be read long after: true to the unit of that moment. */
static void times_are_those_of_the_call(void **state)
{
	struct policy_origin *o = NULL;
	size_t cnt = 0;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		(void)add_unit(NOW + 60);
		(void)add_unit(NOW + 120);
		learn(w, "keeper", SET(7), NOW + 70);
		learn(w, "keeper", SET(8), NOW + 130);
		learn(w, "keeper", SET(7), NOW + 131);
	}
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 7)->first, NOW + 70);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 7)->last, NOW + 120);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 8)->first, NOW + 120);
	store_origins_free(o, cnt);
	assert_int_equal(broken_rule(), 0);
}

static void a_store_without_units_gets_one(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		learn(w, "keeper", SET(7), NOW);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(7));
	assert_counts("web", 0, 0);
	assert_int_equal(broken_rule(), 0);
}

static void bad_ones_are_refused(void **state)
{
	const struct sysset calls = SET(1);
	int64_t w = 0;

	IN_TRANSACTION
	w = add_workload("podman/web", "web");
	assert_int_equal(store_learn(st, w, "keeper", 0, &calls, NULL, NOW), -EINVAL);
	IN_TRANSACTION
	{
		assert_int_equal(store_learn(st, w, "", 0, &calls, NULL, NOW), -EINVAL);
		assert_int_equal(store_learn(st, w, "keeper", TAMIS_ABI_MAX, &calls, NULL, NOW),
				 -EINVAL);
		assert_int_equal(store_learn(st, w + 1, "keeper", 0, &calls, NULL, NOW), -ENOENT);
	}
	assert_int_equal(ask_db("SELECT count(*) FROM instance"), 0);
}

/* --- with the others --------------------------------------------------------------------- */

static void goings_leave_it(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		learn(w, "keeper", SET(7), NOW + 5);
		assert_stored(store_instances_gone(st, NULL, 0, NOW + 50));
		(void)add_unit(NOW + 60);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 7));
	assert_counts("web", 1, 1);
	assert_int_equal(ask_db("SELECT count(*) FROM instance WHERE running"), 0);
}

static void folding_leaves_it(void **state)
{
	const struct store_prune fold = { .fold_before = NOW + 86400 };
	struct store_pruned pruned = { 0 };
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		for (int i = 1; i < 6; i++) {
			learn(w, "keeper", SET(7), NOW + 60 * i);
			(void)add_unit(NOW + 60 * i);
		}
		assert_stored(store_prune(st, &fold, NULL, NULL, &pruned));
	}
	assert_int_equal(pruned.units, 3);
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 7));
	assert_counts("web", 1, 1);
	assert_int_equal(broken_rule(), 0);
}

/* What the keeper had seen last keeps a workload from being pruned, and nothing else of it. */
static void pruning_goes_by_its_last(void **state)
{
	struct store_pruned pruned = { 0 };
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		end_instance("boot/1", w, NOW + 10);
		learn(w, "keeper", SET(7), NOW + 500);
		assert_stored(store_prune(st, &(struct store_prune){ .gone_before = NOW + 400 },
					  NULL, NULL, &pruned));
		assert_int_equal(pruned.workloads, 0);
		assert_stored(store_prune(st, &(struct store_prune){ .gone_before = NOW + 501 },
					  NULL, NULL, &pruned));
		assert_int_equal(pruned.workloads, 1);
	}
	assert_int_equal(ask_db("SELECT count(*) FROM instance"), 0);
	assert_int_equal(broken_rule(), 0);
}

static void merged_ones_are_no_containers(void **state)
{
	int64_t into = 0, from = 0;

	IN_TRANSACTION
	{
		into = running_workload();
		from = add_workload("podman/b", "b");
		learn(from, "keeper", SET(7), NOW + 5);
		learn(into, "keeper", SET(8), NOW + 5);
		assert_stored(store_merge(st, into, &from, 1));
		learn(into, "keeper", SET(9), NOW + 6);
	}
	assert_set(learned_in(into, TAMIS_WORKLOAD), SET(1, 2, 7, 8, 9));
	assert_counts("web", 1, 1);
	assert_int_equal(broken_rule(), 0);
}

/* What was made in the unit of the forgetting, or before, isn't learned again. */
static void forgotten_calls_stay_so(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		(void)add_unit(NOW + 60);
		learn(w, "keeper", SET(7, 8), NOW + 70);
		assert_stored(store_forget_call(st, w, TAMIS_ABI_X86_64, 7));
		learn(w, "keeper", SET(7, 8, 9), NOW + 75);
		learn(w, "keeper", SET(7), NOW + 5);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 8, 9));
	assert_int_equal(ask_db("SELECT count(*) FROM call WHERE nr = 7"), 0);
	IN_TRANSACTION
	{
		(void)add_unit(NOW + 120);
		learn(w, "keeper", SET(7), NOW + 121);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 7, 8, 9));
	assert_int_equal(broken_rule(), 0);
}

static void forgotten_workloads_stay_so(void **state)
{
	bool running = false;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		(void)add_unit(NOW + 60);
		learn(w, "keeper", SET(7), NOW + 70);
		assert_stored(store_forget(st, w, &running));
		assert_true(running);
		learn(w, "keeper", SET(8), NOW + 75);
		learn(w, "keeper", SET(9), NOW + 5);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(-1));
	IN_TRANSACTION
	{
		(void)add_unit(NOW + 120);
		learn(w, "keeper", SET(7), NOW + 121);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(7));
	assert_int_equal(broken_rule(), 0);
}

/* A clock that was set back: it is learned all the same. */
static void a_time_before_all_units_is_now(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = running_workload();
		learn(w, "keeper", SET(7), 1000);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 7));
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_no_container),
		TEST(origins_say_who_learned_it),
		TEST(times_are_those_of_the_call),
		TEST(a_store_without_units_gets_one),
		TEST(bad_ones_are_refused),
		TEST(goings_leave_it),
		TEST(folding_leaves_it),
		TEST(pruning_goes_by_its_last),
		TEST(merged_ones_are_no_containers),
		TEST(forgotten_calls_stay_so),
		TEST(forgotten_workloads_stay_so),
		TEST(a_time_before_all_units_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
