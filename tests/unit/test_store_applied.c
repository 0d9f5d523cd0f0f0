/* SPDX-License-Identifier: Apache-2.0 */
/* What is applied to workloads, and that such a one is not lost. */
#include <errno.h>

#include "generation_fixture.h"

static int64_t web, other;

/* web has generations 1 to 3, other one. */
static void fill(void)
{
	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		other = add_workload("podman/other", "other");
		for (unsigned nr = 1; nr <= 3; nr++)
			add_generation(web, nr);
		add_generation(other, 7);
	}
}

static void what_is_set_is_there(void **state)
{
	const struct store_applied a = {
		.mode = MODE_ENFORCE,
		.generation = 3,
		.good = 2,
		.replace = true,
		.unconfined = false,
		.keep_new_image = true,
		.since = NOW + 7,
	};
	struct store_applied back = { .since = 77 };

	fill();
	assert_int_equal(applied_to(web).mode, MODE_OBSERVE);
	assert_int_equal(store_applied_set(st, web, &a), -EINVAL); /* no transaction */
	IN_TRANSACTION
	assert_stored(store_applied_set(st, web, &a));
	assert_stored(store_applied_get(st, web, &back));
	assert_int_equal(back.mode, MODE_ENFORCE);
	assert_int_equal(back.generation, 3);
	assert_int_equal(back.good, 2);
	assert_true(back.replace);
	assert_false(back.unconfined);
	assert_true(back.keep_new_image);
	assert_int_equal(back.since, NOW + 7);
	assert_int_equal(applied_to(other).mode, MODE_OBSERVE);
	assert_int_equal(applied_to(other).generation, 0);
	IN_TRANSACTION
	apply_generation(web, MODE_SHADOW, 1);
	assert_int_equal(applied_to(web).mode, MODE_SHADOW);
	assert_int_equal(applied_to(web).good, 0);
	assert_int_equal(broken_rule(), 0);
}

static void what_probation_is_given_is_there(void **state)
{
	static const struct {
		bool keep, probe, keeps, probes;
		enum probation_rule rule;
	} t[] = {
		{ false, true, false, true, PROBATION_ASK },
		{ true, false, true, false, PROBATION_DENY },
		{ false, false, false, false, PROBATION_LEARN },
		{ true, true, true, false, PROBATION_LEARN },
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct store_applied a = {
			.mode = MODE_PROBATION,
			.generation = 3,
			.keep_new_image = t[i].keep,
			.probe_new_image = t[i].probe,
			.rule = t[i].rule,
			.since = NOW,
		};

		IN_TRANSACTION
		assert_stored(store_applied_set(st, web, &a));
		assert_int_equal(applied_to(web).mode, MODE_PROBATION);
		assert_int_equal(applied_to(web).rule, t[i].rule);
		assert_int_equal(applied_to(web).keep_new_image, t[i].keeps);
		assert_int_equal(applied_to(web).probe_new_image, t[i].probes);
		assert_int_equal(applied_to(web).since, NOW);
	}
	assert_int_equal(broken_rule(), 0);
}

static void only_what_there_is_can_be_applied(void **state)
{
	const struct {
		struct store_applied a;
		int64_t *workload;
		int r;
	} rows[] = {
		{ { .mode = MODE_ENFORCE, .generation = 4 }, &web, -ENOENT },
		{ { .mode = MODE_ENFORCE, .generation = 0 }, &web, -ENOENT },
		{ { .mode = MODE_SHADOW, .generation = 2 }, &other, -ENOENT },
		{ { .mode = MODE_ENFORCE, .generation = 1, .good = 4 }, &web, -ENOENT },
		{ { .mode = MODE_MAX, .generation = 1 }, &web, -EINVAL },
		{ { .mode = MODE_PROBATION, .generation = 1, .rule = PROBATION_MAX },
		  &web,
		  -EINVAL },
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		IN_TRANSACTION
		assert_int_equal(store_applied_set(st, *rows[i].workload, &rows[i].a), rows[i].r);
		assert_int_equal(applied_to(*rows[i].workload).mode, MODE_OBSERVE);
	}
}

