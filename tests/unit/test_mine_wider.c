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
	rule(now, TAMIS_ABI_X86_64, NR_B, FILTER_ALLOW, 0); /* passed by some arguments */
	rule(now, TAMIS_ABI_X86_64, NR_C, FILTER_ALLOW, 1); /* new, by some */
	rule(now, TAMIS_ABI_X86_64, NR_D, FILTER_ERRNO, 0); /* refused in both */
	rule(now, TAMIS_ABI_I386, NR_A, FILTER_ALLOW, 0);   /* an ABI that base doesn't speak for */
	sysset_add(&pending[TAMIS_ABI_X86_64], NR_E);
	sysset_add(&pending[TAMIS_ABI_X86_64], NR_A);
	filter_sort(base);
	filter_sort(now);
	mine_wider(base, &p, wider);
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_X86_64]), 2);
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
	assert_int_equal(sysset_count(&wider[TAMIS_ABI_X86_64]), 1);
	assert_true(sysset_has(&wider[TAMIS_ABI_X86_64], NR_A));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way),
		cmocka_unit_test(a_deny_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
