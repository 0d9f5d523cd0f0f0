/* SPDX-License-Identifier: Apache-2.0 */
/* The algebra of conditions, against a plain evaluation of every condition at every value
 * that can tell them apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/cond.h"

#define TOP UINT64_MAX

/* Bounds of conditions, and the values they are asked about: these and their neighbours. */
static const uint64_t bounds[] = { 0, 1, 2, 5, 8, 16, 40, UINT32_MAX, TOP / 2, TOP - 1, TOP };
static const uint64_t masks[] = { 0, 1, 0x7E020000, UINT32_MAX, ~UINT64_C(7), TOP };

static struct filter_cond conds[256];
static size_t cond_cnt;
static uint64_t values[1024];
static size_t value_cnt;

static void put_cond(enum filter_op op, uint64_t value, uint64_t value_two)
{
	assert_true(cond_cnt < ARRAY_SIZE(conds));
	conds[cond_cnt++] = (struct filter_cond){ 0, op, value, value_two };
}

static int make_conds(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		for (unsigned op = 0; op < FILTER_MASKED_EQ; op++)
			put_cond((enum filter_op)op, bounds[i], 0);
		for (size_t k = 0; k < ARRAY_SIZE(masks); k++)
			put_cond(FILTER_MASKED_EQ, masks[k], bounds[i] & masks[k]);
		for (int d = -1; d <= 1; d++)
			values[value_cnt++] = bounds[i] + (uint64_t)d;
	}
	for (unsigned b = 0; b < 64; b++) {
		values[value_cnt++] = UINT64_C(1) << b;
		values[value_cnt++] = ~(UINT64_C(1) << b);
		values[value_cnt++] = 5 ^ (UINT64_C(1) << b);
		values[value_cnt++] = UINT64_C(0x7E020000) ^ (UINT64_C(1) << b);
	}
	return 0;
}

static bool in_cubes(const struct cube *c, unsigned cnt, uint64_t value)
{
	for (unsigned i = 0; i < cnt; i++)
		if ((value & c[i].mask) == c[i].value)
			return true;
	return false;
}

static void cubes_are_the_condition(void **state)
{
	struct cube yes[COND_CUBES_MAX], no[COND_CUBES_MAX];

	for (size_t i = 0; i < cond_cnt; i++) {
		unsigned yes_cnt = cond_cubes(&conds[i], false, yes);
		unsigned no_cnt = cond_cubes(&conds[i], true, no);

		for (size_t v = 0; v < value_cnt; v++) {
			bool match = cond_match(&conds[i], values[v]);

			assert_int_equal(in_cubes(yes, yes_cnt, values[v]), match);
			assert_int_equal(in_cubes(no, no_cnt, values[v]), !match);
		}
		assert_int_equal(cond_is_never(&conds[i]), yes_cnt == 0);
	}
}

static void meet_is_exact(void **state)
{
	struct filter_cond both[COND_MEET_MAX];

	for (size_t i = 0; i < cond_cnt; i++)
		for (size_t k = 0; k < cond_cnt; k++) {
			unsigned cnt = cond_meet(&conds[i], &conds[k], both);

			assert_true(cnt <= COND_MEET_MAX);
			for (size_t v = 0; v < value_cnt; v++) {
				bool want = cond_match(&conds[i], values[v]) &&
					    cond_match(&conds[k], values[v]);
				bool got = false;

				for (unsigned c = 0; c < cnt; c++)
					got |= cond_match(&both[c], values[v]);
				assert_int_equal(got, want);
			}
		}
}

