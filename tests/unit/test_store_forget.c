/* SPDX-License-Identifier: Apache-2.0 */
/* What is forgotten stays forgotten, until it is made again. */
#include <errno.h>

#include "store_fixture.h"

/* A workload "k" that runs as instance "i" since unit 1, and showed this. */
static int64_t w, i, u1, u2;

static void show(void)
{
	w = add_workload("k", "name");
	u1 = add_unit(NOW);
	u2 = add_unit(NOW + 60);
	i = add_instance("i", w, NOW);
	add_calls(i, u1, TAMIS_WORKLOAD, SET(1, 2), NOW + 1);
	add_calls(i, u1, TAMIS_SESSION, SET(1), NOW + 1);
	add_calls(i, u2, TAMIS_WORKLOAD, SET(2, 3), NOW + 61);
}

static int open_shown(void **state)
{
	int r = open_store(state);

	if (r == 0)
		IN_TRANSACTION show();
	return r;
}

/* --- a call ------------------------------------------------------------------------------ */

static void a_call_goes_from_all_stages(void **state)
{
	const struct policy_origin made = {
		.nr = 1, .stage = TAMIS_WORKLOAD, .first = NOW, .pid = 9, .comm = "c", .exe = "/c"
	};
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		assert_stored(store_origin(st, i, &made));
		assert_stored(store_forget_call(st, w, TAMIS_ABI_X86_64, 1));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(2, 3));
	assert_set(learned_in(w, TAMIS_SESSION), SET(-1));
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(o[0].nr, 2);
	assert_int_equal(o[1].nr, 3);
	store_origins_free(o, cnt);
	assert_int_equal(broken_rule(), 0);
}

static const struct {
	int64_t workload; /* 0: the one there is */
	int abi;
	uint32_t nr;
	int r;
} calls_asked[] = {
	{ 0, TAMIS_ABI_X86_64, 9, -ENOENT },  { 0, TAMIS_ABI_I386, 1, -ENOENT },
	{ 99, TAMIS_ABI_X86_64, 1, -ENOENT }, { 0, TAMIS_ABI_X86_64, TAMIS_CALLS, -EINVAL },
	{ 0, TAMIS_ABI_MAX, 1, -EINVAL },     { 0, TAMIS_ABI_X86_64, 1, 0 },
	{ 0, TAMIS_ABI_X86_64, 1, -ENOENT }, /* already */
};

static void only_what_was_seen_can_be_forgotten(void **state)
{
	assert_int_equal(store_forget_call(st, w, 0, 1), -EINVAL); /* no transaction */
	IN_TRANSACTION
	{
		for (size_t n = 0; n < ARRAY_SIZE(calls_asked); n++)
			assert_int_equal(store_forget_call(st, calls_asked[n].workload ?: w,
							   (enum tamis_abi)calls_asked[n].abi,
							   calls_asked[n].nr),
					 calls_asked[n].r);
	}
}

/* Call 1 is forgotten in unit 2, then the daemon brings something; unit 3 is a later one. */
static const struct {
	const char *what;
	bool before;
	int unit;
	enum tamis_stage stage;
	int nr;
	bool learned;
} brought[] = {
	{ "made before", false, 1, TAMIS_WORKLOAD, 1, false },
	{ "in the unit under way", false, 2, TAMIS_WORKLOAD, 1, false },
	{ "in a stage that it wasn't seen in yet", false, 2, TAMIS_SETUP, 1, false },
	{ "later", false, 3, TAMIS_WORKLOAD, 1, true },
	{ "nobody knows when", true, 3, TAMIS_WORKLOAD, 1, false },
	{ "nobody knows when, nor forgotten", true, 3, TAMIS_WORKLOAD, 7, true },
	{ "another one", false, 2, TAMIS_WORKLOAD, 7, true },
};

