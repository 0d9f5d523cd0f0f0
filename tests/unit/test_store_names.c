/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who: names that come late, change, are looked for; instances that go and move. */
#include <errno.h>

#include "store_fixture.h"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_never_replaces_known),  TEST(those_not_kept_are_gone),
		TEST(finds_what_is_meant),	     TEST(a_late_name_takes_the_calls_along),
		TEST(a_move_leaves_other_instances), TEST(long_text_from_outside_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
