/* SPDX-License-Identifier: Apache-2.0 */
/* What goes in comes out: sets, times, origins, evidence; whole or not at all. */
#include <errno.h>

#include "store_fixture.h"

static void assert_same_set(const struct sysset *a, struct sysset b)
{
	assert_true(sysset_equal(a, &b));
}

static void drain_once(int64_t *ret_workload)
{
	const struct store_workload w = {
		.key = "podman/redis", .engine = "podman", .name = "redis", .image = "img"
	};
	const struct policy_origin o = { .nr = 1,
					 .stage = TAMIS_WORKLOAD,
					 .first = NOW + 1,
					 .pid = 7,
					 .comm = "redis",
					 .exe = "/bin/redis" };
	struct store_instance i = {
		.instance = "boot/1", .path = "/x", .starts = 1, .running = true
	};
	int64_t workload, instance;

	assert_stored(store_workload(st, &w, NOW, &workload));
	i.workload = workload;
	assert_stored(store_instance(st, &i, NOW, &instance));
	add_calls(instance, 1, TAMIS_WORKLOAD, SET(1, 2, 63, 64, 575), NOW + 1);
	add_calls(instance, 1, TAMIS_SETUP, SET(165), NOW + 1);
	assert_stored(store_origin(st, instance, &o));
	assert_stored(store_instances_gone(st, &instance, 1, NOW));
	*ret_workload = workload;
}

static void a_drain_written_twice_changes_nothing(void **state)
{
	struct learned learned;
	int64_t workload = 0;
	uint64_t before;

	IN_TRANSACTION
	{
		assert_int_equal(add_unit(NOW), 1);
		drain_once(&workload);
	}
	before = log_written();
	for (int i = 0; i < 3; i++)
		IN_TRANSACTION drain_once(&workload);
	assert_int_equal(log_written(), before);
	assert_stored(store_learned(st, workload, &learned));
	assert_same_set(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], SET(1, 2, 63, 64, 575));
	assert_same_set(&learned.set[TAMIS_SETUP][TAMIS_ABI_X86_64], SET(165));
	assert_true(sysset_is_empty(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_I386]));
}

/* Sets come in any order and any split: what is learned is their union. */
static void order_does_not_matter(void **state)
{
	struct sysset part[3] = { SET(0, 5), SET(5, 6, 300), SET(512, 575) };
	static const int order[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
	struct learned learned[3];

	IN_TRANSACTION
	{
		(void)add_unit(NOW);
		(void)add_unit(NOW + 60);
		for (int o = 0; o < 3; o++) {
			char key[2] = { (char)('a' + o), 0 };
			int64_t w = add_workload(key, NULL), i = add_instance(key, w, NOW);

			for (int n = 0; n < 3; n++)
				add_calls(i, 1 + n % 2, TAMIS_WORKLOAD, part[order[o][n]], NOW);
			assert_stored(store_learned(st, w, &learned[o]));
		}
	}
	assert_memory_equal(&learned[0], &learned[1], sizeof(learned[0]));
	assert_memory_equal(&learned[0], &learned[2], sizeof(learned[0]));
	assert_int_equal(sysset_count(&learned[0].set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64]), 6);
}

/* Units begin at NOW, +60, +120; the instance is there at NOW + 10. */
static const struct {
	uint32_t nr;
	int64_t first, last;
} times[] = {
	{ 1, NOW + 10, NOW + 10 },  /* first unit only: not before the instance was */
	{ 2, NOW + 10, NOW + 120 }, /* all units */
	{ 3, NOW + 60, NOW + 60 },
	{ 4, NOW + 10, NOW + 120 }, /* the later units were drained first */
};

