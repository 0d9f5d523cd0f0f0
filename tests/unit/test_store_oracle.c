/* SPDX-License-Identifier: Apache-2.0 */
/* Oracles in the store: a row each, what they said, how often they were asked. */
#include <errno.h>

#include "policy/oracles.h"
#include "store_fixture.h"

static struct store_oracle fullest(int64_t workload)
{
	return (struct store_oracle){
		.workload = workload,
		.production = "container:web",
		.hardened = "img:asan",
		.is_image = true,
		.replay = "curl x",
		.window_s = 15,
		.bootstrap = true,
		.by_rule = true,
		.per_hour = 60,
		.state = ORACLE_WINDOW,
		.since = NOW * 1000LL,
		.deadline = NOW * 1000LL + 15000,
		.tries = 2,
		.abi = TAMIS_ABI_I386,
		.nr = 25,
		.loops = 3,
		.learned = 4,
		.rejected = 5,
		.saved = 6,
		.failures = 7,
		.began = NOW,
		.why = "it is well",
	};
}

/* The row of a loop, as SQL shows it: each member at its place. */
static void assert_same(const struct store_oracle *a, const struct store_oracle *b)
{
	assert_int_equal(a->workload, b->workload);
	assert_string_equal(a->production, b->production);
	assert_string_equal(a->hardened, b->hardened);
	assert_int_equal(a->is_image, b->is_image);
	assert_string_equal(a->replay ? a->replay : "-", b->replay ? b->replay : "-");
	assert_int_equal(a->window_s, b->window_s);
	assert_int_equal(a->bootstrap, b->bootstrap);
	assert_int_equal(a->by_rule, b->by_rule);
	assert_int_equal(a->per_hour, b->per_hour);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->since, b->since);
	assert_int_equal(a->deadline, b->deadline);
	assert_int_equal(a->tries, b->tries);
	assert_int_equal(a->abi, b->abi);
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->loops, b->loops);
	assert_int_equal(a->learned, b->learned);
	assert_int_equal(a->rejected, b->rejected);
	assert_int_equal(a->saved, b->saved);
	assert_int_equal(a->failures, b->failures);
	assert_int_equal(a->began, b->began);
	assert_string_equal(a->why ? a->why : "-", b->why ? b->why : "-");
}

static void a_row_is_kept_whole(void **state)
{
	struct store_oracle o, plain = { .production = "unit:web.service", .hardened = "/bin/web" };
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		o = fullest(w);
		assert_stored(store_oracle_set(st, &o));
	}
	{
		_oracle_ struct store_oracle got = { 0 };

		assert_stored(store_oracle_get(st, w, &got));
		assert_same(&got, &o);
	}
	plain.workload = w;
	IN_TRANSACTION
	assert_stored(store_oracle_set(st, &plain));
	{
		_oracle_ struct store_oracle got = { 0 };

		assert_stored(store_oracle_get(st, w, &got));
		assert_same(&got, &plain);
	}
	IN_TRANSACTION
	assert_stored(store_oracle_remove(st, w));
	assert_int_equal(store_oracle_get(st, w, &o), -ENOENT);
	assert_int_equal(broken_rule(), 0);
}

static void each_workload_has_its_own(void **state)
{
	struct store_oracle *list = NULL;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		for (int i = 0; i < 3; i++) {
			char key[16];
			struct store_oracle o;

			snprintf(key, sizeof(key), "podman/%d", i);
			o = fullest(add_workload(key, NULL));
			o.window_s = 10 + (uint32_t)i;
			assert_stored(store_oracle_set(st, &o));
		}
	}
	assert_stored(store_oracles(st, &list, &cnt));
	assert_int_equal(cnt, 3);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(list[i].window_s, 10 + i);
		store_oracle_done(&list[i]);
	}
	free(list);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct store_oracle o = fullest(1);

	assert_int_equal(store_oracle_set(st, &o), -EINVAL); /* no transaction */
	IN_TRANSACTION
	{
		int64_t w = add_workload("podman/web", "web");

		o = fullest(w);
		o.production = NULL;
		assert_int_equal(store_oracle_set(st, &o), -EINVAL);
		o = fullest(w);
		o.hardened = NULL;
		assert_int_equal(store_oracle_set(st, &o), -EINVAL);
		o = fullest(w);
		o.state = ORACLE_STATE_MAX;
		assert_int_equal(store_oracle_set(st, &o), -EINVAL);
		o = fullest(w);
		o.abi = TAMIS_ABI_MAX;
		assert_int_equal(store_oracle_set(st, &o), -EINVAL);
		o = fullest(w);
		o.nr = TAMIS_CALLS + 1;
		assert_int_equal(store_oracle_set(st, &o), -EINVAL);
		assert_int_equal(store_oracle_get(st, w, &o), -ENOENT);
	}
}

