/* SPDX-License-Identifier: Apache-2.0 */
/* What a person said of calls, and what mining found: one word a call, kept. */
#include <errno.h>

#include "generation_fixture.h"
#include "policy/mines.h"

static int64_t web, other;

static void fill(void)
{
	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		other = add_workload("podman/other", "other");
	}
}

static void judge(int64_t workload, enum tamis_abi abi, uint32_t nr, enum store_verdict v)
{
	assert_stored(store_verdict_set(st, workload, abi, nr, v, NOW));
}

static void assert_said(int64_t workload, enum tamis_abi abi, struct sysset allowed,
			struct sysset denied)
{
	struct verdicts v = said_of(workload);

	assert_set(v.allowed[abi], allowed);
	assert_set(v.denied[abi], denied);
}

static void one_word_a_call(void **state)
{
	fill();
	IN_TRANSACTION
	{
		judge(web, TAMIS_ABI_X86_64, 0, VERDICT_ALLOW);
		judge(web, TAMIS_ABI_X86_64, 321, VERDICT_ALLOW);
		judge(web, TAMIS_ABI_X86_64, 101, VERDICT_DENY);
		judge(web, TAMIS_ABI_ARM, TAMIS_CALLS - 1, VERDICT_DENY);
		judge(other, TAMIS_ABI_X86_64, 101, VERDICT_ALLOW);
	}
	assert_said(web, TAMIS_ABI_X86_64, SET(0, 321), SET(101));
	assert_said(web, TAMIS_ABI_ARM, NO_CALLS, SET(TAMIS_CALLS - 1));
	assert_said(web, TAMIS_ABI_I386, NO_CALLS, NO_CALLS);
	assert_said(other, TAMIS_ABI_X86_64, SET(101), NO_CALLS);
	IN_TRANSACTION
	{
		judge(web, TAMIS_ABI_X86_64, 321, VERDICT_DENY);
		judge(web, TAMIS_ABI_X86_64, 101, VERDICT_NONE);
		judge(web, TAMIS_ABI_X86_64, 102, VERDICT_NONE);
	}
	assert_said(web, TAMIS_ABI_X86_64, SET(0), SET(321));
	assert_said(other, TAMIS_ABI_X86_64, SET(101), NO_CALLS);
	assert_int_equal(broken_rule(), 0);
}

static void out_of_range(void **state)
{
	fill();
	assert_int_equal(store_verdict_set(st, web, 0, 1, VERDICT_DENY, NOW), -EINVAL);
	IN_TRANSACTION
	{
		assert_int_equal(store_verdict_set(st, web, TAMIS_ABI_MAX, 1, VERDICT_DENY, NOW),
				 -EINVAL);
		assert_int_equal(store_verdict_set(st, web, 0, TAMIS_CALLS, VERDICT_DENY, NOW),
				 -EINVAL);
		assert_int_equal(store_verdict_set(st, web, 0, 1, VERDICT_DENY + 1, NOW), -EINVAL);
		assert_int_equal(store_verdict_set(st, 99, 0, 1, VERDICT_DENY, NOW), -EINVAL);
	}
	assert_said(web, 0, NO_CALLS, NO_CALLS);
	assert_int_equal(ask_db("SELECT count(*) FROM verdict"), 0);
}

static void what_was_spoiled_is_refused(void **state)
{
	static const char *const spoils[] = {
		"UPDATE verdict SET abi = 5",	  "UPDATE verdict SET abi = -1",
		"UPDATE verdict SET nr = 576",	  "UPDATE verdict SET nr = -1",
		"UPDATE verdict SET verdict = 3", "UPDATE verdict SET verdict = 0",
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct verdicts v, before;

		memset(&v, 0x55, sizeof(v));
		before = v;
		IN_TRANSACTION
		judge(web, TAMIS_ABI_I386, 26, VERDICT_DENY);
		spoil_db(spoils[i]);
		assert_int_equal(store_verdicts(st, web, &v), -EUCLEAN);
		assert_memory_equal(&v, &before, sizeof(v));
		spoil_db("DELETE FROM verdict");
	}
}

