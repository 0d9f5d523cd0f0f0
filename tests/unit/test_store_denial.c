/* SPDX-License-Identifier: Apache-2.0 */
/* Refused calls: one row a call and kind, and what becomes of it with its workload. */
#include <errno.h>

#include "policy/denials.h"
#include "store_fixture.h"

static bool add(struct store_denial d)
{
	bool is_new = false;

	assert_stored(store_denial_add(st, &d, &is_new));
	return is_new;
}

#define ADD(...) add((struct store_denial){ __VA_ARGS__ })

/* The only one of a workload. */
static struct store_denial only(int64_t workload, struct store_denial **all)
{
	size_t cnt = 0;

	assert_stored(store_denials(st, workload, all, &cnt));
	assert_int_equal(cnt, 1);
	return (*all)[0];
}

static size_t count(int64_t workload)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;

	assert_stored(store_denials(st, workload, &d, &cnt));
	store_denials_free(d, cnt);
	return cnt;
}

static void rows_add_up(void **state)
{
	struct store_denial *all = NULL, d;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		assert_true(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 57, 3, 7, "a", "/a", 2, NOW + 5,
				NOW + 9));
		/* earlier: only its count and first */
		assert_false(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 57, 2, 6, "b", "/b", 3, NOW,
				 NOW + 1));
		assert_false(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 57, 4, 8, "c", NULL, 1, NOW + 7,
				 NOW + 20));
		/* who it was isn't known, nor the generation */
		assert_false(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 57, .count = 1,
				 .first = NOW + 30, .last = NOW + 31));
	}
	d = only(w, &all);
	assert_int_equal(d.workload, w);
	assert_int_equal(d.kind, DENIAL_ERRNO);
	assert_int_equal(d.abi, TAMIS_ABI_X86_64);
	assert_int_equal(d.nr, 57);
	assert_int_equal(d.count, 7);
	assert_int_equal(d.first, NOW);
	assert_int_equal(d.last, NOW + 31);
	assert_int_equal(d.generation, 4);
	assert_int_equal(d.pid, 8);
	assert_string_equal(d.comm, "c");
	assert_null(d.exe);
	store_denials_free(all, 1);
}

static void counts_end_at_the_largest(void **state)
{
	struct store_denial *all = NULL;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		ADD(w, DENIAL_ASKED, .nr = TAMIS_CALLS, .count = UINT64_MAX, .last = 1);
		ADD(w, DENIAL_ASKED, .nr = TAMIS_CALLS, .count = 5, .last = 1);
	}
	assert_int_equal(only(w, &all).count, INT64_MAX);
	store_denials_free(all, 1);
}

/* Kinds, ABIs, numbers and workloads apart, sorted by last. */
static void each_has_its_row(void **state)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;
	int64_t w = 0, v = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		v = add_workload("podman/db", "db");
		assert_true(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 1, .count = 1, .last = 50));
		assert_true(ADD(w, DENIAL_SIGSYS, TAMIS_ABI_X86_64, 1, .count = 1, .last = 40));
		assert_true(ADD(w, DENIAL_ERRNO, TAMIS_ABI_I386, 1, .count = 1, .last = 30));
		assert_true(ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 2, .count = 1, .last = 20));
		assert_true(ADD(v, DENIAL_ERRNO, TAMIS_ABI_X86_64, 1, .count = 1, .last = 35));
	}
	assert_stored(store_denials(st, 0, &d, &cnt));
	assert_int_equal(cnt, 5);
	for (size_t i = 1; i < cnt; i++)
		assert_true(d[i - 1].last < d[i].last);
	assert_int_equal(d[2].workload, v);
	store_denials_free(d, cnt);
	assert_int_equal(count(w), 4);
	assert_int_equal(count(v), 1);
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct store_denial rows[] = {
		{ .kind = DENIAL_MAX, .count = 1 },
		{ .abi = TAMIS_ABI_MAX, .count = 1 },
		{ .nr = TAMIS_CALLS + 1, .count = 1 },
	};
	struct store_denial good = { .count = 1 };
	int64_t w = 0;

	IN_TRANSACTION
	w = add_workload("podman/web", "web");
	good.workload = w;
	assert_int_equal(store_denial_add(st, &good, NULL), -EINVAL); /* no transaction */
	IN_TRANSACTION
	{
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct store_denial d = rows[i];

			d.workload = w;
			assert_int_equal(store_denial_add(st, &d, NULL), -EINVAL);
		}
	}
	assert_int_equal(count(0), 0);
}

static void spoiled_rows_are_refused(void **state)
{
	static const char *const spoil[] = {
		"UPDATE denial SET kind = 5",	     "UPDATE denial SET abi = 99",
		"UPDATE denial SET nr = 577",	     "UPDATE denial SET nr = -1",
		"UPDATE denial SET generation = -1", "UPDATE denial SET pid = 4294967296",
	};
	struct store_denial *d = NULL;
	size_t cnt = 0;
	int64_t w = 0;

	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		IN_TRANSACTION
		{
			w = add_workload("podman/web", "web");
			ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 1, .count = 1);
		}
		spoil_db(spoil[i]);
		assert_int_equal(store_denials(st, w, &d, &cnt), -EUCLEAN);
		assert_null(d);
		spoil_db("DELETE FROM denial");
	}
}