static void spoiled_rows_are_refused(void **state)
{
	static const char *const spoil[] = {
		"UPDATE oracle SET state = 8",	     "UPDATE oracle SET abi = -1",
		"UPDATE oracle SET nr = 577",	     "UPDATE oracle SET window_s = -1",
		"UPDATE oracle SET tries = 1 << 32", "UPDATE oracle SET per_hour = -5",
		"UPDATE oracle SET failures = -5",
	};
	struct store_oracle o, *list = NULL;
	size_t cnt = 0;
	int64_t w = 0;

	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		IN_TRANSACTION
		{
			w = add_workload("podman/web", "web");
			o = fullest(w);
			assert_stored(store_oracle_set(st, &o));
		}
		spoil_db(spoil[i]);
		assert_int_equal(store_oracle_get(st, w, &o), -EUCLEAN);
		assert_int_equal(store_oracles(st, &list, &cnt), -EUCLEAN);
		assert_null(list);
	}
}

/* --- what it said ------------------------------------------------------------------------ */

static void say(int64_t w, uint32_t nr, bool rejected, uint32_t loop, const char *report)
{
	const struct store_oracle_call c = { .abi = TAMIS_ABI_X86_64,
					     .nr = nr,
					     .rejected = rejected,
					     .at = NOW + loop,
					     .loop = loop,
					     .report = (char *)report };

	assert_stored(store_oracle_call(st, w, &c));
}

/* "nr=rejected:loop:report " of each. */
static void assert_said(int64_t w, const char *expected)
{
	struct store_oracle_call *c = NULL;
	char text[256] = "";
	size_t cnt = 0, len = 0;

	assert_stored(store_oracle_calls(st, w, &c, &cnt));
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(c[i].at, NOW + c[i].loop);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u=%d:%u:%s ", c[i].nr,
					c[i].rejected, c[i].loop, c[i].report ? c[i].report : "-");
		free(c[i].report);
	}
	free(c);
	assert_string_equal(text, expected);
}

static void learned_never_takes_the_place_of_rejected(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		say(w, 59, true, 1, "heap-overflow");
		say(w, 25, false, 1, NULL);
		say(w, 25, false, 2, NULL);
		say(w, 59, false, 2, NULL);
	}
	assert_said(w, "25=0:2:- 59=1:1:heap-overflow ");
	IN_TRANSACTION
	{
		say(w, 25, true, 3, "x");
		say(w, 59, true, 3, "y");
	}
	assert_said(w, "25=1:3:x 59=1:3:y ");
}

static void a_persons_allowing_ends_a_rejection(void **state)
{
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		say(w, 59, true, 1, "r");
		say(w, 60, true, 1, "r");
		say(w, 25, false, 1, NULL);
		assert_stored(store_verdict_set(st, w, TAMIS_ABI_X86_64, 59, VERDICT_ALLOW, NOW));
		assert_stored(store_verdict_set(st, w, TAMIS_ABI_X86_64, 60, VERDICT_DENY, NOW));
		assert_stored(store_verdict_set(st, w, TAMIS_ABI_X86_64, 25, VERDICT_ALLOW, NOW));
	}
	assert_said(w, "25=0:1:- 60=1:1:r ");
}

static void words_out_of_range_are_refused(void **state)
{
	struct store_oracle_call c = { .abi = TAMIS_ABI_MAX };

	IN_TRANSACTION
	{
		int64_t w = add_workload("podman/web", "web");

		assert_int_equal(store_oracle_call(st, w, &c), -EINVAL);
		c = (struct store_oracle_call){ .nr = TAMIS_CALLS };
		assert_int_equal(store_oracle_call(st, w, &c), -EINVAL);
	}
}

static void loops_are_counted(void **state)
{
	uint32_t cnt = 99;
	int64_t w = 0, v = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		v = add_workload("podman/db", "db");
		for (int i = 0; i < 5; i++)
			assert_stored(store_oracle_loop_began(st, w, NOW + i * 100));
		assert_stored(store_oracle_loop_began(st, v, NOW));
	}
	assert_stored(store_oracle_loops_since(st, w, NOW + 200, &cnt));
	assert_int_equal(cnt, 3);
	assert_stored(store_oracle_loops_since(st, w, 0, &cnt));
	assert_int_equal(cnt, 5);
	/* those of long ago go, and those of a clock that was ahead */
	IN_TRANSACTION
	{
		assert_stored(store_oracle_loop_began(st, w, NOW + 100000));
		assert_stored(store_oracle_loops_since(st, w, 0, &cnt));
		assert_int_equal(cnt, 1);
		assert_stored(store_oracle_loop_began(st, w, NOW));
	}
	assert_stored(store_oracle_loops_since(st, w, 0, &cnt));
	assert_int_equal(cnt, 1);
	assert_stored(store_oracle_loops_since(st, v, 0, &cnt));
	assert_int_equal(cnt, 1);
}

