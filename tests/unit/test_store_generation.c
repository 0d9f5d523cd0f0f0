/* SPDX-License-Identifier: Apache-2.0 */
/* Generations: what is made is what is read, and nothing else. */
#include <errno.h>

#include "generation_fixture.h"

static void fill(struct generation *g)
{
	*g = (struct generation){
		.created = NOW + 5,
		.maker = strdup("uid 1000"),
		.descendants = true,
		.evidence = { .starts = 1,
			      .since = NOW,
			      .last = NOW + 4,
			      .units = 2,
			      .lost_range = 3,
			      .lost_full = 4,
			      .lost_ring = 5,
			      .lost_task = 6,
			      .lost_gaps = 7,
			      .leaves = UINT64_MAX },
		.state = GENERATION_GOOD,
	};
	for (unsigned i = 0; i < TAMIS_ABI_MAX; i++) {
		sysset_add(&g->learned.set[TAMIS_GATE][i], i);
		sysset_add(&g->learned.set[TAMIS_WORKLOAD][i], TAMIS_CALLS - 1 - i);
		sysset_add(&g->denied[i], 100 + i);
		if (i % 2)
			sysset_add(&g->denied_eperm[i], 100 + i);
	}
	assert_int_equal(generation_add_image(g, "sha256:bb"), 0);
	assert_int_equal(generation_add_image(g, "sha256:aa"), 0);
}

static void assert_filled(const struct generation *g, const struct generation *want)
{
	assert_int_equal(g->created, NOW + 5);
	assert_string_equal(g->maker, "uid 1000");
	assert_string_equal(g->digest, want->digest);
	assert_true(g->descendants);
	assert_int_equal(g->state, GENERATION_GOOD);
	assert_null(g->failed);
	assert_int_equal(g->image_cnt, 2);
	assert_string_equal(g->image[0], "sha256:aa");
	assert_string_equal(g->image[1], "sha256:bb");
	assert_memory_equal(&g->learned, &want->learned, sizeof(g->learned));
	assert_memory_equal(g->denied, want->denied, sizeof(g->denied));
	assert_memory_equal(g->denied_eperm, want->denied_eperm, sizeof(g->denied_eperm));
	assert_int_equal(g->evidence.leaves, INT64_MAX);
	assert_memory_equal(&g->evidence, &want->evidence,
			    offsetof(struct evidence, leaves)); /* the last one */
}

static void what_is_read_is_what_was_made(void **state)
{
	_generation_ struct generation g, back = { .maker = strdup("freed") };
	int64_t w;

	fill(&g);
	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		assert_int_equal(store_generation_add(st, w, &g), 0);
	}
	assert_int_equal(g.number, 1);
	assert_int_equal(strncmp(g.digest, "sha256:", 7), 0);
	assert_int_equal(strlen(g.digest), 71);
	store_close(st);
	st = NULL;
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_stored(store_generation_get(st, w, 1, &back));
	assert_int_equal(back.number, 1);
	assert_filled(&back, &g);
	assert_int_equal(broken_rule(), 0);
}

static void nothing_in_it_is_a_generation_too(void **state)
{
	_generation_ struct generation g = { 0 }, back = { 0 };
	int64_t w;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		assert_int_equal(store_generation_add(st, w, &g), 0);
	}
	assert_stored(store_generation_get(st, w, 1, &back));
	assert_null(back.maker);
	assert_int_equal(back.state, GENERATION_TRIAL);
	assert_memory_equal(&back.learned, &g.learned, sizeof(g.learned));
}

