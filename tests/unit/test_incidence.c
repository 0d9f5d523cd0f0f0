/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/unseen.h"

/* A column each: '1' where the call was made. The numbers have names. */
static void fill(struct matrix *m, const char *const *rows, size_t units)
{
	for (size_t i = 0; i < units; i++) {
		struct matrix_unit *u;

		assert_int_equal(matrix_add(m, NULL, 0, &u), 0);
		for (unsigned c = 0; rows[i][c]; c++) {
			if (rows[i][c] == '1')
				sysset_add(&u->set[TAMIS_ABI_X86_64], c);
		}
	}
}

static uint32_t named(enum tamis_abi abi)
{
	uint32_t cnt = 0;

	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
		cnt += calls_name(abi, nr) != NULL;
	return cnt;
}

static void frequencies_are_counted(void **state)
{
	static const char *const rows[] = { "11000", "11100", "11010", "11010" };
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };

	fill(&m, rows, ARRAY_SIZE(rows));
	assert_int_equal(incidence_of(&m, &in), 0);
	assert_int_equal(in.units, 4);
	assert_int_equal(in.seen, 4);
	assert_int_equal(in.sum, 4 + 4 + 1 + 2);
	assert_int_equal(in.freq[0], 1);
	assert_int_equal(in.freq[1], 1);
	assert_int_equal(in.freq[2], 0);
	assert_int_equal(in.freq[3], 2);
	assert_int_equal(in.universe, named(TAMIS_ABI_X86_64));
	assert_in_range(in.universe, 350, 400);
}

/* Another ABI brings its calls; a number that nobody named is one more. */
static void universe_is_of_the_abis_used(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };
	struct matrix_unit *u;

	assert_int_equal(matrix_add(&m, NULL, 0, &u), 0);
	sysset_add(&u->set[TAMIS_ABI_X86_64], 0);
	sysset_add(&u->set[TAMIS_ABI_I386], 1);
	sysset_add(&u->set[TAMIS_ABI_I386], TAMIS_CALLS - 1);
	assert_null(calls_name(TAMIS_ABI_I386, TAMIS_CALLS - 1));
	assert_int_equal(incidence_of(&m, &in), 0);
	assert_int_equal(in.universe, named(TAMIS_ABI_X86_64) + named(TAMIS_ABI_I386) + 1);
}

static void empty_is_empty(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { .seen = 7 };

	assert_int_equal(incidence_of(&m, &in), 0);
	assert_int_equal(in.seen, 0);
	assert_int_equal(in.units, 0);
	assert_int_equal(in.universe, 0);
}

static double clump_of(const char *const *rows, size_t units)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };

	fill(&m, rows, units);
	assert_int_equal(incidence_of(&m, &in), 0);
	return in.clump;
}

/* Of `rare` calls with so many mates in all, beside five with three mates each that are assumed. */
static double clump(unsigned rare, double mates)
{
	return 1 + (mates + 5 * 3) / (rare + 5);
}

static void calls_that_come_together_clump(void **state)
{
	static const char *const apart[] = { "110000", "101000", "100100", "100010", "100001" };
	static const char *const four[] = { "111110", "100000", "100000", "100001", "100000",
					    "100000", "100000", "100000", "100000", "100000" };
	static const char *const nearly[] = { "111", "111", "111", "111", "110",
					      "100", "100", "100", "100", "101" };
	static const char *const core[] = { "1111", "1111", "1111" };

	assert_float_equal(clump_of(apart, ARRAY_SIZE(apart)), clump(5, 0), 1e-9);
	/* Of five made once four have three mates each; by chance each would have 4/10. */
	assert_float_equal(clump_of(four, ARRAY_SIZE(four)), clump(5, 12 - 5 * .4), 1e-9);
	/* Four of five units is together, four of six isn't. */
	assert_float_equal(clump_of(nearly, 9), clump(1, 1), 1e-9);
	assert_float_equal(clump_of(nearly, 10), clump(2, 0), 1e-9);
	assert_float_equal(clump_of(core, ARRAY_SIZE(core)), clump(0, 0), 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequencies_are_counted),
		cmocka_unit_test(universe_is_of_the_abis_used),
		cmocka_unit_test(empty_is_empty),
		cmocka_unit_test(calls_that_come_together_clump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