/* --- with its workload ------------------------------------------------------------------- */

static void merging_takes_its_word(void **state)
{
	_oracle_ struct store_oracle kept = { 0 };
	struct store_oracle o;
	int64_t into = 0, from = 0;

	IN_TRANSACTION
	{
		into = add_workload("podman/a", "a");
		from = add_workload("podman/b", "b");
		o = fullest(into);
		assert_stored(store_oracle_set(st, &o));
		o = fullest(from);
		o.state = ORACLE_WATCH;
		assert_stored(store_oracle_set(st, &o));
		assert_stored(store_oracle_loop_began(st, from, NOW));
		say(into, 59, false, 1, "into");
		say(from, 59, true, 2, "from");
		say(from, 60, true, 2, "from");
		assert_stored(store_merge(st, into, &from, 1));
	}
	assert_said(into, "59=0:1:into 60=1:2:from ");
	assert_stored(store_oracle_get(st, into, &kept));
	assert_int_equal(ask_db("SELECT count(*) FROM oracle"), 1);
	assert_int_equal(ask_db("SELECT count(*) FROM oracle_loop"), 0);
	assert_int_equal(broken_rule(), 0);
}

static void one_at_work_is_not_merged(void **state)
{
	static const struct {
		enum oracle_state state;
		int r;
	} rows[] = {
		{ ORACLE_WATCH, 0 },	   { ORACLE_STOP, -EBUSY },   { ORACLE_TWIN, -EBUSY },
		{ ORACLE_WINDOW, -EBUSY }, { ORACLE_UNTWIN, -EBUSY }, { ORACLE_JUDGE, -EBUSY },
		{ ORACLE_START, -EBUSY },  { ORACLE_REST, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_oracle o;
		int64_t into, from;

		assert_stored(store_begin(st));
		into = add_workload("podman/a", "a");
		from = add_workload("podman/b", "b");
		o = fullest(from);
		o.state = rows[i].state;
		assert_stored(store_oracle_set(st, &o));
		assert_int_equal(store_merge(st, into, &from, 1), rows[i].r);
		store_rollback(st);
	}
}

static void a_workload_with_one_stays(void **state)
{
	struct store_pruned pruned = { 0 };
	struct store_oracle o;
	bool running = false;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/a", "a");
		o = fullest(w);
		assert_stored(store_oracle_set(st, &o));
		say(w, 59, true, 1, "r");
		assert_int_equal(store_forget(st, w, &running), -EBUSY);
		assert_non_null(strstr(store_error(st), "oracle"));
		assert_stored(store_prune(st, &(struct store_prune){ .gone_before = NOW + 1000 },
					  NULL, NULL, &pruned));
		assert_int_equal(pruned.workloads, 0);
	}
	assert_true(is_listed("podman/a"));
	IN_TRANSACTION
	{
		(void)add_instance("boot/1", w, NOW);
		assert_stored(store_oracle_loop_began(st, w, NOW));
		assert_stored(store_oracle_remove(st, w));
		assert_stored(store_forget(st, w, &running));
		assert_true(running);
	}
	assert_said(w, "");
	assert_int_equal(ask_db("SELECT count(*) FROM oracle_loop"), 0);
	assert_int_equal(broken_rule(), 0);
}

/* Many others may come; its engine's name came late. */
static void it_is_not_dropped(void **state)
{
	struct store_oracle o;
	int64_t w = 0, v, id;

	IN_TRANSACTION
	{
		w = add_workload("podman/a", "a");
		id = add_instance("boot/1", w, NOW);
		o = fullest(w);
		assert_stored(store_oracle_set(st, &o));
		v = add_workload("podman/b", "b");
		assert_int_equal(add_instance("boot/1", v, NOW + 1), id);
		for (int i = 0; i < STORE_OWNER_MAX + 3; i++) {
			char key[32];

			snprintf(key, sizeof(key), "podman/w%04d", i);
			(void)add_workload(key, NULL);
		}
	}
	assert_true(is_listed("podman/a"));
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_is_kept_whole),
		TEST(each_workload_has_its_own),
		TEST(what_makes_no_sense_is_refused),
		TEST(spoiled_rows_are_refused),
		TEST(learned_never_takes_the_place_of_rejected),
		TEST(a_persons_allowing_ends_a_rejection),
		TEST(words_out_of_range_are_refused),
		TEST(loops_are_counted),
		TEST(merging_takes_its_word),
		TEST(one_at_work_is_not_merged),
		TEST(a_workload_with_one_stays),
		TEST(it_is_not_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
