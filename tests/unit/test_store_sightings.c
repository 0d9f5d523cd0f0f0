/* SPDX-License-Identifier: Apache-2.0 */
/* Which of its containers made a call, and which first. */
#include "store_fixture.h"

static int64_t w;

/* One life each: a container that was started again is there twice. */
static const struct {
	const char *instance, *container;
	int unit; /* 1, 2, .. */
	enum tamis_stage stage;
	int calls[4];
} lives[] = {
	{ "b/1", "aaa", 2, TAMIS_WORKLOAD, { 1, 2, 3, -1 } },
	{ "b/2", "bbb", 1, TAMIS_WORKLOAD, { 1, 3, -1 } },
	{ "b/3", "aaa", 3, TAMIS_WORKLOAD, { 1, 2, 4, -1 } }, /* the first one again */
	{ "b/4", NULL, 1, TAMIS_WORKLOAD, { 1, 5, -1 } },
	{ "b/5", NULL, 2, TAMIS_WORKLOAD, { 1, 5, -1 } },
	{ "b/6", "ccc", 1, TAMIS_SESSION, { 1, -1 } },
	{ "b/7", "bbb", 3, TAMIS_WORKLOAD, { -1 } }, /* it made none */
};

static const struct {
	enum tamis_stage stage;
	uint32_t nr;
	uint32_t replicas;
	const char *replica; /* that made it first */
	int64_t first, last;
} expected[] = {
	{ TAMIS_WORKLOAD, 1, 4, "bbb", NOW, NOW + 120 }, /* as early as b/4, but there before */
	{ TAMIS_WORKLOAD, 2, 1, "aaa", NOW + 60, NOW + 120 },
	{ TAMIS_WORKLOAD, 3, 2, "bbb", NOW, NOW + 60 },
	{ TAMIS_WORKLOAD, 4, 1, "aaa", NOW + 120, NOW + 120 },
	{ TAMIS_WORKLOAD, 5, 2, NULL, NOW, NOW + 60 },
	{ TAMIS_SESSION, 1, 1, "ccc", NOW, NOW },
};

static int64_t live(size_t n)
{
	const struct store_instance i = { .instance = lives[n].instance,
					  .workload = w,
					  .container = lives[n].container,
					  .running = true };
	int64_t id = 0;

	assert_stored(store_instance(st, &i, NOW, &id));
	return id;
}

static int open_lived(void **state)
{
	int r = open_store(state);

	if (r < 0)
		return r;
	IN_TRANSACTION
	{
		w = add_workload("k", NULL);
		for (int n = 0; n < 3; n++)
			(void)add_unit(NOW + 60 * n);
		for (size_t n = 0; n < ARRAY_SIZE(lives); n++)
			add_calls(live(n), lives[n].unit, lives[n].stage, set_of(lives[n].calls),
				  NOW + 60 * (lives[n].unit - 1));
	}
	return 0;
}

static void containers_are_counted_by_call(void **state)
{
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(cnt, ARRAY_SIZE(expected));
	for (size_t n = 0; n < cnt; n++) {
		const struct policy_origin *is =
			origin_of(o, cnt, expected[n].stage, expected[n].nr);

		assert_int_equal(is->replicas, expected[n].replicas);
		assert_int_equal(is->first, expected[n].first);
		assert_int_equal(is->last, expected[n].last);
		if (expected[n].replica)
			assert_string_equal(is->replica, expected[n].replica);
		else
			assert_null(is->replica);
	}
	store_origins_free(o, cnt);
}

static const struct {
	size_t by; /* of lives */
	uint32_t nr;
	const char *replica;
} origins[] = {
	{ 2, 1, "aaa" },
	{ 3, 5, NULL }, /* a container without an id, though others have one */
	{ 4, 3, NULL },
	{ 1, 2, "bbb" },
};

/* Who is known to have made it first is shown with its own container. */
static void the_first_ones_container_is_its_own(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(origins); n++) {
		const struct policy_origin first = { .nr = origins[n].nr,
						     .stage = TAMIS_WORKLOAD,
						     .first = NOW - 1,
						     .pid = 5,
						     .comm = "c",
						     .exe = "/c" };
		struct policy_origin *o = NULL;
		const struct policy_origin *is;
		size_t cnt = 0;

		assert_stored(store_begin(st));
		assert_stored(store_origin(st, live(origins[n].by), &first));
		assert_stored(store_origins(st, w, &o, &cnt));
		is = origin_of(o, cnt, TAMIS_WORKLOAD, origins[n].nr);
		assert_int_equal(is->pid, 5);
		if (origins[n].replica)
			assert_string_equal(is->replica, origins[n].replica);
		else
			assert_null(is->replica);
		store_origins_free(o, cnt);
		store_rollback(st);
	}
}

static void rows_count_lives_and_containers(void **state)
{
	struct store_row row = row_of("k");

	assert_int_equal(row.replicas, 7);
	assert_int_equal(row.containers, 5);
	store_row_done(&row);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_lived, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(containers_are_counted_by_call),
		TEST(the_first_ones_container_is_its_own),
		TEST(rows_count_lives_and_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