/* The newest one is not made again, an older one is: going back is a decision, too. */
static void numbers(void **state)
{
	_generation_ struct generation again = { .created = NOW + 9 };
	struct generation *all = NULL;
	int64_t a, b;
	size_t cnt;

	sysset_add(&again.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 2);
	IN_TRANSACTION
	{
		a = add_workload("podman/a", "a");
		b = add_workload("podman/b", "b");
		assert_int_equal(add_generation(a, 1), 1);
		assert_int_equal(add_generation(a, 2), 2);
		assert_int_equal(store_generation_add(st, a, &again), 1);
		assert_int_equal(again.number, 2);
		assert_int_equal(add_generation(a, 1), 3);
		assert_int_equal(add_generation(b, 2), 1);
	}
	assert_stored(store_generations(st, a, &all, &cnt));
	assert_int_equal(cnt, 3);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(all[i].number, i + 1);
		assert_int_equal(all[i].created, NOW);
		assert_true(sysset_has(&all[i].learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64],
				       i == 1 ? 2 : 1));
		generation_done(&all[i]);
	}
	free(all);
	assert_int_equal(count_generations(b), 1);
	assert_int_equal(count_generations(b + 1), 0);
}

/* What starts with an image that a generation doesn't know isn't put under it. */
static void a_new_image_makes_a_new_one(void **state)
{
	_generation_ struct generation g = { .created = NOW }, back = { 0 };
	int64_t w;

	assert_int_equal(generation_add_image(&g, "sha256:a"), 0);
	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		assert_int_equal(store_generation_add(st, w, &g), 0);
		assert_int_equal(store_generation_add(st, w, &g), 1);
		assert_int_equal(generation_add_image(&g, "sha256:b"), 0);
		assert_int_equal(store_generation_add(st, w, &g), 0);
		assert_int_equal(g.number, 2);
		assert_int_equal(store_generation_add(st, w, &g), 1);
	}
	assert_stored(store_generation_get(st, w, 1, &back));
	assert_int_equal(back.image_cnt, 1);
	assert_stored(store_generation_get(st, w, 2, &back));
	assert_int_equal(back.image_cnt, 2);
}

static void its_state_changes_and_nothing_else(void **state)
{
	_generation_ struct generation g, back = { 0 };
	int64_t w;

	fill(&g);
	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		assert_int_equal(store_generation_add(st, w, &g), 0);
		add_generation(w, 1);
		assert_stored(store_generation_state(st, w, 1, GENERATION_FAILED, "SIGSYS: bpf"));
		assert_int_equal(store_generation_state(st, w, 3, GENERATION_GOOD, NULL), -ENOENT);
		assert_int_equal(store_generation_state(st, w, 1, GENERATION_GOOD, "why"), -EINVAL);
		assert_int_equal(store_generation_state(st, w, 1, GENERATION_STATE_MAX, NULL),
				 -EINVAL);
	}
	assert_stored(store_generation_get(st, w, 1, &back));
	assert_int_equal(back.state, GENERATION_FAILED);
	assert_string_equal(back.failed, "SIGSYS: bpf");
	IN_TRANSACTION
	assert_stored(store_generation_state(st, w, 1, GENERATION_GOOD, NULL));
	assert_stored(store_generation_get(st, w, 1, &back));
	assert_filled(&back, &g);
	assert_stored(store_generation_get(st, w, 2, &back));
	assert_int_equal(back.state, GENERATION_TRIAL);
}

static void what_is_not_there_is_not_filled_in(void **state)
{
	_generation_ struct generation back = { .number = 77, .maker = strdup("kept") };
	int64_t w;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		add_generation(w, 1);
	}
	assert_int_equal(store_generation_get(st, w, 2, &back), -ENOENT);
	assert_int_equal(store_generation_get(st, w + 1, 1, &back), -ENOENT);
	assert_int_equal(back.number, 77);
	assert_string_equal(back.maker, "kept");
}

