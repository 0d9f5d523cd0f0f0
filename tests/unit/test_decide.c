/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "keeper/decide.h"

/* --- which call ----------------------------------------------------------------------------- */

static const struct {
	uint32_t arch, nr;
	int r;
	enum tamis_abi abi;
	uint32_t want;
} calls[] = {
	{ AUDIT_ARCH_X86_64, 39, 0, TAMIS_ABI_X86_64, 39 },
	{ AUDIT_ARCH_X86_64, TAMIS_CALLS - 1, 0, TAMIS_ABI_X86_64, TAMIS_CALLS - 1 },
	{ AUDIT_ARCH_X86_64, TAMIS_CALLS, 0, TAMIS_ABI_X86_64, TAMIS_CALLS },
	{ AUDIT_ARCH_X86_64, 0x3fffffff, 0, TAMIS_ABI_X86_64, TAMIS_CALLS },
	{ AUDIT_ARCH_X86_64, 0x40000000 | 39, 0, TAMIS_ABI_X32, 39 },
	{ AUDIT_ARCH_X86_64, 0x40000000 | 547, 0, TAMIS_ABI_X32, 547 },
	{ AUDIT_ARCH_X86_64, 0x80000000 | 39, 0, TAMIS_ABI_X86_64, TAMIS_CALLS },
	{ AUDIT_ARCH_X86_64, UINT32_MAX, 0, TAMIS_ABI_X32, TAMIS_CALLS },
	{ AUDIT_ARCH_I386, 20, 0, TAMIS_ABI_I386, 20 },
	{ AUDIT_ARCH_I386, 0x40000000 | 20, 0, TAMIS_ABI_I386, TAMIS_CALLS },
	{ AUDIT_ARCH_AARCH64, 172, 0, TAMIS_ABI_AARCH64, 172 },
	{ AUDIT_ARCH_ARM, 20, 0, TAMIS_ABI_ARM, 20 },
	{ AUDIT_ARCH_ARM, 0x0f0001, 0, TAMIS_ABI_ARM, TAMIS_ARM_PRIVATE + 1 },
	{ AUDIT_ARCH_ARM, 0x0f0005, 0, TAMIS_ABI_ARM, TAMIS_ARM_PRIVATE + 5 },
	{ AUDIT_ARCH_ARM, 0x0f0010, 0, TAMIS_ABI_ARM, TAMIS_CALLS },
	{ AUDIT_ARCH_ARM, UINT32_MAX, 0, TAMIS_ABI_ARM, TAMIS_CALLS },
	{ AUDIT_ARCH_S390X, 20, -EINVAL, 0, 0 },
	{ 0, 20, -EINVAL, 0, 0 },
};

static void test_calls(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct seccomp_data d = { .arch = calls[i].arch, .nr = (int)calls[i].nr };
		enum tamis_abi abi = TAMIS_ABI_MAX;
		uint32_t nr = 9999;

		assert_int_equal(decide_call(&d, &abi, &nr), calls[i].r);
		if (calls[i].r < 0)
			continue;
		assert_int_equal(abi, calls[i].abi);
		assert_int_equal(nr, calls[i].want);
	}
}

/* --- what it is answered -------------------------------------------------------------------- */

enum call {
	LEARNED,
	ALLOWED,
	REFUSED,
	DENIED,
	BOTH,
	GUARDED,
	GUARDED_LEARNED,
	GUARDED_ALLOWED,
	EPERMED,
	MINED,
	NEW
};
#define BEYOND TAMIS_CALLS

static void add(struct sysset set[TAMIS_ABI_MAX], const enum call *call, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		sysset_add(&set[TAMIS_ABI_X86_64], call[i]);
}
#define ADD(set, ...)                                \
	add(set, (const enum call[]){ __VA_ARGS__ }, \
	    sizeof((const enum call[]){ __VA_ARGS__ }) / sizeof(enum call))

static struct decide sets(void)
{
	struct decide d = { 0 };

	ADD(d.guard, GUARDED, GUARDED_LEARNED, GUARDED_ALLOWED);
	ADD(d.eperm, EPERMED, GUARDED);
	return d;
}

static struct applied applied_of(enum policy_mode mode, enum probation_rule rule)
{
	struct applied a = { .mode = mode, .rule = rule };

	ADD(a.now.learned.set[TAMIS_SESSION], LEARNED, GUARDED_LEARNED, REFUSED, DENIED);
	ADD(a.now.denied, DENIED, MINED);
	ADD(a.now.denied_eperm, MINED);
	ADD(a.allowed, ALLOWED, BOTH, GUARDED_ALLOWED);
	ADD(a.refused, REFUSED, BOTH);
	return a;
}

static const struct row {
	unsigned call;
	/* under learn, ask, deny; in enforce; nothing applied */
	enum journal_answer learn, ask, deny, enforce, none;
} rows[] = {
	{ NEW, ANSWER_CONTINUED, ANSWER_ASKED, ANSWER_DENIED, ANSWER_NOBODYS, ANSWER_NOBODYS },
	{ EPERMED, ANSWER_CONTINUED, ANSWER_ASKED, ANSWER_DENIED, ANSWER_NOBODYS, ANSWER_NOBODYS },
	{ LEARNED, ANSWER_CONTINUED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED,
	  ANSWER_NOBODYS },
	{ ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_NOBODYS },
	{ REFUSED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_NOBODYS },
	{ MINED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_NOBODYS },
	{ DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_NOBODYS },
	{ BOTH, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_NOBODYS },
	{ GUARDED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED },
	{ GUARDED_LEARNED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED,
	  ANSWER_DENIED },
	{ GUARDED_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED, ANSWER_ALLOWED,
	  ANSWER_DENIED },
	{ BEYOND, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_DENIED, ANSWER_NOBODYS },
};

static void check(const struct row *row, const struct applied *a, enum journal_answer want)
{
	const struct decide d = sets();
	struct decision is = decide_answer(&d, a, TAMIS_ABI_X86_64, row->call);
	int error =
		row->call == GUARDED || row->call == EPERMED || row->call == MINED ? EPERM : ENOSYS;
	bool goes_on = want != ANSWER_DENIED && want != ANSWER_ASKED;

	if (is.answer != want || is.error != (goes_on ? 0 : error))
		fail_msg("call %u: %s, errno %d; wanted %s", row->call,
			 journal_answer_name(is.answer), is.error, journal_answer_name(want));
}

static void test_answers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct applied a = applied_of(MODE_PROBATION, PROBATION_LEARN);

		check(&rows[i], &a, rows[i].learn);
		a.rule = PROBATION_ASK;
		check(&rows[i], &a, rows[i].ask);
		a.rule = PROBATION_DENY;
		check(&rows[i], &a, rows[i].deny);
		/* a new image goes to probation, whatever it was under */
		a.mode = MODE_ENFORCE;
		a.probe_new_image = true;
		check(&rows[i], &a, rows[i].deny);
		a = applied_of(MODE_ENFORCE, PROBATION_LEARN);
		check(&rows[i], &a, rows[i].enforce);
		a.mode = MODE_SHADOW;
		check(&rows[i], &a, rows[i].enforce);
		check(&rows[i], NULL, rows[i].none);
	}
}

/* What one ABI has says nothing of another. */
static void test_other_abi(void **state)
{
	const struct applied a = applied_of(MODE_PROBATION, PROBATION_ASK);
	const struct decide d = sets();

	for (unsigned nr = 0; nr < NEW; nr++)
		assert_int_equal(decide_answer(&d, &a, TAMIS_ABI_I386, nr).answer, ANSWER_ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_other_abi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