static void meet_is_short(void **state)
{
	static const struct {
		struct filter_cond a, b;
		unsigned cnt;
		struct filter_cond first;
	} rows[] = {
		{ { 0, FILTER_NE, 0 }, { 0, FILTER_NE, 1 }, 1, { 0, FILTER_GE, 2 } },
		{ { 0, FILTER_NE, 1 }, { 0, FILTER_NE, 2 }, 2, { 0, FILTER_EQ, 0 } },
		{ { 0, FILTER_LE, 9 }, { 0, FILTER_LT, 5 }, 1, { 0, FILTER_LE, 4 } },
		{ { 0, FILTER_LE, 9 }, { 0, FILTER_GE, 9 }, 1, { 0, FILTER_EQ, 9 } },
		{ { 0, FILTER_LT, 9 }, { 0, FILTER_GE, 9 }, 0, { 0 } },
		{ { 0, FILTER_GE, 16 },
		  { 0, FILTER_LE, 31 },
		  1,
		  { 0, FILTER_MASKED_EQ, ~15ull, 16 } },
		{ { 0, FILTER_LT, 0 }, { 0, FILTER_NE, 3 }, 0, { 0 } },
		{ { 0, FILTER_GE, 1 }, { 0, FILTER_LE, TOP - 1 }, 126, { 0, FILTER_EQ, 1 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct filter_cond both[COND_MEET_MAX];

		assert_int_equal(cond_meet(&rows[i].a, &rows[i].b, both), rows[i].cnt);
		if (rows[i].cnt == 0)
			continue;
		assert_int_equal(both[0].op, rows[i].first.op);
		assert_int_equal(both[0].value, rows[i].first.value);
		assert_int_equal(both[0].value_two, rows[i].first.value_two);
	}
}

static void match_is_what_it_says(void **state)
{
	static const struct {
		enum filter_op op;
		bool below, at, above;
	} rows[] = {
		{ FILTER_NE, true, false, true }, { FILTER_LT, true, false, false },
		{ FILTER_LE, true, true, false }, { FILTER_EQ, false, true, false },
		{ FILTER_GE, false, true, true }, { FILTER_GT, false, false, true },
	};
	const struct filter_cond never = { 0, FILTER_OP_MAX, 7 };
	const struct filter_cond masked = { 0, FILTER_MASKED_EQ, 6, 4 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct filter_cond c = { 0, rows[i].op, 7 };

		assert_int_equal(cond_match(&c, 6), rows[i].below);
		assert_int_equal(cond_match(&c, 7), rows[i].at);
		assert_int_equal(cond_match(&c, 8), rows[i].above);
	}
	assert_false(cond_match(&never, 7));
	assert_true(cond_match(&masked, 5));
	assert_false(cond_match(&masked, 7));
}

/* On this sample: implies and excludes never contradict what the values show, and a
 * difference that no value shows is only claimed where cubes prove it. */
static void relations_agree_with_values(void **state)
{
	size_t implied = 0, excluded = 0;

	for (size_t i = 0; i < cond_cnt; i++)
		for (size_t k = 0; k < cond_cnt; k++) {
			bool subset = true, apart = true;

			for (size_t v = 0; v < value_cnt; v++) {
				bool a = cond_match(&conds[i], values[v]);
				bool b = cond_match(&conds[k], values[v]);

				subset &= !a || b;
				apart &= !(a && b);
			}
			if (cond_implies(&conds[i], &conds[k])) {
				assert_true(subset);
				implied++;
			}
			if (cond_excludes(&conds[i], &conds[k])) {
				assert_true(apart);
				excluded++;
			}
		}
	assert_true(implied > 1000 && excluded > 1000);
}

static void relations_found(void **state)
{
	static const struct {
		struct filter_cond a, b;
		bool implies, excludes;
	} rows[] = {
		{ { 0, FILTER_EQ, 5 }, { 0, FILTER_EQ, 5 }, true, false },
		{ { 0, FILTER_EQ, 5 }, { 0, FILTER_NE, 40 }, true, false },
		{ { 0, FILTER_LT, 16 }, { 0, FILTER_NE, 16 }, true, false },
		{ { 0, FILTER_LT, 17 }, { 0, FILTER_NE, 16 }, false, false },
		{ { 0, FILTER_LE, 7 }, { 0, FILTER_MASKED_EQ, ~7ull, 0 }, true, false },
		{ { 0, FILTER_MASKED_EQ, ~7ull, 0 }, { 0, FILTER_LT, 8 }, true, false },
		{ { 0, FILTER_LT, 8 }, { 0, FILTER_GE, 8 }, false, true },
		{ { 0, FILTER_EQ, 16 }, { 0, FILTER_NE, 16 }, false, true },
		{ { 0, FILTER_NE, 0 }, { 0, FILTER_GE, 1 }, true, false },
		{ { 0, FILTER_LT, 0 }, { 0, FILTER_EQ, 3 }, true, true },
	};
	const struct filter_cond any = { 0, FILTER_GE, 0 }, some = { 0, FILTER_GE, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(cond_implies(&rows[i].a, &rows[i].b), rows[i].implies);
		assert_int_equal(cond_excludes(&rows[i].a, &rows[i].b), rows[i].excludes);
	}
	assert_true(cond_implies(NULL, &any));
	assert_false(cond_implies(NULL, &some));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cubes_are_the_condition),
		cmocka_unit_test(meet_is_exact),
		cmocka_unit_test(meet_is_short),
		cmocka_unit_test(match_is_what_it_says),
		cmocka_unit_test(relations_agree_with_values),
		cmocka_unit_test(relations_found),
	};

	return cmocka_run_group_tests(tests, make_conds, NULL);
}