/* The word of the workload that stays counts, then of those that come, in their order. */
static void merging_joins_them(void **state)
{
	int64_t third, from[2];

	fill();
	IN_TRANSACTION
	{
		from[0] = other;
		from[1] = third = add_workload("podman/third", NULL);
		judge(web, 0, 1, VERDICT_DENY);
		judge(other, 0, 1, VERDICT_ALLOW);
		judge(other, 0, 2, VERDICT_ALLOW);
		judge(other, 0, 3, VERDICT_DENY);
		judge(third, 0, 2, VERDICT_DENY);
		judge(third, 0, 4, VERDICT_DENY);
		assert_stored(store_merge(st, web, from, 2));
	}
	assert_said(web, 0, SET(2), SET(1, 3, 4));
	assert_said(other, 0, NO_CALLS, NO_CALLS);
	assert_int_equal(broken_rule(), 0);
}

/* What is learned again later is denied still. */
static void a_forgotten_call_keeps_its_verdict(void **state)
{
	int64_t i;

	fill();
	IN_TRANSACTION
	{
		i = add_instance("i", web, NOW);
		add_calls(i, add_unit(NOW), TAMIS_WORKLOAD, SET(1, 321), NOW);
		judge(web, 0, 321, VERDICT_DENY);
		assert_stored(store_forget_call(st, web, 0, 321));
		add_calls(i, add_unit(NOW + 60), TAMIS_WORKLOAD, SET(321), NOW + 60);
	}
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(1, 321));
	assert_said(web, 0, NO_CALLS, SET(321));
}

static int mine(int64_t workload, uint32_t nr, uint32_t errno_ret)
{
	return store_verdict_mined(st, workload, 0, nr, errno_ret, NOW);
}

static void assert_mined(int64_t workload, struct sysset mined, struct sysset eperm)
{
	struct verdicts v = said_of(workload);

	assert_set(v.mined[0], mined);
	assert_set(v.denied_eperm[0], eperm);
}

static void mining_gives_way_to_people(void **state)
{
	fill();
	IN_TRANSACTION
	{
		judge(web, 0, 1, VERDICT_ALLOW);
		judge(web, 0, 2, VERDICT_DENY);
		for (uint32_t nr = 1; nr <= 6; nr++)
			assert_int_equal(mine(web, nr, nr == 3 ? EPERM : ENOSYS), nr <= 2);
	}
	assert_said(web, 0, SET(1), SET(2, 3, 4, 5, 6));
	assert_mined(web, SET(3, 4, 5, 6), SET(3));
	IN_TRANSACTION
	{
		assert_int_equal(mine(web, 3, ENOSYS), 0);
		assert_int_equal(mine(web, 6, EPERM), 0);
		judge(web, 0, 3, VERDICT_ALLOW);
		judge(web, 0, 4, VERDICT_DENY);
		judge(web, 0, 5, VERDICT_NONE);
	}
	assert_said(web, 0, SET(1, 3), SET(2, 4, 6));
	assert_mined(web, SET(6), SET(6));
	IN_TRANSACTION
	{
		judge(web, 0, 6, VERDICT_DENY);
		assert_int_equal(mine(web, 4, EPERM), 1);
	}
	assert_said(web, 0, SET(1, 3), SET(2, 4, 6));
	assert_mined(web, NO_CALLS, NO_CALLS);
}

