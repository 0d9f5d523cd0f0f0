/* SPDX-License-Identifier: Apache-2.0 */
/* What goes in comes out: workloads, instances, sets, times, origins, names. */
#include <errno.h>

#include "store_fixture.h"

static struct store_row row_of(const char *name)
{
	struct store_row row = { 0 };

	assert_stored(store_find(st, name, &row, NULL));
	return row;
}

/* The bytes of the database and its log: equal when nothing was written. */
static uint64_t pages_written(void)
{
	char wal[128];
	struct stat info = { 0 };

	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	assert_int_equal(stat(wal, &info), 0);
	return (uint64_t)info.st_size + (uint64_t)info.st_mtim.tv_nsec;
}

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
	before = pages_written();
	for (int i = 0; i < 3; i++)
		IN_TRANSACTION drain_once(&workload);
	assert_int_equal(pages_written(), before);
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

static const struct policy_origin *origin_of(const struct policy_origin *o, size_t cnt,
					     enum tamis_stage stage, uint32_t nr)
{
	for (size_t i = 0; i < cnt; i++) {
		if (o[i].stage == stage && o[i].nr == nr)
			return &o[i];
	}
	fail_msg("no origin of %u", nr);
	return NULL;
}

/* Units begin at NOW, +60, +120; the instance is there at NOW + 10. */
static const struct {
	uint32_t nr;
	int64_t first, last;
} times[] = {
	{ 1, NOW + 10, NOW + 10 },  /* first unit only: not before the instance was */
	{ 2, NOW + 10, NOW + 120 }, /* all units */
	{ 3, NOW + 60, NOW + 60 },
	{ 4, NOW + 60, NOW + 120 }, /* the later unit was drained first */
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
	assert_int_equal(row.evidence.last, NOW + 151);
	store_row_done(&row);
}

static void the_first_origin_is_kept(void **state)
{
	static const struct policy_origin made[] = {
		{ .nr = 5,
		  .stage = TAMIS_SESSION,
		  .first = NOW,
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

static void unknown_never_replaces_known(void **state)
{
	const struct store_workload known = { .key = "k",
					      .engine = "podman",
					      .name = "n",
					      .image = "img",
					      .image_digest = "sha256:1" };
	const struct store_workload unknown = { .key = "k" };
	const struct store_workload newer = { .key = "k", .image = "img2" };
	struct store_row row;
	int64_t a, b, c;

	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &known, NOW, &a));
		assert_stored(store_workload(st, &unknown, NOW, &b));
		assert_stored(store_workload(st, &newer, NOW, &c));
	}
	assert_true(a == b && b == c);
	row = row_of("k");
	assert_string_equal(row.engine, "podman");
	assert_string_equal(row.name, "n");
	assert_string_equal(row.image, "img2");
	assert_string_equal(row.image_digest, "sha256:1");
	store_row_done(&row);
}

static bool is_running(const char *key)
{
	struct store_row row = row_of(key);
	bool running = row.running;

	store_row_done(&row);
	return running;
}

static void those_not_kept_are_gone(void **state)
{
	int64_t id[3];

	IN_TRANSACTION
	{
		for (int n = 0; n < 3; n++) {
			char key[] = { 'w', (char)('0' + n), 0 };

			id[n] = add_instance(key, add_workload(key, NULL), NOW);
		}
		assert_stored(store_instances_gone(st, (int64_t[]){ id[2], id[0] }, 2, NOW));
	}
	assert_true(is_running("w0"));
	assert_false(is_running("w1"));
	assert_true(is_running("w2"));
	IN_TRANSACTION
	{
		(void)add_instance("w1", id[1], NOW + 1); /* back again */
		assert_stored(store_instances_gone(st, NULL, 0, NOW));
	}
	for (int n = 0; n < 3; n++)
		assert_false(is_running((char[]){ 'w', (char)('0' + n), 0 }));
}

static const struct {
	const char *name;
	int r;
	const char *answer; /* key found, or candidates */
} finds[] = {
	{ "podman/redis", 0, "podman/redis" }, /* whole key, though part of another */
	{ "redis", 0, "podman/redis" },	       /* whole name */
	{ "redis-2", 0, "podman/redis-2" },
	{ "is-2", 0, "podman/redis-2" },		/* part */
	{ "web", -ENOTUNIQ, "docker/web, podman/web" }, /* one name, two workloads */
	{ "dock", 0, "docker/web" },
	{ "podman/", -ENOTUNIQ, "podman/redis, podman/redis-2, podman/web" },
	{ "", -ENOENT, NULL },
	{ "nothing", -ENOENT, NULL },
	{ "%", -ENOENT, NULL }, /* no pattern */
	{ "many", -ENOTUNIQ, "many0, many1, many2, many3, many4, many5, many6, many7, ..." },
};

