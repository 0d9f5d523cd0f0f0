/* SPDX-License-Identifier: Apache-2.0 */
/* What became wider. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/mine_job.h"

enum { NR_A = 1, NR_B, NR_C, NR_D, NR_E };

static void rule(struct filter *f, enum tamis_abi abi, uint32_t nr, enum filter_action action,
		 unsigned conds)
{
	const struct filter_rule r = {
		.abi = abi,
		.nr = nr,
		.action = action,
		.cond_cnt = conds,
		.cond = { { .index = 0, .op = FILTER_EQ, .value = nr } },
	};

	f->abis |= 1u << abi;
	assert_int_equal(filter_add(f, &r), 0);
}

static void each_way(void **state)
{
	_cleanup_(filter_free) struct filter *base = NULL, *now = NULL;
	struct sysset pending[TAMIS_ABI_MAX] = { 0 }, wider[TAMIS_ABI_MAX];
	struct policy p = { .pending = pending };

	assert_int_equal(filter_new(&base), 0);
	assert_int_equal(filter_new(&now), 0);
	p.filter = now;
	rule(base, TAMIS_ABI_X86_64, NR_A, FILTER_ALLOW, 0);
	rule(base, TAMIS_ABI_X86_64, NR_B, FILTER_ALLOW, 1);
	rule(base, TAMIS_ABI_X86_64, NR_C, FILTER_ERRNO, 0);
	rule(now, TAMIS_ABI_X86_64, NR_A, FILTER_ALLOW, 0); /* as before */
	rule(now, TAMIS_ABI_X86_64, NR_B, FILTER_ALLOW, 0); /* by some arguments, and now by all */
	rule(now, TAMIS_ABI_X86_64, NR_C, FILTER_ALLOW, 1); /* new, by some */
	rule(now, TAMIS_ABI_X86_64, NR_D, FILTER_ERRNO, 0); /* refused in both */
	rule(now, TAMIS_ABI_I386, NR_A, FILTER_ALLOW, 0);   /* an ABI that base doesn't speak for */
	sysset_add(&pending[TAMIS_ABI_X86_64], NR_E);
	sysset_add(&pending[TAMIS_ABI_X86_64], NR_A);
	filter_sort(base);
	filter_sort(now);
	mine_wider(base, &p, wider);
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_X86_64]), 3);
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_B));
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_C));
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_E));
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_I386]), 1);
	mine_wider(now, &p, wider);
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_X86_64]), 1); /* what waits */
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_I386]), 0);
}

/* A base that allows all but some. */
static void a_deny_list(void **state)
{
	_cleanup_(filter_free) struct filter *base = NULL, *now = NULL;
	struct sysset wider[TAMIS_ABI_MAX];
	struct policy p = { 0 };

	assert_int_equal(filter_new(&base), 0);
	assert_int_equal(filter_new(&now), 0);
	p.filter = now;
	base->default_action = FILTER_ALLOW;
	rule(base, TAMIS_ABI_X86_64, NR_A, FILTER_ERRNO, 0);
	rule(base, TAMIS_ABI_X86_64, NR_B, FILTER_ERRNO, 1);
	for (uint32_t nr = NR_A; nr <= NR_E; nr++)
		rule(now, TAMIS_ABI_X86_64, nr, FILTER_ALLOW, 0);
	filter_sort(base);
	filter_sort(now);
	mine_wider(base, &p, wider);
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_X86_64]), 2);
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_A));
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_B));
}

struct row {
	const char *base,
		*now; /* rules: '+' passes, '-' is refused; "=N", "!N" the argument; "" all */
	enum filter_action otherwise;
	bool wider;
};

/* "+=1 -=2" */
static struct filter *filter_of(const char *rules, enum filter_action otherwise)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = 1u << TAMIS_ABI_X86_64;
	f->default_action = otherwise;
	for (; *rules; rules += strcspn(rules, " "), rules += strspn(rules, " ")) {
		struct filter_rule r = {
			.abi = TAMIS_ABI_X86_64,
			.nr = NR_A,
			.action = *rules == '+' ? FILTER_ALLOW : FILTER_ERRNO,
			.errno_ret = 1,
		};

		r.cond_cnt = rules[1] == '=' || rules[1] == '!';
		r.cond[0].op = rules[1] == '!' ? FILTER_NE : FILTER_EQ;
		r.cond[0].value = r.cond_cnt ? (uint64_t)(rules[2] - '0') : 0;
		assert_int_equal(filter_add(f, &r), 0);
	}
	filter_sort(f);
	return f;
}

static void by_arguments(void **state)
{
	static const struct row rows[] = {
		{ "+=1", "+=1", FILTER_ERRNO, false },
		{ "+=1 +=2", "+=2", FILTER_ERRNO, false },
		{ "+=1", "+=1 +=2", FILTER_ERRNO, true },
		{ "+=1", "+", FILTER_ERRNO, true },
		{ "+", "+=1", FILTER_ERRNO, false },
		{ "+", "+!1", FILTER_ERRNO, false },
		{ "+!1", "+=1", FILTER_ERRNO, true },
		{ "", "+=1", FILTER_ERRNO, true },
		{ "+=1", "", FILTER_ERRNO, false },
		{ "+=1 -=2", "+=1", FILTER_ERRNO, false },
		{ "+=1", "+=1 -=2", FILTER_ERRNO, false },
		{ "-=1", "-=1", FILTER_ALLOW, false },
		{ "-=1", "-", FILTER_ALLOW, false },
		{ "-=1", "-=2", FILTER_ALLOW, true },
		{ "-=1", "", FILTER_ALLOW, true },
		{ "", "-=1", FILTER_ALLOW, false },
		{ "-", "-", FILTER_ALLOW, false },
		{ "-", "-=1", FILTER_ALLOW, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *base =
			filter_of(rows[i].base, rows[i].otherwise);
		_cleanup_(filter_free) struct filter *now =
			filter_of(rows[i].now, rows[i].otherwise);
		struct policy p = { .filter = now };
		struct sysset wider[TAMIS_ABI_MAX];

		mine_wider(base, &p, wider);
		if (sysset_has(&wider[TAMIS_ABI_X86_64], NR_A) != rows[i].wider)
			fail_msg("\"%s\", now \"%s\"", rows[i].base, rows[i].now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way),
		cmocka_unit_test(a_deny_list),
		cmocka_unit_test(by_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