/* Half of one would be a policy of its own. */
static void it_is_made_whole_or_not_at_all(void **state)
{
	_generation_ struct generation g;
	int64_t w;

	fill(&g);
	IN_TRANSACTION
	w = add_workload("podman/web", "web");
	assert_int_equal(store_generation_add(st, w, &g), -EINVAL);
	assert_int_equal(store_generation_state(st, w, 1, GENERATION_GOOD, NULL), -EINVAL);
	assert_stored(store_begin(st));
	assert_int_equal(store_generation_add(st, w, &g), 0);
	store_rollback(st);
	assert_stored(store_begin(st));
	assert_int_equal(store_generation_add(st, w + 1, &g), -EINVAL); /* nobody's */
	store_rollback(st);
	assert_stored(store_begin(st));
	g.state = GENERATION_STATE_MAX;
	assert_int_equal(store_generation_add(st, w, &g), -EINVAL);
	store_rollback(st);
	g.state = GENERATION_GOOD;
	assert_int_equal(count_generations(w), 0);
	assert_int_equal(ask_db("SELECT (SELECT count(*) FROM generation_set)"
				" + (SELECT count(*) FROM generation_denied)"
				" + (SELECT count(*) FROM generation_image)"),
			 0);
	IN_TRANSACTION
	assert_int_equal(store_generation_add(st, w, &g), 0);
	assert_int_equal(g.number, 1);
}

/* What is in the file may be anybody's: bounded, and checked against the digest. */
static const char *const spoils[] = {
	"UPDATE generation_set SET calls = zeroblob(71)",
	"UPDATE generation_set SET calls = zeroblob(73) WHERE stage = 2",
	"UPDATE generation_set SET calls = zeroblob(0) WHERE stage = 2",
	"UPDATE generation_set SET calls = zeroblob(72) WHERE stage = 2 AND abi = 0",
	"UPDATE generation_set SET stage = 4 WHERE stage = 2",
	"UPDATE generation_set SET stage = -1 WHERE stage = 2",
	"UPDATE generation_set SET abi = 5 WHERE abi = 4",
	"UPDATE generation_set SET abi = -1 WHERE abi = 4",
	"DELETE FROM generation_set WHERE stage = 2 AND abi = 3",
	"UPDATE generation_denied SET calls = zeroblob(80)",
	"UPDATE generation_denied SET abi = 1000000000000 WHERE abi = 4",
	"UPDATE generation_denied SET eperm = zeroblob(71)",
	"UPDATE generation_denied SET eperm = zeroblob(72)",
	"UPDATE generation_denied SET eperm = NULL",
	"UPDATE generation_denied SET eperm = calls",
	"DELETE FROM generation_denied WHERE abi = 0",
	"UPDATE generation SET state = 3",
	"UPDATE generation SET state = -1",
	"UPDATE generation SET descendants = 0",
	"UPDATE generation SET digest = 'sha256:' || hex(zeroblob(32))",
	"UPDATE generation SET digest = hex(zeroblob(500))",
	"UPDATE generation SET digest = ''",
	("INSERT INTO generation_image SELECT 1, 1, key FROM json_each('[' || substr("
	 "replace(hex(zeroblob(99)), '00', ',1'), 2) || ']')"),
};

static void what_was_spoiled_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		_generation_ struct generation g, back = { .number = 77 };
		struct generation *all = NULL;
		size_t cnt = 77;

		fill(&g);
		IN_TRANSACTION
		assert_int_equal(store_generation_add(st, add_workload("podman/web", "web"), &g),
				 0);
		spoil_db(spoils[i]);
		if (store_generation_get(st, 1, 1, &back) != -EUCLEAN)
			fail_msg("%s", spoils[i]);
		assert_non_null(strstr(store_error(st), "tamis.db: "));
		assert_int_equal(back.number, 77);
		assert_int_equal(store_generations(st, 1, &all, &cnt), -EUCLEAN);
		assert_null(all);
		assert_int_equal(cnt, 77);
		assert_int_equal(drop_dir(NULL), 0);
		assert_int_equal(open_store(NULL), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_read_is_what_was_made),
		TEST(nothing_in_it_is_a_generation_too),
		TEST(numbers),
		TEST(a_new_image_makes_a_new_one),
		TEST(its_state_changes_and_nothing_else),
		TEST(what_is_not_there_is_not_filled_in),
		TEST(it_is_made_whole_or_not_at_all),
		TEST(what_was_spoiled_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