static void finds_what_is_meant(void **state)
{
	IN_TRANSACTION
	{
		(void)add_workload("podman/redis", "redis");
		(void)add_workload("podman/redis-2", "redis-2");
		(void)add_workload("podman/web", "web");
		(void)add_workload("docker/web", "web");
		for (int n = 0; n < 12; n++)
			(void)add_workload((char[]){ 'm', 'a', 'n', 'y', (char)('0' + n), 0 },
					   NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(finds); i++) {
		struct store_row row = { 0 };
		char *candidates = NULL;

		assert_int_equal(store_find(st, finds[i].name, &row, &candidates), finds[i].r);
		if (finds[i].r == 0)
			assert_string_equal(row.key, finds[i].answer);
		else if (finds[i].r == -ENOTUNIQ)
			assert_string_equal(candidates, finds[i].answer);
		else
			assert_null(candidates);
		store_row_done(&row);
		free(candidates);
	}
}

/* "cgroup/x" was a container all along. */
static void a_late_name_takes_the_calls_along(void **state)
{
	const struct policy_origin o = {
		.nr = 2, .stage = TAMIS_WORKLOAD, .first = NOW, .pid = 42, .comm = "c", .exe = "/c"
	};
	struct policy_origin *origins = NULL;
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int64_t to = 0;

	IN_TRANSACTION
	{
		int64_t from = add_workload("cgroup/x", NULL), i = add_instance("i", from, NOW);

		(void)add_unit(NOW);
		add_calls(i, 1, TAMIS_WORKLOAD, SET(1, 2), NOW);
		assert_stored(store_origin(st, i, &o));
		to = add_workload("podman/x", "x");
		assert_int_equal(add_instance("i", to, NOW + 5), i);
		add_calls(i, 1, TAMIS_WORKLOAD, SET(3), NOW + 5);
	}
	assert_stored(store_list(st, &rows, &cnt));
	assert_int_equal(cnt, 1);
	assert_string_equal(rows[0].key, "podman/x");
	assert_int_equal(rows[0].calls, 3);
	assert_int_equal(rows[0].evidence.units, 1);
	store_row_done(&rows[0]);
	free(rows);
	assert_stored(store_origins(st, to, &origins, &cnt));
	assert_int_equal(cnt, 3);
	assert_int_equal(origin_of(origins, cnt, TAMIS_WORKLOAD, 2)->pid, 42);
	store_origins_free(origins, cnt);
}

/* ... but what other instances showed of the old one stays. */
static void a_move_leaves_other_instances(void **state)
{
	struct learned old, new;
	int64_t from = 0, to = 0;

	IN_TRANSACTION
	{
		int64_t a = add_instance("a", from = add_workload("old", NULL), NOW);
		int64_t b = add_instance("b", from, NOW);

		(void)add_unit(NOW);
		add_calls(a, 1, TAMIS_WORKLOAD, SET(1), NOW);
		add_calls(b, 1, TAMIS_WORKLOAD, SET(2), NOW);
		(void)add_instance("b", to = add_workload("new", NULL), NOW);
	}
	assert_stored(store_learned(st, from, &old));
	assert_stored(store_learned(st, to, &new));
	assert_true(sysset_has(&old.set[TAMIS_WORKLOAD][0], 1));
	assert_true(sysset_has(&new.set[TAMIS_WORKLOAD][0], 2));
	assert_false(sysset_has(&new.set[TAMIS_WORKLOAD][0], 1));
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

static void long_text_from_outside_is_cut(void **state)
{
	static char image[100000];
	const struct store_workload w = { .key = "k", .image = image };
	struct store_row row;
	int64_t id;

	memset(image, 'i', sizeof(image) - 1);
	IN_TRANSACTION assert_stored(store_workload(st, &w, NOW, &id));
	row = row_of("k");
	assert_int_equal(strlen(row.image), 4096);
	store_row_done(&row);
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
		TEST(unknown_never_replaces_known),
		TEST(those_not_kept_are_gone),
		TEST(finds_what_is_meant),
		TEST(a_late_name_takes_the_calls_along),
		TEST(a_move_leaves_other_instances),
		TEST(what_is_rolled_back_was_never_there),
		TEST(nothing_is_written_outside_a_transaction),
		TEST(values_out_of_range_are_refused),
		TEST(long_text_from_outside_is_cut),
		TEST(meta_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