static void those_in_observe_are_not_listed(void **state)
{
	int64_t *ids = NULL;
	size_t cnt = 77;

	fill();
	assert_stored(store_applied_list(st, &ids, &cnt));
	assert_int_equal(cnt, 0);
	free(ids);
	IN_TRANSACTION
	{
		apply_generation(other, MODE_SHADOW, 1);
		apply_generation(web, MODE_ENFORCE, 2);
	}
	assert_stored(store_applied_list(st, &ids, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(ids[0], web);
	assert_int_equal(ids[1], other);
	free(ids);
	IN_TRANSACTION
	apply_generation(web, MODE_OBSERVE, 0);
	assert_stored(store_applied_list(st, &ids, &cnt));
	assert_int_equal(cnt, 1);
	assert_int_equal(ids[0], other);
	free(ids);
	assert_int_equal(count_generations(web), 3);
}

static void rows_say_it(void **state)
{
	const struct store_workload opted = { .key = "podman/other", .opted_out = true };
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int64_t id;

	fill();
	IN_TRANSACTION
	{
		apply_generation(web, MODE_ENFORCE, 2);
		assert_stored(store_generation_state(st, web, 2, GENERATION_FAILED, "bpf"));
		assert_stored(store_workload(st, &opted, NOW, &id));
	}
	assert_stored(store_list(st, &rows, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(rows[0].id, other);
	assert_true(rows[0].opted_out);
	assert_int_equal(rows[0].mode, MODE_OBSERVE);
	assert_int_equal(rows[0].generation, 0);
	assert_false(rows[1].opted_out);
	assert_int_equal(rows[1].mode, MODE_ENFORCE);
	assert_int_equal(rows[1].generation, 2);
	assert_int_equal(rows[1].generation_state, GENERATION_FAILED);
	for (size_t i = 0; i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	IN_TRANSACTION
	add_workload("podman/other", NULL);
	rows = calloc(1, sizeof(*rows));
	*rows = row_of("other");
	assert_false(rows->opted_out);
	store_row_done(rows);
	free(rows);
}

/* Values that no version of tamis wrote. */
static void what_was_spoiled_is_refused(void **state)
{
	static const char *const spoils[] = {
		"UPDATE applied SET mode = 4",	      "UPDATE applied SET mode = -1",
		"UPDATE applied SET generation = -1", "UPDATE applied SET generation = 1 << 32",
		"UPDATE applied SET good = 1 << 40",  "UPDATE applied SET rule = 3",
		"UPDATE applied SET rule = -1",	      "UPDATE applied SET keep_new_image = 3",
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct store_applied back = { .since = 77 };

		IN_TRANSACTION
		apply_generation(web, MODE_ENFORCE, 2);
		spoil_db(spoils[i]);
		assert_int_equal(store_applied_get(st, web, &back), -EUCLEAN);
		assert_int_equal(back.since, 77);
		if (strstr(spoils[i], "mode") || strstr(spoils[i], "generation"))
			assert_false(is_listed("podman/web"));
	}
}

/* --- what goes, and what doesn't ----------------------------------------------------------- */

static void what_is_applied_is_not_forgotten(void **state)
{
	bool running = true;

	fill();
	for (int runs = 0; runs < 2; runs++) {
		IN_TRANSACTION
		{
			apply_generation(web, runs ? MODE_ENFORCE : MODE_SHADOW, 1);
			if (runs)
				add_instance("i", web, NOW);
			assert_int_equal(store_forget(st, web, &running), -EBUSY);
			assert_true(running);
		}
		assert_non_null(strstr(store_error(st), "applied"));
		assert_int_equal(count_generations(web), 3);
	}
}

static void forgetting_takes_generations_and_verdicts_along(void **state)
{
	fill();
	for (int runs = 0; runs < 2; runs++) {
		int64_t id = runs ? web : other;
		bool running = !runs;

		IN_TRANSACTION
		{
			assert_stored(store_verdict_set(st, id, 0, 321, VERDICT_DENY, NOW));
			if (runs)
				add_instance("i", id, NOW);
			assert_stored(store_forget(st, id, &running));
		}
		assert_int_equal(running, runs);
		assert_int_equal(count_generations(id), 0);
		assert_false(sysset_has(&said_of(id).denied[0], 321));
	}
	/* It begins anew. */
	IN_TRANSACTION
	assert_int_equal(add_generation(web, 9), 1);
	assert_int_equal(broken_rule(), 0);
}

static void generations_keep_a_forgotten_call(void **state)
{
	_generation_ struct generation g = { 0 };
	int64_t w;

	fill();
	IN_TRANSACTION
	{
		w = add_workload("podman/web", NULL);
		add_calls(add_instance("i", w, NOW), add_unit(NOW), TAMIS_WORKLOAD, SET(1), NOW);
		assert_stored(store_verdict_set(st, w, 0, 1, VERDICT_ALLOW, NOW));
		apply_generation(w, MODE_ENFORCE, 1);
		assert_stored(store_forget_call(st, w, 0, 1));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), NO_CALLS);
	assert_stored(store_generation_get(st, w, 1, &g));
	assert_set(g.learned.set[TAMIS_WORKLOAD][0], SET(1));
	assert_true(sysset_has(&said_of(w).allowed[0], 1));
	assert_int_equal(applied_to(w).generation, 1);
}

static void merging_ends_what_is_applied_to_the_others(void **state)
{
	int64_t third, from[2];

	fill();
	IN_TRANSACTION
	{
		from[0] = other;
		from[1] = third = add_workload("podman/third", NULL);
		add_generation(third, 5);
		apply_generation(web, MODE_ENFORCE, 2);
		apply_generation(other, MODE_ENFORCE, 1);
		apply_generation(third, MODE_SHADOW, 1);
		assert_stored(store_merge(st, web, from, 2));
	}
	assert_int_equal(applied_to(web).generation, 2);
	assert_int_equal(count_generations(web), 3);
	assert_int_equal(count_generations(other), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM applied"), 1);
	assert_int_equal(broken_rule(), 0);
}

static void a_renamed_one_keeps_it(void **state)
{
	int64_t id = 0;

	fill();
	IN_TRANSACTION
	{
		apply_generation(web, MODE_ENFORCE, 2);
		assert_stored(store_rename(st, web, "podman/shop", "shop"));
		assert_int_equal(add_workload("podman/web", "web"), web);
	}
	assert_stored(store_workload_id(st, "podman/web", &id));
	assert_int_equal(id, web);
	assert_stored(store_workload_id(st, "podman/shop", &id));
	assert_int_equal(id, web);
	assert_int_equal(store_workload_id(st, "podman/sho", &id), -ENOENT);
	assert_int_equal(store_workload_id(st, "web", &id), -ENOENT);
	assert_int_equal(applied_to(id).generation, 2);
	assert_int_equal(count_generations(id), 3);
}

static void it_is_not_pruned(void **state)
{
	const struct store_prune all = { .gone_before = NOW + 1000 };
	struct store_pruned pruned = { 0 };

	fill();
	IN_TRANSACTION
	{
		apply_generation(web, MODE_SHADOW, 1);
		assert_stored(store_prune(st, &all, NULL, NULL, &pruned));
	}
	assert_int_equal(pruned.workloads, 1);
	assert_true(is_listed("podman/web"));
	assert_false(is_listed("podman/other"));
}

/* As long as others can go instead, and when none can. */
static void it_makes_no_room(void **state)
{
	int64_t first[3];
	char key[32];

	IN_TRANSACTION
	{
		for (int i = 0; i < STORE_OWNER_MAX + 3; i++) {
			int64_t id;

			snprintf(key, sizeof(key), "podman/w%04d", i);
			id = add_workload(key, NULL);
			if (i < 3) {
				first[i] = id;
				add_generation(id, 1);
				apply_generation(id, MODE_ENFORCE, 1);
			}
		}
	}
	assert_int_equal(count_workloads(), STORE_OWNER_MAX);
	for (int i = 0; i < 3; i++)
		assert_int_equal(applied_to(first[i]).generation, 1);
	assert_false(is_listed("podman/w0003"));
	assert_true(is_listed("podman/w0006"));
	spoil_db(
		"INSERT INTO generation SELECT id, 1, 0, NULL, '', 0, 0, NULL, 0, 0, 0, 0, 0, 0,"
		" 0, 0, 0, 0 FROM workload WHERE id > 3;"
		"INSERT OR IGNORE INTO applied SELECT id, 2, 1, NULL, 0, 0, 0, 0, 0 FROM workload");
	IN_TRANSACTION
	add_workload("podman/more", NULL);
	assert_int_equal(count_workloads(), STORE_OWNER_MAX + 1);
}

/* Its engine's name came late, its only instance is another's: what is applied is not dropped. */
static void one_without_instances_stays(void **state)
{
	fill();
	IN_TRANSACTION
	{
		add_instance("i", web, NOW);
		add_instance("j", other, NOW);
		apply_generation(web, MODE_ENFORCE, 1);
	}
	IN_TRANSACTION
	{
		int64_t late = add_workload("podman/late", NULL);

		add_instance("i", late, NOW + 1);
		add_instance("j", late, NOW + 1);
	}
	assert_true(is_listed("podman/web"));
	assert_false(is_listed("podman/other"));
	assert_int_equal(applied_to(web).generation, 1);
}

/* Forgotten while it ran, then a person decided: idle until it went, it would be dropped. */
static void one_that_was_forgotten_stays(void **state)
{
	static const char *const keys[] = { "podman/a", "podman/b", "podman/c" };
	int64_t id[3];
	bool running;

	IN_TRANSACTION
	{
		add_unit(NOW);
		for (int i = 0; i < 3; i++) {
			id[i] = add_workload(keys[i], NULL);
			add_instance(keys[i], id[i], NOW);
			assert_stored(store_forget(st, id[i], &running));
		}
		add_generation(id[0], 1);
		apply_generation(id[0], MODE_SHADOW, 1);
		assert_stored(store_verdict_set(st, id[1], 0, 1, VERDICT_DENY, NOW));
		for (int i = 0; i < 3; i++)
			end_instance(keys[i], id[i], NOW + 1);
		add_unit(NOW + 60);
	}
	assert_true(is_listed("podman/a"));
	assert_true(is_listed("podman/b"));
	assert_false(is_listed("podman/c"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_set_is_there),
		TEST(what_probation_is_given_is_there),
		TEST(only_what_there_is_can_be_applied),
		TEST(those_in_observe_are_not_listed),
		TEST(rows_say_it),
		TEST(what_was_spoiled_is_refused),
		TEST(what_is_applied_is_not_forgotten),
		TEST(forgetting_takes_generations_and_verdicts_along),
		TEST(generations_keep_a_forgotten_call),
		TEST(merging_ends_what_is_applied_to_the_others),
		TEST(a_renamed_one_keeps_it),
		TEST(it_is_not_pruned),
		TEST(it_makes_no_room),
		TEST(one_without_instances_stays),
		TEST(one_that_was_forgotten_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