static void mining_says_no_other_errno(void **state)
{
	static const char *const spoils[] = { "UPDATE verdict SET errno = 13",
					      "UPDATE verdict SET mined = 2",
					      "UPDATE verdict SET verdict = 1",
					      "UPDATE verdict SET errno = -1",
					      "UPDATE verdict SET errno = 1 << 31" };
	struct verdicts v;

	fill();
	IN_TRANSACTION
	{
		assert_int_equal(mine(web, 1, EACCES), -EINVAL);
		assert_int_equal(mine(web, 1, 0), -EINVAL);
		assert_int_equal(mine(web, TAMIS_CALLS, EPERM), -EINVAL);
		assert_int_equal(store_verdict_mined(st, web, TAMIS_ABI_MAX, 1, EPERM, NOW),
				 -EINVAL);
		assert_int_equal(mine(99, 1, EPERM), -EINVAL);
	}
	assert_int_equal(mine(web, 1, EPERM), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		IN_TRANSACTION assert_int_equal(mine(web, 1, EPERM), 0);
		spoil_db(spoils[i]);
		assert_int_equal(store_verdicts(st, web, &v), -EUCLEAN);
		spoil_db("DELETE FROM verdict");
	}
}

static void merging_prefers_people(void **state)
{
	fill();
	IN_TRANSACTION
	{
		for (uint32_t nr = 1; nr <= 3; nr++)
			assert_int_equal(mine(web, nr, EPERM), 0);
		judge(web, 0, 4, VERDICT_ALLOW);
		judge(other, 0, 1, VERDICT_ALLOW);
		judge(other, 0, 2, VERDICT_DENY);
		for (uint32_t nr = 3; nr <= 5; nr++)
			assert_int_equal(mine(other, nr, ENOSYS), 0);
		assert_stored(store_merge(st, web, &other, 1));
	}
	assert_said(web, 0, SET(1, 4), SET(2, 3, 5));
	assert_mined(web, SET(3, 5), SET(3));
	assert_int_equal(broken_rule(), 0);
}

/* --- what the tests were wrong about -------------------------------------------------------- */

static void assert_made(struct sysset calls, int64_t last)
{
	struct verdicts v = said_of(web);
	struct store_made *made = NULL;
	struct sysset is = { 0 };
	size_t cnt = 0;

	assert_stored(store_made_after_all(st, web, v.mined, &made, &cnt));
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(made[i].abi, 0);
		assert_int_equal(made[i].last, last);
		sysset_add(&is, made[i].nr);
	}
	free(made);
	assert_set(is, calls);
}

/* A run from NOW to NOW + 99, beside a daemon that saw its container too. */
static int64_t mine_beside_a_daemon(void)
{
	struct store_mine m = { .began = NOW, .target = "web", .workload = web };
	int64_t twin, unit;

	assert_stored(store_mine_add(st, &m, &m.id));
	assert_stored(store_mine_set(st, &m));
	assert_stored(store_mine_unit(st, m.id, NOW, "t1", &unit));
	twin = add_instance("twin", web, NOW + 1);
	add_calls(twin, unit, TAMIS_WORKLOAD, SET(1, 2, 3), NOW + 1);
	add_calls(twin, add_unit(NOW + 2), TAMIS_WORKLOAD, SET(1, 2, 3), NOW + 3);
	end_instance("twin", web, NOW + 50);
	for (uint32_t nr = 1; nr <= 3; nr++)
		assert_int_equal(mine(web, nr, ENOSYS), 0);
	m.state = STORE_MINE_DONE;
	m.ended = NOW + 99;
	assert_stored(store_mine_set(st, &m));
	return twin;
}

