/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/widen.h"

static unsigned nr_of(enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	assert_true(nr >= 0);
	return (unsigned)nr;
}

static void group(struct widen_group *g, enum tamis_abi abi, const char *a, const char *b)
{
	sysset_add(&g->calls[abi], nr_of(abi, a));
	sysset_add(&g->calls[abi], nr_of(abi, b));
}

#define X86 TAMIS_ABI_X86_64

static void a_group_comes_whole(void **state)
{
	struct widen_group g[2] = { 0 };
	struct learned l = { 0 }, again;

	group(&g[0], X86, "open", "openat");
	group(&g[0], TAMIS_ABI_I386, "open", "openat");
	group(&g[1], X86, "poll", "ppoll");
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "openat"));
	sysset_add(&l.set[TAMIS_SESSION][X86], nr_of(X86, "poll"));
	learned_widen(&l, g, 2, NULL);
	assert_true(sysset_has(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "open")));
	assert_int_equal(sysset_count(&l.set[TAMIS_WORKLOAD][X86]), 2);
	assert_int_equal(sysset_count(&l.set[TAMIS_SESSION][X86]), 2);
	assert_true(sysset_is_empty(&l.set[TAMIS_GATE][X86]));
	assert_true(sysset_is_empty(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_I386]));
	again = l;
	learned_widen(&again, g, 2, NULL);
	assert_memory_equal(&again, &l, sizeof(l));
}

/* A call of the later group brings in the earlier one: once is enough all the same. */
static void groups_that_share_a_call(void **state)
{
	struct widen_group g[2] = { 0 };
	struct learned l = { 0 }, again;

	group(&g[0], X86, "open", "openat");
	group(&g[1], X86, "openat", "openat2");
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "openat2"));
	learned_widen(&l, g, 2, NULL);
	assert_int_equal(sysset_count(&l.set[TAMIS_WORKLOAD][X86]), 3);
	again = l;
	learned_widen(&again, g, 2, NULL);
	assert_memory_equal(&again, &l, sizeof(l));
}

static void never_what_is_guarded(void **state)
{
	struct sysset but[TAMIS_ABI_MAX] = { 0 };
	struct widen_group g = { 0 };
	struct learned l = { 0 };

	group(&g, X86, "clock_adjtime", "clock_settime");
	sysset_add(&but[X86], nr_of(X86, "clock_settime"));
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "clock_adjtime"));
	learned_widen(&l, &g, 1, but);
	assert_int_equal(sysset_count(&l.set[TAMIS_WORKLOAD][X86]), 1);
	/* One that a person allowed stays. */
	sysset_add(&l.set[TAMIS_SESSION][X86], nr_of(X86, "clock_settime"));
	learned_widen(&l, &g, 1, but);
	assert_int_equal(sysset_count(&l.set[TAMIS_SESSION][X86]), 2);
}

/* --- to another machine ------------------------------------------------------------------ */

static void by_name_and_by_row(void **state)
{
	const struct translation t[] = {
		{ X86, TAMIS_ABI_AARCH64, nr_of(X86, "open"), nr_of(TAMIS_ABI_AARCH64, "openat") },
		{ X86, TAMIS_ABI_AARCH64, nr_of(X86, "dup2"), nr_of(TAMIS_ABI_AARCH64, "dup3") },
		{ X86, TAMIS_ABI_AARCH64, nr_of(X86, "dup2"), nr_of(TAMIS_ABI_AARCH64, "fcntl") },
		{ TAMIS_ABI_I386, TAMIS_ABI_ARM, nr_of(TAMIS_ABI_I386, "waitpid"),
		  nr_of(TAMIS_ABI_ARM, "wait4") },
	};
	struct sysset lost[TAMIS_ABI_MAX];
	struct learned l = { 0 }, ret;
	const struct sysset *to = ret.set[TAMIS_WORKLOAD];

	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "read"));
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "open"));
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "dup2"));
	sysset_add(&l.set[TAMIS_WORKLOAD][X86], nr_of(X86, "arch_prctl"));
	sysset_add(&l.set[TAMIS_GATE][X86], TAMIS_CALLS - 1);
	sysset_add(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_I386], nr_of(TAMIS_ABI_I386, "waitpid"));
	sysset_add(&l.set[TAMIS_SESSION][TAMIS_ABI_X32], nr_of(TAMIS_ABI_X32, "write"));
	memset(lost, 0xff, sizeof(lost));
	assert_int_equal(learned_translate(&l, TAMIS_ABI_AARCH64, t, ARRAY_SIZE(t), &ret, lost), 0);
	assert_int_equal(sysset_count(&to[TAMIS_ABI_AARCH64]), 4);
	assert_true(sysset_has(&to[TAMIS_ABI_AARCH64], nr_of(TAMIS_ABI_AARCH64, "read")));
	assert_true(sysset_has(&to[TAMIS_ABI_AARCH64], nr_of(TAMIS_ABI_AARCH64, "openat")));
	assert_true(sysset_has(&to[TAMIS_ABI_AARCH64], nr_of(TAMIS_ABI_AARCH64, "fcntl")));
	assert_true(sysset_has(&to[TAMIS_ABI_ARM], nr_of(TAMIS_ABI_ARM, "wait4")));
	assert_true(sysset_has(&ret.set[TAMIS_SESSION][TAMIS_ABI_AARCH64],
			       nr_of(TAMIS_ABI_AARCH64, "write")));
	assert_true(sysset_is_empty(&to[X86]));
	assert_int_equal(sysset_count(&lost[X86]), 2);
	assert_true(sysset_has(&lost[X86], nr_of(X86, "arch_prctl")));
	assert_true(sysset_has(&lost[X86], TAMIS_CALLS - 1));
	assert_true(sysset_is_empty(&lost[TAMIS_ABI_I386]));
}

static void to_the_same_machine(void **state)
{
	struct learned l = { 0 }, ret;
	struct sysset lost[TAMIS_ABI_MAX];

	sysset_add(&l.set[TAMIS_WORKLOAD][X86], 0);
	sysset_add(&l.set[TAMIS_SETUP][TAMIS_ABI_I386], TAMIS_CALLS - 1);
	sysset_add(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X32], 3);
	assert_int_equal(learned_translate(&l, X86, NULL, 0, &ret, lost), 0);
	assert_memory_equal(&ret, &l, sizeof(l));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_true(sysset_is_empty(&lost[abi]));
	assert_int_equal(learned_translate(&l, TAMIS_ABI_AARCH64, NULL, 0, &ret, NULL), 0);
}

static void to_no_machine(void **state)
{
	static const enum tamis_abi none[] = { TAMIS_ABI_I386, TAMIS_ABI_X32, TAMIS_ABI_ARM,
					       TAMIS_ABI_MAX };
	struct learned l = { 0 }, ret;
	const struct learned before = { .set[0][0].bits[0] = 42 };

	ret = before;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(learned_translate(&l, none[i], NULL, 0, &ret, NULL), -EOPNOTSUPP);
	assert_memory_equal(&ret, &before, sizeof(ret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_comes_whole),	 cmocka_unit_test(groups_that_share_a_call),
		cmocka_unit_test(never_what_is_guarded), cmocka_unit_test(by_name_and_by_row),
		cmocka_unit_test(to_the_same_machine),	 cmocka_unit_test(to_no_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
