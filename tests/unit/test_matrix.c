/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/matrix.h"

#define UNITS 40 /* more than the room that there is at first */

/* Unit i makes call 0, and call i of x86_64; every third makes call 5 of i386. */
static void fill(struct matrix *m)
{
	char name[16];

	for (unsigned i = 0; i < UNITS; i++) {
		struct matrix_unit *u;

		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(matrix_add(m, i % 2 ? name : NULL, 1000 + i, &u), 0);
		sysset_add(&u->set[TAMIS_ABI_X86_64], 0);
		sysset_add(&u->set[TAMIS_ABI_X86_64], i);
		if (i % 3 == 2)
			sysset_add(&u->set[TAMIS_ABI_I386], 5);
	}
}

static void units_are_kept_in_order(void **state)
{
	_matrix_ struct matrix m = { 0 };

	fill(&m);
	assert_int_equal(m.cnt, UNITS);
	assert_null(m.unit[0].name);
	assert_string_equal(m.unit[UNITS - 1].name, "t39");
	assert_int_equal(m.unit[17].began, 1017);
	assert_int_equal(m.unit[17].outcome, MATRIX_NONE);
	assert_true(sysset_has(&m.unit[17].set[TAMIS_ABI_X86_64], 17));
	assert_int_equal(sysset_count(&m.unit[17].set[TAMIS_ABI_X86_64]), 2);
}

static void calls_are_sorted_and_counted(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_free_ struct matrix_call *call = NULL;
	size_t cnt = 0;

	fill(&m);
	assert_int_equal(matrix_calls(&m, &call, &cnt), 0);
	assert_int_equal(cnt, UNITS + 1);
	for (size_t i = 1; i < cnt; i++)
		assert_true(call[i - 1].abi < call[i].abi ||
			    (call[i - 1].abi == call[i].abi && call[i - 1].nr < call[i].nr));
	assert_int_equal(call[0].nr, 0);
	assert_int_equal(call[0].units, UNITS);
	assert_int_equal(call[0].first, 0);
	assert_int_equal(call[9].nr, 9);
	assert_int_equal(call[9].units, 1);
	assert_int_equal(call[9].first, 9);
	assert_int_equal(call[UNITS].abi, TAMIS_ABI_I386);
	assert_int_equal(call[UNITS].nr, 5);
	assert_int_equal(call[UNITS].units, UNITS / 3);
	assert_int_equal(call[UNITS].first, 2);
}

static void growth_is_of_different_calls(void **state)
{
	static const uint32_t first[] = { 1, 2, 4, 5, 6 };
	_matrix_ struct matrix m = { 0 };
	uint32_t grown[UNITS];

	fill(&m);
	matrix_growth(&m, grown);
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		assert_int_equal(grown[i], first[i]);
	assert_int_equal(grown[UNITS - 1], UNITS + 1);
}

static void empty_has_nothing(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_free_ struct matrix_call *call = NULL;
	size_t cnt = 1;

	matrix_growth(&m, NULL);
	assert_int_equal(matrix_calls(&m, &call, &cnt), 0);
	assert_non_null(call);
	assert_int_equal(cnt, 0);
	matrix_done(&m);
	matrix_done(&m);
}

static void outcomes_have_names(void **state)
{
	enum matrix_outcome o = MATRIX_PASS;

	for (unsigned i = 0; i < MATRIX_OUTCOME_MAX; i++) {
		assert_int_equal(
			matrix_outcome_from_name(matrix_outcome_name((enum matrix_outcome)i), &o),
			0);
		assert_int_equal(o, i);
	}
	assert_int_equal(matrix_outcome_from_name("passed", &o), -ENOENT);
	assert_int_equal(o, MATRIX_HUNG);
	assert_string_equal(matrix_outcome_name(MATRIX_OUTCOME_MAX), "none");
}

static void who_fails_judges_nothing(void **state)
{
	static const enum matrix_outcome outcomes[] = { MATRIX_NONE, MATRIX_PASS, MATRIX_FAIL,
							MATRIX_HUNG };
	_matrix_ struct matrix m = { 0 };
	struct sysset judged[TAMIS_ABI_MAX] = { 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(outcomes); i++) {
		struct matrix_unit *u;

		assert_int_equal(matrix_add(&m, "t", 0, &u), 0);
		u->outcome = outcomes[i];
		sysset_add(&u->set[TAMIS_ABI_X86_64], i);
		sysset_add(&u->set[TAMIS_ABI_I386], i + 10);
	}
	sysset_add(&m.unit[0].set[TAMIS_ABI_X86_64], 3);
	sysset_add(&judged[TAMIS_ABI_I386], 99);
	matrix_judged(&m, judged);
	assert_int_equal(sysset_count(&judged[TAMIS_ABI_X86_64]), 3);
	assert_false(sysset_has(&judged[TAMIS_ABI_X86_64], 2));
	assert_int_equal(sysset_count(&judged[TAMIS_ABI_I386]), 2);
	assert_true(sysset_has(&judged[TAMIS_ABI_I386], 11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_kept_in_order),
		cmocka_unit_test(calls_are_sorted_and_counted),
		cmocka_unit_test(growth_is_of_different_calls),
		cmocka_unit_test(empty_has_nothing),
		cmocka_unit_test(outcomes_have_names),
		cmocka_unit_test(who_fails_judges_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