static void the_same_call_is_not_learned_again(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(brought); n++) {
		struct sysset set = SET(brought[n].nr), is;
		int64_t unit;

		assert_stored(store_begin(st));
		assert_stored(store_forget_call(st, w, 0, 1));
		unit = brought[n].unit == 3 ? add_unit(NOW + 120) : brought[n].unit == 2 ? u2 : u1;
		assert_stored((brought[n].before ? store_calls_before : store_calls)(
			st, i, unit, brought[n].stage, 0, &set, NOW + 130));
		is = learned_in(w, brought[n].stage);
		if (sysset_has(&is, (unsigned)brought[n].nr) != brought[n].learned)
			fail_msg("%s", brought[n].what);
		store_rollback(st);
	}
}

/* Each has its own unit: 2 was made in unit 2, after 1 was forgotten, before 3 was. */
static void forgetting_more_masks_no_more_of_the_first(void **state)
{
	int64_t u3, v, j;

	IN_TRANSACTION
	{
		v = add_workload("other", NULL);
		j = add_instance("j", v, NOW);
		add_calls(j, u2, TAMIS_WORKLOAD, SET(1, 3), NOW);
		assert_stored(store_forget_call(st, v, 0, 1));
		u3 = add_unit(NOW + 120);
		add_calls(j, u3, TAMIS_WORKLOAD, SET(3), NOW + 121);
		(void)add_unit(NOW + 180);
		assert_stored(store_forget_call(st, v, 0, 3));
		add_calls(j, u3, TAMIS_WORKLOAD, SET(1, 3), NOW + 181); /* drained late */
	}
	assert_set(learned_in(v, TAMIS_WORKLOAD), SET(1));
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 3)); /* another workload's */
}

/* A daemon that just began takes all for gone, until it has looked: that is no new life. */
static void those_just_taken_for_gone_are_masked_too(void **state)
{
	struct sysset set = SET(1);

	IN_TRANSACTION
	{
		assert_stored(store_instances_gone(st, NULL, 0, NOW + 70));
		assert_stored(store_forget_call(st, w, 0, 1));
		assert_int_equal(add_instance("i", w, NOW + 71), i);
		assert_stored(store_calls_before(st, i, u2, TAMIS_WORKLOAD, 0, &set, NOW + 72));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(2, 3));
}

static void units_without_a_call_left_dont_count(void **state)
{
	struct store_row row;

	IN_TRANSACTION
	{
		assert_stored(store_forget_call(st, w, 0, 3));
		assert_stored(store_forget_call(st, w, 0, 2));
	}
	row = row_of("k");
	assert_int_equal(row.evidence.units, 1);
	assert_int_equal(row.calls, 1);
	store_row_done(&row);
	assert_int_equal(broken_rule(), 0);
}

static void origins_of_the_forgotten_come_no_more(void **state)
{
	const struct policy_origin late = {
		.nr = 1, .stage = TAMIS_WORKLOAD, .first = NOW, .pid = 9, .comm = "c", .exe = "/c"
	};
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		assert_stored(store_forget_call(st, w, 0, 1));
		assert_stored(store_origin(st, i, &late)); /* waited in the daemon */
		add_calls(i, add_unit(NOW + 120), TAMIS_WORKLOAD, SET(1), NOW + 121);
	}
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 1)->first, NOW + 120);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 1)->pid, 0);
	store_origins_free(o, cnt);
}

/* --- a workload -------------------------------------------------------------------------- */

static const char *const tables[] = { "workload", "instance",  "observation", "learned", "call",
				      "alias",	  "forgotten", "baseline",    "inner" };

static void what_is_gone_leaves_nothing(void **state)
{
	bool running = true;

	IN_TRANSACTION
	{
		assert_stored(store_forget_call(st, w, 0, 1));
		assert_stored(store_inner(st, w, "docker/1", NOW));
		assert_stored(store_rename(st, w, "shop", "shop"));
		end_instance("i", w, NOW + 70);
		assert_stored(store_forget(st, w, &running));
		assert_false(running);
		assert_int_equal(store_forget(st, w, &running), -ENOENT);
	}
	for (size_t n = 0; n < ARRAY_SIZE(tables); n++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[n]);
		assert_int_equal(ask_db(sql), 0);
	}
}

