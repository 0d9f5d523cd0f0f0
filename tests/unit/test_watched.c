/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "learn/watched.h"

static struct watched *add(struct watchlist *l, uint64_t id, uint64_t owner)
{
	struct watched *w = watchlist_add(l, id);

	assert_non_null(w);
	assert_int_equal(w->owner, id);
	assert_int_equal(watchlist_own(l, w, owner), 0);
	assert_int_equal(w->owner, owner);
	return w;
}

static size_t inside(const struct watchlist *l, uint64_t owner)
{
	size_t cnt = 0;

	for (const struct watched *w = watchlist_inside(l, owner); w; w = w->next) {
		assert_int_equal(w->owner, owner);
		cnt++;
	}
	return cnt;
}

static void inner_cgroups_are_found_by_their_owner(void **state)
{
	struct watchlist l = { 0 };
	struct watched *w;

	add(&l, 1, 1);
	add(&l, 2, 1);
	w = add(&l, 3, 1);
	add(&l, 4, 9); /* an owner without an entry */
	assert_int_equal(inside(&l, 1), 2);
	assert_int_equal(inside(&l, 9), 1);
	assert_int_equal(inside(&l, 2), 0);
	assert_int_equal(watchlist_own(&l, w, 9), 0);
	assert_int_equal(inside(&l, 1), 1);
	assert_int_equal(inside(&l, 9), 2);
	assert_int_equal(watchlist_own(&l, w, 3), 0);
	assert_int_equal(inside(&l, 9), 1);
	watchlist_remove(&l, watchlist_find(&l, 4));
	assert_int_equal(inside(&l, 9), 0);
	watchlist_remove(&l, watchlist_find(&l, 1)); /* the owner before those inside */
	assert_int_equal(inside(&l, 1), 1);
	watchlist_done(&l);
}

static void assert_tally(const struct watchlist *l, uint64_t owner, unsigned starts, unsigned full,
			 unsigned leaves)
{
	struct tally sum = watchlist_tally(l, owner);

	assert_int_equal(sum.starts, starts);
	assert_int_equal(sum.loss.full, full);
	assert_int_equal(sum.leaves, leaves);
}

static void counts_are_summed_and_outlive_inner_cgroups(void **state)
{
	struct watchlist l = { 0 };
	struct watched *own = add(&l, 1, 1), *in = add(&l, 2, 1), *other = add(&l, 7, 7);

	own->tally = (struct tally){ .starts = 1, .loss.full = 2 };
	in->tally = (struct tally){ .starts = 10, .leaves = 5, .loss = { 1, 20, 3, 4 } };
	other->tally.starts = 1000;
	assert_tally(&l, 1, 11, 22, 5);
	assert_int_equal(watchlist_tally(&l, 1).loss.task, 4);
	watchlist_remove(&l, in);
	assert_tally(&l, 1, 11, 22, 5);
	in = add(&l, 3, 1);
	in->tally = (struct tally){ .starts = 100, .leaves = 1 };
	assert_tally(&l, 1, 111, 22, 6);
	in->ignored = true;
	assert_tally(&l, 1, 11, 22, 5);
	watchlist_remove(&l, in);
	assert_tally(&l, 1, 11, 22, 5);
	assert_tally(&l, 7, 1000, 0, 0);
	watchlist_done(&l);
}

/* A row is asked for again only where there was one. */
static void rows_are_forgotten_and_sets_are_not(void **state)
{
	const struct tamis_key key = { .cgroup = 1, .stage = TAMIS_WORKLOAD };
	struct watchlist l = { 0 };
	struct watched *called = add(&l, 1, 1), *never = add(&l, 2, 2);
	struct kept *k = watchlist_keep(&l, called, &key);

	assert_non_null(k);
	assert_ptr_equal(k->w, called);
	k->seen_stored = true;
	called->instance = called->workload = 5;
	called->inner_stored = true;
	watchlist_forget_rows(&l);
	assert_true(called->dirty);
	assert_false(called->inner_stored);
	assert_int_equal(called->instance, 0);
	assert_int_equal(called->workload, 0);
	assert_false(never->dirty);
	assert_ptr_equal(watchlist_kept(&l, &key), k);
	assert_true(k->seen_stored);
	watchlist_remove(&l, called);
	assert_null(watchlist_kept(&l, &key));
	watchlist_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_cgroups_are_found_by_their_owner),
		cmocka_unit_test(counts_are_summed_and_outlive_inner_cgroups),
		cmocka_unit_test(rows_are_forgotten_and_sets_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
