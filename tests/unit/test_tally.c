/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "keeper/keeper.h"
#include "keeper/tally.h"

struct told {
	uint64_t counted, hot_count;
	unsigned counts, hots;
	bool refuses;
	uint32_t nr;
	enum journal_answer answer;
};

static bool tell(void *arg, const struct journal_entry *e)
{
	struct told *t = arg;

	if (t->refuses)
		return false;
	assert_string_equal(e->key, "oci/x");
	t->nr = e->nr;
	t->answer = e->answer;
	if (e->kind == JOURNAL_HOT) {
		t->hots++;
		t->hot_count = e->count;
		return true;
	}
	assert_int_equal(e->kind, JOURNAL_COUNT);
	t->counts++;
	t->counted += e->count;
	return true;
}

CLEANUP_DEFINE(struct tally *, tally_free);
#define _tally_ _cleanup_(tally_free)

static struct tally *make(struct told *t)
{
	struct tally *ret = NULL;

	assert_int_equal(tally_new(tell, t, &ret), 0);
	return ret;
}

static struct journal_entry entry(uint64_t cgroup, uint32_t nr, enum journal_answer answer)
{
	return (struct journal_entry){ .key = (char *)"oci/x",
				       .cgroup_id = cgroup,
				       .abi = TAMIS_ABI_I386,
				       .nr = nr,
				       .answer = answer };
}

static bool add(struct tally *t, uint64_t cgroup, uint32_t nr, enum journal_answer answer,
		int64_t now)
{
	struct journal_entry e = entry(cgroup, nr, answer);

	return tally_add(t, &e, now);
}

static void test_first_is_told_by_who_counts(void **state)
{
	struct told told = { 0 };
	_tally_ struct tally *t = make(&told);
	struct journal_entry other = entry(1, 5, ANSWER_ASKED);

	assert_true(add(t, 1, 5, ANSWER_ASKED, 0));
	assert_false(add(t, 1, 5, ANSWER_ASKED, 0));
	assert_true(add(t, 2, 5, ANSWER_ASKED, 0));
	assert_true(add(t, 1, 6, ANSWER_ASKED, 0));
	assert_true(add(t, 1, 5, ANSWER_DENIED, 0));
	other.abi = TAMIS_ABI_X32;
	assert_true(tally_add(t, &other, 0));
	other.abi = TAMIS_ABI_I386;
	other.key = (char *)"";
	assert_true(tally_add(t, &other, 0));
	tally_tell(t);
	assert_int_equal(told.counts, 1);
	assert_int_equal(told.counted, 1);
	assert_int_equal(told.nr, 5);
	assert_int_equal(told.answer, ANSWER_ASKED);
}

static void test_each_is_counted_once(void **state)
{
	struct told told = { 0 };
	_tally_ struct tally *t = make(&told);

	for (int i = 0; i < 10; i++)
		add(t, 1, 5, ANSWER_ASKED, 0);
	tally_tell(t);
	tally_tell(t);
	assert_int_equal(told.counts, 1);
	assert_int_equal(told.counted, 9);
	for (int i = 0; i < 3; i++)
		add(t, 1, 5, ANSWER_ASKED, 0);
	tally_tell(t);
	assert_int_equal(told.counts, 2);
	assert_int_equal(told.counted, 12);
}

/* No line could be written for the first, and none for the counts at first. */
static void test_what_was_not_journalled_is_counted(void **state)
{
	struct told told = { .refuses = true };
	_tally_ struct tally *t = make(&told);
	struct journal_entry first = entry(1, 5, ANSWER_ASKED), unknown = entry(1, 6, ANSWER_ASKED);

	assert_false(tally_waits(t));
	assert_true(tally_add(t, &first, 0));
	tally_lost(t, &first);
	tally_lost(t, &unknown);
	for (int i = 0; i < 3; i++)
		add(t, 1, 5, ANSWER_ASKED, 0);
	assert_true(add(t, 2, 7, ANSWER_ASKED, 0));
	assert_false(add(t, 2, 7, ANSWER_ASKED, 0));
	tally_tell(t);
	assert_true(tally_waits(t));
	told.refuses = false;
	tally_tell(t);
	assert_false(tally_waits(t));
	assert_int_equal(told.counts, 2);
	assert_int_equal(told.counted, 5);
}

/* More than a thousand in a minute: once an hour, and only of those that a restart makes free. */
static void test_hot(void **state)
{
	static const enum journal_answer all[] = { ANSWER_CONTINUED, ANSWER_ALLOWED, ANSWER_ASKED,
						   ANSWER_DENIED, ANSWER_NOBODYS };

	for (size_t a = 0; a < ARRAY_SIZE(all); a++) {
		struct told told = { 0 };
		_tally_ struct tally *t = make(&told);
		unsigned want = a < 2;

		for (int i = 0; i < KEEPER_HOT; i++)
			add(t, 1, 5, all[a], 0);
		/* the minute is over */
		for (int i = 0; i < KEEPER_HOT; i++)
			add(t, 1, 5, all[a], 60000);
		assert_int_equal(told.hots, 0);
		add(t, 1, 5, all[a], 60000);
		assert_int_equal(told.hots, want);
		assert_int_equal(told.hot_count, want ? KEEPER_HOT + 1 : 0);
		for (int i = 0; i < 2 * KEEPER_HOT; i++)
			add(t, 1, 5, all[a], 3600000);
		assert_int_equal(told.hots, want);
		for (int i = 0; i < 2 * KEEPER_HOT; i++)
			add(t, 1, 5, all[a], 3660000);
		assert_int_equal(told.hots, 2 * want);
	}
}

/* Whoever makes up any number of calls has what was counted told, and no memory but so much. */
static void test_full(void **state)
{
	enum { MANY = 100000 };
	struct told told = { 0 };
	_tally_ struct tally *t = make(&told);
	uint64_t first = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		first += add(t, i, 5, ANSWER_ASKED, 0);
		first += add(t, i, 5, ANSWER_ASKED, 0);
	}
	assert_int_equal(first, MANY);
	assert_true(told.counted > MANY / 2);
	tally_tell(t);
	assert_int_equal(told.counted, MANY);
	assert_true(add(t, 0, 5, ANSWER_ASKED, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_told_by_who_counts),
		cmocka_unit_test(test_each_is_counted_once),
		cmocka_unit_test(test_what_was_not_journalled_is_counted),
		cmocka_unit_test(test_hot),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