static void others_are_left_alone(void **state)
{
	bool running;
	int64_t v;

	IN_TRANSACTION
	{
		v = add_workload("other", NULL);
		add_calls(add_instance("j", v, NOW), u1, TAMIS_WORKLOAD, SET(5), NOW);
		end_instance("i", w, NOW + 70);
		assert_stored(store_forget(st, w, &running));
	}
	assert_set(learned_in(v, TAMIS_WORKLOAD), SET(5));
	assert_int_equal(ask_db("SELECT count(*) FROM observation"), 1);
	assert_int_equal(broken_rule(), 0);
}

/* As the daemon says it again and again, from the kernel's totals. */
static void say(const char *instance, bool running, uint64_t starts, uint64_t full)
{
	const struct store_instance row = { .instance = instance,
					    .workload = w,
					    .path = "/x",
					    .running = running,
					    .starts = starts,
					    .lost = { .lost_full = full, .leaves = full },
					    .leave_comm = full ? "sshd" : NULL,
					    .leave_path = full ? "/user" : NULL };
	int64_t id;

	assert_stored(store_instance(st, &row, NOW + 100, &id));
	if (strcmp(instance, "i") == 0)
		assert_int_equal(id, i);
}

static void forget_running(void)
{
	bool running = false;

	say("i", true, 1, 5);
	assert_stored(store_forget(st, w, &running));
	assert_true(running);
}

static struct evidence evidence_of(const char *key)
{
	struct store_row row = row_of(key);
	struct evidence e = row.evidence;

	store_row_done(&row);
	return e;
}

static void what_runs_begins_anew(void **state)
{
	struct store_row row;

	IN_TRANSACTION
	{
		add_calls(add_instance("gone", w, NOW), u1, TAMIS_WORKLOAD, SET(9), NOW);
		end_instance("gone", w, NOW + 1);
		forget_running();
		say("i", true, 1, 5);
		add_calls(i, u2, TAMIS_WORKLOAD, SET(1, 2, 3), NOW + 100);
		add_calls(i, u2, TAMIS_SETUP, SET(500), NOW + 100);
	}
	row = row_of("k");
	assert_true(row.running);
	assert_int_equal(row.calls, 0);
	assert_int_equal(row.replicas, 1);
	assert_int_equal(row.evidence.units, 0);
	assert_int_equal(row.evidence.starts, 0);
	assert_int_equal(row.evidence.last, 0);
	assert_int_equal(row.evidence.since, NOW + 60);
	assert_int_equal(row.evidence.lost_full, 0);
	assert_int_equal(row.evidence.lost_gaps, 1);
	assert_int_equal(row.evidence.leaves, 0);
	assert_null(row.leave_comm);
	store_row_done(&row);
	assert_int_equal(broken_rule(), 0);
}

static void what_is_called_later_is_learned(void **state)
{
	struct sysset before = SET(1, 2, 3);
	struct store_row row;
	int64_t u3;

	IN_TRANSACTION
	{
		forget_running();
		u3 = add_unit(NOW + 120);
		assert_stored(store_calls_before(st, i, u3, TAMIS_WORKLOAD, 0, &before, NOW + 121));
		assert_set(learned_in(w, TAMIS_WORKLOAD), SET(-1));
		add_calls(i, u3, TAMIS_WORKLOAD, SET(2), NOW + 122);
		say("i", true, 1, 7);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(2));
	row = row_of("k");
	assert_int_equal(row.evidence.units, 1);
	assert_int_equal(row.evidence.lost_full, 2);
	assert_int_equal(row.evidence.leaves, 2);
	assert_string_equal(row.leave_comm, "sshd");
	assert_true(evidence_is_partial(&row.evidence));
	store_row_done(&row);
}