/* The one last seen longest ago goes. */
static void a_workload_has_so_many(void **state)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		for (uint32_t i = 0; i < STORE_DENIALS_MAX + 3; i++)
			ADD(w, (enum denial_kind)(i / (TAMIS_CALLS * 4)), i / TAMIS_CALLS % 4,
			    i % TAMIS_CALLS, .count = 1, .first = NOW, .last = NOW + i);
	}
	assert_stored(store_denials(st, w, &d, &cnt));
	assert_int_equal(cnt, STORE_DENIALS_MAX);
	assert_int_equal(d[0].last, NOW + 3);
	assert_int_equal(d[cnt - 1].last, NOW + STORE_DENIALS_MAX + 2);
	store_denials_free(d, cnt);
}

static void what_was_asked_is_pending(void **state)
{
	struct sysset asked[TAMIS_ABI_MAX];
	int64_t w = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/web", "web");
		for (uint32_t nr = 10; nr < 14; nr++)
			ADD(w, DENIAL_ASKED, TAMIS_ABI_X86_64, nr, .count = 1);
		ADD(w, DENIAL_ASKED, TAMIS_ABI_I386, 9, .count = 1);
		ADD(w, DENIAL_ASKED, TAMIS_ABI_X86_64, TAMIS_CALLS, .count = 1);
		ADD(w, DENIAL_ERRNO, TAMIS_ABI_X86_64, 20, .count = 1);
		ADD(w, DENIAL_DENIED, TAMIS_ABI_X86_64, 21, .count = 1);
		assert_stored(store_verdict_set(st, w, TAMIS_ABI_X86_64, 11, VERDICT_ALLOW, NOW));
		assert_stored(store_verdict_set(st, w, TAMIS_ABI_X86_64, 12, VERDICT_DENY, NOW));
	}
	assert_stored(store_asked(st, w, asked));
	assert_set(asked[TAMIS_ABI_X86_64], SET(10, 13));
	assert_set(asked[TAMIS_ABI_I386], SET(9));
}

/* --- with its workload ------------------------------------------------------------------- */

static void merged_ones_add_up(void **state)
{
	struct store_denial *all = NULL, d;
	int64_t into = 0, from = 0;

	IN_TRANSACTION
	{
		into = add_workload("podman/a", "a");
		from = add_workload("podman/b", "b");
		ADD(into, DENIAL_ERRNO, 0, 57, 3, 7, "a", "/a", 2, NOW + 5, NOW + 9);
		ADD(from, DENIAL_ERRNO, 0, 57, 9, 8, "b", "/b", 4, NOW, NOW + 20);
		assert_stored(store_merge(st, into, &from, 1));
	}
	d = only(into, &all);
	assert_int_equal(d.count, 6);
	assert_int_equal(d.first, NOW);
	assert_int_equal(d.last, NOW + 20);
	assert_string_equal(d.comm, "b");
	assert_int_equal(d.generation, 3); /* those of `from` went */
	store_denials_free(all, 1);
	assert_int_equal(count(0), 1);
	assert_int_equal(broken_rule(), 0);
}

static void merged_ones_are_so_many(void **state)
{
	int64_t into = 0, from = 0;

	IN_TRANSACTION
	{
		into = add_workload("podman/a", "a");
		from = add_workload("podman/b", "b");
		for (uint32_t i = 0; i < STORE_DENIALS_MAX; i++) {
			ADD(into, (enum denial_kind)(i % 2), i / 2 / TAMIS_CALLS,
			    i / 2 % TAMIS_CALLS, .count = 1);
			if (i < 100)
				ADD(from, DENIAL_REJECTED, 0, i, .count = 1, .last = 1);
		}
		assert_stored(store_merge(st, into, &from, 1));
	}
	assert_int_equal(count(into), STORE_DENIALS_MAX);
	assert_int_equal(ask_db("SELECT count(*) FROM denial WHERE last = 1"), 100);
}

static void forgotten_ones_go(void **state)
{
	bool running = false;
	int64_t w = 0, v = 0;

	IN_TRANSACTION
	{
		w = add_workload("podman/a", "a");
		v = add_workload("podman/b", "b");
		(void)add_instance("boot/1", w, NOW);
		ADD(w, DENIAL_ERRNO, 0, 57, .count = 1);
		ADD(v, DENIAL_ERRNO, 0, 57, .count = 1);
		assert_stored(store_forget(st, w, &running));
	}
	assert_true(running);
	assert_int_equal(count(w), 0);
	assert_int_equal(count(v), 1);
	IN_TRANSACTION
	assert_stored(store_forget(st, v, &running));
	assert_int_equal(count(0), 0);
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_add_up),
		TEST(counts_end_at_the_largest),
		TEST(each_has_its_row),
		TEST(what_makes_no_sense_is_refused),
		TEST(spoiled_rows_are_refused),
		TEST(a_workload_has_so_many),
		TEST(what_was_asked_is_pending),
		TEST(merged_ones_add_up),
		TEST(merged_ones_are_so_many),
		TEST(forgotten_ones_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