static void times_are_true_to_the_unit(void **state)
{
	struct policy_origin *o = NULL;
	struct store_row row;
	int64_t w = 0, i;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		int64_t u1 = add_unit(NOW), u2 = add_unit(NOW + 60), u3 = add_unit(NOW + 120);

		w = add_workload("k", NULL);
		i = add_instance("i", w, NOW + 10);
		add_calls(i, u1, TAMIS_WORKLOAD, SET(1, 2), NOW + 30);
		add_calls(i, u3, TAMIS_WORKLOAD, SET(2, 4), NOW + 150);
		add_calls(i, u2, TAMIS_WORKLOAD, SET(3, 4), NOW + 151);
		add_calls(i, u2, TAMIS_WORKLOAD, SET(3, 4), NOW + 170);
		/* Another instance, earlier: neither its times nor the unit count again. */
		add_calls(add_instance("j", w, NOW + 10), u1, TAMIS_WORKLOAD, SET(2, 4), NOW + 171);
	}
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(cnt, ARRAY_SIZE(times));
	for (size_t n = 0; n < cnt; n++) {
		assert_int_equal(o[n].nr, times[n].nr);
		assert_int_equal(o[n].first, times[n].first);
		assert_int_equal(o[n].last, times[n].last);
		assert_string_equal(o[n].comm, "");
	}
	store_origins_free(o, cnt);
	row = row_of("k");
	assert_int_equal(row.evidence.units, 3);
	assert_int_equal(row.evidence.last, NOW + 171);
	store_row_done(&row);
}

static void the_first_origin_is_kept(void **state)
{
	static const struct policy_origin made[] = {
		{ .nr = 5,
		  .stage = TAMIS_SESSION,
		  .first = NOW - 7,
		  .pid = 10,
		  .comm = "sh",
		  .exe = "/bin/sh" },
		{ .nr = 5,
		  .stage = TAMIS_SESSION,
		  .first = NOW - 5,
		  .pid = 11,
		  .comm = "late",
		  .exe = "/l" },
		{ .nr = 5,
		  .stage = TAMIS_WORKLOAD,
		  .first = NOW,
		  .pid = 12,
		  .comm = "w\n\xff",
		  .exe = NULL },
		{ .nr = 99,
		  .stage = TAMIS_WORKLOAD,
		  .first = NOW,
		  .pid = 13,
		  .comm = "unlearned",
		  .exe = "" },
	};
	struct policy_origin *o = NULL;
	int64_t w = 0;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		int64_t i = add_instance("i", w = add_workload("k", NULL), NOW), u = add_unit(NOW);

		assert_stored(store_origin(st, i, &made[0])); /* the event may come first */
		add_calls(i, u, TAMIS_WORKLOAD, SET(5, 6), NOW);
		add_calls(i, u, TAMIS_SESSION, SET(5), NOW);
		for (size_t n = 1; n < ARRAY_SIZE(made); n++)
			assert_stored(store_origin(st, i, &made[n]));
	}
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(cnt, 3);
	assert_int_equal(o[0].stage, TAMIS_WORKLOAD); /* sorted by number, then stage */
	assert_int_equal(o[1].stage, TAMIS_SESSION);
	assert_int_equal(origin_of(o, cnt, TAMIS_SESSION, 5)->pid, 10);
	assert_string_equal(origin_of(o, cnt, TAMIS_SESSION, 5)->exe, "/bin/sh");
	assert_int_equal(origin_of(o, cnt, TAMIS_SESSION, 5)->first, NOW - 7);
	assert_string_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 5)->comm, "w\n\xff");
	assert_string_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 5)->exe, "");
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 6)->pid, 0);
	store_origins_free(o, cnt);
}

static void evidence_is_summed_over_instances(void **state)
{
	struct store_instance i = { .running = true };
	struct store_row row;
	int64_t a, b, keep;

	IN_TRANSACTION
	{
		int64_t u = add_unit(NOW);

		i.workload = add_workload("k", "name");
		i.instance = "a";
		i.starts = 2;
		i.lost.lost_full = 5;
		assert_stored(store_instance(st, &i, NOW + 5, &a));
		i.starts = 1; /* totals: the larger one is kept */
		i.lost.lost_full = 3;
		i.lost.lost_ring = 7;
		assert_stored(store_instance(st, &i, NOW + 6, &keep));
		assert_int_equal(a, keep);
		i.instance = "b";
		i.lost.lost_range = UINT64_MAX / 4;
		assert_stored(store_instance(st, &i, NOW + 1, &b));
		assert_stored(store_instance_gap(st, "b"));
		assert_stored(store_instance_gap(st, "nobody"));
		add_calls(a, u, TAMIS_WORKLOAD, SET(1, 2), NOW + 7);
		add_calls(b, u, TAMIS_WORKLOAD, SET(2, 3), NOW + 8);
		add_calls(b, u, TAMIS_SESSION, SET(3, 4), NOW + 8);
		add_calls(b, u, TAMIS_GATE, SET(100), NOW + 8);
	}
	row = row_of("k");
	assert_int_equal(row.evidence.starts, 3);
	assert_int_equal(row.evidence.since, NOW + 1);
	assert_int_equal(row.evidence.last, NOW + 8);
	assert_int_equal(row.evidence.units, 1);
	assert_int_equal(row.evidence.lost_full, 8);
	assert_int_equal(row.evidence.lost_ring, 14);
	assert_int_equal(row.evidence.lost_range, UINT64_MAX / 4);
	assert_int_equal(row.evidence.lost_gaps, 1);
	assert_int_equal(row.replicas, 2);
	assert_int_equal(row.calls, 4);
	assert_true(row.running);
	assert_null(row.image);
	store_row_done(&row);
}