static void what_is_made_after_all(void **state)
{
	int64_t live, twin;

	fill();
	IN_TRANSACTION twin = mine_beside_a_daemon();
	assert_made(NO_CALLS, 0);
	/* Before a run, in setup, and by another: none of it tells. */
	IN_TRANSACTION
	{
		live = add_instance("live", web, NOW + 100);
		add_calls(live, add_unit(NOW + 120), TAMIS_SETUP, SET(1), NOW + 121);
		add_calls(live, add_unit(NOW + 180), TAMIS_WORKLOAD, SET(4), NOW + 181);
		add_calls(add_instance("o", other, NOW + 100), add_unit(NOW + 240), TAMIS_WORKLOAD,
			  SET(2), NOW + 241);
		add_calls(twin, add_unit(NOW + 300), TAMIS_WORKLOAD, SET(2), NOW + 301);
	}
	assert_made(NO_CALLS, 0);
	IN_TRANSACTION
	{
		add_calls(live, add_unit(NOW + 360), TAMIS_WORKLOAD, SET(2), NOW + 361);
		add_calls(live, add_unit(NOW + 420), TAMIS_SESSION, SET(2, 3, 4), NOW + 421);
	}
	assert_made(SET(2, 3), NOW + 420);
	IN_TRANSACTION
	{
		judge(web, 0, 2, VERDICT_ALLOW);
		judge(web, 0, 3, VERDICT_DENY);
	}
	assert_made(NO_CALLS, 0);
}

/* A unit, mined in its place, and started again before the run is over. */
static void what_runs_on_is_no_runs(void **state)
{
	struct store_mine m = { .began = NOW, .target = "web" };
	int64_t trial, own;

	fill();
	IN_TRANSACTION
	{
		assert_stored(store_mine_add(st, &m, &m.id));
		trial = add_instance("trial", m.workload = web, NOW + 1);
		assert_stored(store_mine_set(st, &m));
		own = add_instance("own", web, NOW + 60);
		m.state = STORE_MINE_DONE;
		m.ended = NOW + 61;
		assert_stored(store_mine_set(st, &m));
		for (uint32_t nr = 1; nr <= 2; nr++)
			assert_int_equal(mine(web, nr, ENOSYS), 0);
		add_calls(trial, add_unit(NOW + 120), TAMIS_WORKLOAD, SET(1), NOW + 121);
		add_calls(own, add_unit(NOW + 180), TAMIS_WORKLOAD, SET(2), NOW + 181);
	}
	assert_made(SET(2), NOW + 180);
}

/* It ran before it was mined, and did what its tests don't. */
static void what_was_made_before_counts(void **state)
{
	fill();
	IN_TRANSACTION
	{
		add_calls(add_instance("live", web, NOW - 100), add_unit(NOW - 100), TAMIS_WORKLOAD,
			  SET(1, 9), NOW - 99);
		(void)mine_beside_a_daemon();
	}
	assert_made(SET(1), NOW - 100);
	IN_TRANSACTION assert_stored(store_forget_call(st, web, 0, 1));
	assert_made(NO_CALLS, 0);
}

/* Times are seconds. */
static void what_was_made_in_the_same_second_counts(void **state)
{
	fill();
	IN_TRANSACTION
	{
		add_calls(add_instance("live", web, NOW), add_unit(NOW), TAMIS_WORKLOAD, SET(1),
			  NOW);
		end_instance("live", web, NOW);
		(void)mine_beside_a_daemon();
	}
	assert_made(SET(1), NOW);
}

static void mining_takes_its_word_back(void **state)
{
	fill();
	IN_TRANSACTION
	{
		judge(web, 0, 1, VERDICT_DENY);
		assert_int_equal(mine(web, 2, EPERM), 0);
		assert_int_equal(mine(other, 2, EPERM), 0);
		assert_stored(store_verdict_unmine(st, web));
	}
	assert_said(web, 0, NO_CALLS, SET(1));
	assert_mined(other, SET(2), SET(2));
	assert_int_equal(store_verdict_unmine(st, other), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_word_a_call),
		TEST(out_of_range),
		TEST(what_was_spoiled_is_refused),
		TEST(merging_joins_them),
		TEST(mining_gives_way_to_people),
		TEST(mining_says_no_other_errno),
		TEST(merging_prefers_people),
		TEST(what_is_made_after_all),
		TEST(what_runs_on_is_no_runs),
		TEST(what_was_made_before_counts),
		TEST(what_was_made_in_the_same_second_counts),
		TEST(mining_takes_its_word_back),
		TEST(a_forgotten_call_keeps_its_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
