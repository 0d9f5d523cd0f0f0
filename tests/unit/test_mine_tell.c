/* SPDX-License-Identifier: Apache-2.0 */
/* What an estimate of a run is made of, and what a run tells. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mine/mine_internal.h"

/* Calls of a unit are letters: 'a' is call 0. */
static void add(struct matrix *m, const char *name, enum matrix_outcome outcome, const char *calls)
{
	struct matrix_unit *unit;

	assert_int_equal(matrix_add(m, name, 0, &unit), 0);
	unit->outcome = outcome;
	for (; *calls; calls++)
		sysset_add(&unit->set[0], (unsigned)(*calls - 'a'));
}

/* Starts and stops are in every life: what they call is seen, and never rare. */
static void lives(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };

	add(&m, "start", MATRIX_NONE, "abc");
	add(&m, "t1", MATRIX_PASS, "ad");
	add(&m, "t2", MATRIX_FAIL, "e");
	add(&m, "t3", MATRIX_HUNG, "ed");
	add(&m, "t4", MATRIX_PASS, "f");
	add(&m, "stop", MATRIX_NONE, "g");
	assert_int_equal(mine_estimate(&m, &in), 0);
	assert_int_equal(in.units, 4);
	assert_int_equal(in.seen, 7);
	assert_int_equal(in.freq[0], 1); /* f */
	assert_int_equal(in.freq[1], 2); /* d, e */
	assert_int_equal(in.freq[2], 0);
	assert_int_equal(in.freq[3], 4); /* a, b, c, g */
}

static void nothing_was_run(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };

	assert_int_equal(mine_estimate(&m, &in), 0);
	assert_int_equal(in.units, 0);
	incidence_done(&in);
	add(&m, "start", MATRIX_NONE, "abc");
	assert_int_equal(mine_estimate(&m, &in), 0);
	assert_int_equal(in.units, 0);
}

/* Where no test passes, all pass without any call. */
static void good_is_what_was_shown(void **state)
{
	static const struct {
		enum matrix_outcome observed[2], enforced[2];
		size_t tests, refused;
		bool is_good;
	} rows[] = {
		{ { MATRIX_PASS }, { MATRIX_PASS }, 1, 0, true },
		{ { MATRIX_PASS, MATRIX_FAIL }, { MATRIX_PASS, MATRIX_FAIL }, 2, 0, true },
		{ { MATRIX_FAIL, MATRIX_PASS }, { MATRIX_PASS, MATRIX_FAIL }, 2, 0, false },
		{ { MATRIX_PASS }, { MATRIX_NONE }, 1, 0, false },
		{ { MATRIX_PASS }, { MATRIX_PASS }, 1, 1, false },
		{ { MATRIX_FAIL, MATRIX_HUNG }, { MATRIX_FAIL, MATRIX_NONE }, 2, 0, false },
		{ { MATRIX_NONE }, { MATRIX_NONE }, 1, 0, false },
		{ { MATRIX_NONE }, { MATRIX_NONE }, 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mine_outcome observed[2] = { 0 }, enforced[2] = { 0 };
		const struct mine_result r = {
			.tests = rows[i].tests,
			.observed = observed,
			.enforced = enforced,
			.refusal_cnt = rows[i].refused,
		};

		for (size_t t = 0; t < 2; t++) {
			observed[t].outcome = rows[i].observed[t];
			enforced[t].outcome = rows[i].enforced[t];
		}
		if (mine_is_good(&r) != rows[i].is_good)
			fail_msg("row %zu: not as it should be", i);
	}
}

static void names(void **state)
{
	static const char *const expected[] = { "start", "observe", "enforce", "minimise", "end" };

	for (unsigned p = MINE_START; p <= MINE_END; p++)
		assert_string_equal(mine_phase_name(p), expected[p]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		cmocka_unit_test(nothing_was_run),
		cmocka_unit_test(good_is_what_was_shown),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