/* What happens after a forgetting, and whether the workload is then whole. */
static const struct {
	const char *what;
	bool calls_later; /* of the instance that was forgotten */
	bool goes;
	uint64_t next_starts; /* of the next instance; 0: its start was not seen */
	bool next;
	bool listed, partial;
	uint64_t replicas;
} lives[] = {
	{ "runs on", true, false, 0, false, true, true, 1 },
	{ "gone, with calls", true, true, 0, false, true, true, 1 },
	{ "gone, without", false, true, 0, false, false, true, 0 },
	{ "one more starts beside it", true, false, 1, true, true, false, 2 },
	{ "one starts after it", true, true, 1, true, true, false, 2 },
	{ "one starts after it, which left nothing", false, true, 1, true, true, false, 1 },
	{ "one whose start was missed", false, true, 0, true, true, true, 1 },
};

static void the_next_start_makes_it_whole(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(lives); n++) {
		assert_stored(store_begin(st));
		forget_running();
		if (lives[n].calls_later)
			add_calls(i, add_unit(NOW + 120), TAMIS_WORKLOAD, SET(1), NOW + 121);
		say("i", !lives[n].goes, 1, 5);
		if (lives[n].next)
			say("j", true, lives[n].next_starts, 0);
		(void)add_unit(NOW + 180);
		if (is_listed("k") != lives[n].listed)
			fail_msg("%s: not listed, or is", lives[n].what);
		if (lives[n].listed) {
			struct store_row row = row_of("k");

			if (evidence_is_partial(&row.evidence) != lives[n].partial)
				fail_msg("%s: partial, or isn't", lives[n].what);
			assert_int_equal(row.replicas, lives[n].replicas);
			store_row_done(&row);
		}
		store_rollback(st);
	}
}

static void gaps_of_others_stay(void **state)
{
	struct evidence e;

	IN_TRANSACTION
	{
		forget_running();
		say("j", true, 1, 0);
		assert_stored(store_instance_gap(st, "j"));
	}
	e = evidence_of("k");
	assert_int_equal(e.lost_gaps, 1);
	assert_true(evidence_is_partial(&e));
}

static void forgetting_twice_is_forgetting_once(void **state)
{
	bool running;

	IN_TRANSACTION
	{
		forget_running();
		add_calls(i, add_unit(NOW + 120), TAMIS_WORKLOAD, SET(2), NOW + 121);
		assert_stored(store_forget(st, w, &running));
		add_calls(i, add_unit(NOW + 180), TAMIS_WORKLOAD, SET(3), NOW + 181);
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(3));
	assert_int_equal(evidence_of("k").lost_gaps, 1);
	assert_int_equal(broken_rule(), 0);
}

static void alias_names_are_forgotten_too(void **state)
{
	bool running;
	int64_t again;

	IN_TRANSACTION
	{
		assert_stored(store_rename(st, w, "shop", "shop"));
		assert_stored(store_forget(st, w, &running));
		assert_true(is_listed("shop"));
		again = add_workload("k", "name");
		assert_int_not_equal(again, w);
		assert_int_equal(add_instance("i", again, NOW + 100), i); /* it moves, masked */
		add_calls(i, u2, TAMIS_WORKLOAD, SET(1, 2), NOW + 100);
	}
	assert_false(is_listed("shop"));
	assert_set(learned_in(again, TAMIS_WORKLOAD), SET(-1));
	assert_int_equal(evidence_of("k").lost_gaps, 1);
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shown, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_goes_from_all_stages),
		TEST(only_what_was_seen_can_be_forgotten),
		TEST(the_same_call_is_not_learned_again),
		TEST(forgetting_more_masks_no_more_of_the_first),
		TEST(those_just_taken_for_gone_are_masked_too),
		TEST(units_without_a_call_left_dont_count),
		TEST(origins_of_the_forgotten_come_no_more),
		TEST(what_is_gone_leaves_nothing),
		TEST(others_are_left_alone),
		TEST(what_runs_begins_anew),
		TEST(what_is_called_later_is_learned),
		TEST(the_next_start_makes_it_whole),
		TEST(gaps_of_others_stay),
		TEST(forgetting_twice_is_forgetting_once),
		TEST(alias_names_are_forgotten_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