static void what_is_rolled_back_was_never_there(void **state)
{
	struct store_row *rows = NULL;
	size_t cnt = 1;

	assert_stored(store_begin(st));
	(void)add_instance("i", add_workload("k", NULL), NOW);
	store_rollback(st);
	store_rollback(st); /* harmless */
	assert_stored(store_list(st, &rows, &cnt));
	assert_int_equal(cnt, 0);
	free(rows);
}

static void nothing_is_written_outside_a_transaction(void **state)
{
	const struct store_workload w = { .key = "k" };
	const struct store_instance i = { .instance = "i", .workload = 1 };
	const struct policy_origin o = { .nr = 1 };
	const struct sysset set = { { 1 } };
	int64_t id = 4711;

	assert_int_equal(store_workload(st, &w, NOW, &id), -EINVAL);
	assert_int_equal(store_instance(st, &i, NOW, &id), -EINVAL);
	assert_int_equal(store_unit_begin(st, NOW, NULL, &id), -EINVAL);
	assert_int_equal(store_calls(st, 1, 1, 0, 0, &set, NOW), -EINVAL);
	assert_int_equal(store_origin(st, 1, &o), -EINVAL);
	assert_int_equal(store_instances_gone(st, NULL, 0, NOW), -EINVAL);
	assert_int_equal(id, 4711);
}

static void values_out_of_range_are_refused(void **state)
{
	static char long_key[5000];
	const struct store_workload keyless = { .key = "" }, wide = { .key = long_key };
	const struct store_instance orphan = { .instance = "i", .workload = 999 };
	const struct policy_origin o = { .nr = TAMIS_CALLS };
	const struct sysset set = { { 1 } };
	int64_t id, i;

	memset(long_key, 'k', sizeof(long_key) - 1);
	assert_stored(store_begin(st));
	i = add_instance("i", add_workload("k", NULL), NOW);
	assert_int_equal(store_workload(st, &keyless, NOW, &id), -ENAMETOOLONG);
	assert_int_equal(store_workload(st, &wide, NOW, &id), -ENAMETOOLONG);
	assert_int_equal(store_calls(st, i, 1, TAMIS_STAGE_MAX, 0, &set, NOW), -EINVAL);
	assert_int_equal(store_calls(st, i, 1, 0, TAMIS_ABI_MAX, &set, NOW), -EINVAL);
	assert_int_equal(store_calls(st, i, 999, 0, 0, &set, NOW), -EINVAL);
	assert_int_equal(store_calls(st, 999, 1, 0, 0, &set, NOW), -EINVAL);
	assert_int_equal(store_origin(st, i, &o), -EINVAL);
	assert_int_equal(store_instance(st, &orphan, NOW, &id), -EINVAL);
	store_rollback(st);
}

static void meta_is_kept(void **state)
{
	char *value = (char *)1;

	assert_stored(store_meta_get(st, "boot", &value));
	assert_null(value);
	assert_stored(store_meta_set(st, "boot", "a"));
	assert_stored(store_meta_set(st, "boot", "b"));
	assert_stored(store_meta_get(st, "boot", &value));
	assert_string_equal(value, "b");
	free(value);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_drain_written_twice_changes_nothing),
		TEST(order_does_not_matter),
		TEST(times_are_true_to_the_unit),
		TEST(the_first_origin_is_kept),
		TEST(evidence_is_summed_over_instances),
		TEST(what_is_rolled_back_was_never_there),
		TEST(nothing_is_written_outside_a_transaction),
		TEST(values_out_of_range_are_refused),
		TEST(meta_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
