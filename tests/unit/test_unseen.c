/* SPDX-License-Identifier: Apache-2.0 */
/* The formulas. Whether the intervals hold is test_unseen_holds's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/unseen.h"

#define FREQ_MAX 64

struct given {
	uint32_t units, once, twice, always, universe;
};

/* `freq` has FREQ_MAX. */
static struct incidence make(const struct given *g, uint32_t *freq)
{
	memset(freq, 0, FREQ_MAX * sizeof(*freq));
	assert_true(g->units > 2 && g->units <= FREQ_MAX);
	freq[0] = g->once;
	freq[1] = g->twice;
	freq[g->units - 1] = g->always;
	return (struct incidence){
		.units = g->units,
		.freq = freq,
		.seen = g->once + g->twice + g->always,
		.sum = g->once + 2 * g->twice + (uint64_t)g->units * g->always,
		.universe = g->universe,
	};
}

/* Worked out by hand: seen + (T-1)/T * Q1^2 / 2 Q2, or Q1 (Q1-1) / 2 without a Q2. */
static void total_is_chao2(void **state)
{
	static const struct {
		struct given given;
		double total;
	} rows[] = {
		{ { 10, 6, 3, 40, 373 }, 49 + .9 * 36 / 6 },
		{ { 20, 4, 8, 30, 373 }, 42 + .95 * 16 / 16 },
		{ { 50, 5, 0, 40, 373 }, 45 + .98 * 5 * 4 / 2 },
		{ { 50, 1, 0, 40, 373 }, 41 },
		{ { 50, 0, 3, 40, 373 }, 43 },
		{ { 10, 20, 1, 40, 100 }, 100 }, /* not more than there are */
		{ { 10, 6, 3, 40, 0 }, 49 + .9 * 36 / 6 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t freq[FREQ_MAX];
		const struct incidence in = make(&rows[i].given, freq);
		struct unseen u;

		unseen_estimate(&in, &u);
		assert_true(u.is_known);
		assert_float_equal(u.total, rows[i].total, 1e-9);
		assert_int_equal(u.seen, in.seen);
		assert_int_equal(u.once, rows[i].given.once);
		assert_int_equal(u.twice, rows[i].given.twice);
		assert_int_equal(u.units, rows[i].given.units);
	}
}

/* Chao & Jost's: 1 - Q1/U * (T-1) Q1 / ((T-1) Q1 + 2 Q2). */
static void coverage_is_good_and_turings(void **state)
{
	static const struct {
		struct given given;
		double coverage;
	} rows[] = {
		{ { 10, 6, 3, 40, 0 }, 1 - 6. / 412 * 54 / (54 + 6) },
		{ { 20, 4, 8, 30, 0 }, 1 - 4. / 620 * 76 / (76 + 16) },
		{ { 10, 5, 0, 10, 0 }, 1 - 5. / 105 * 36 / (36 + 2) },
		{ { 10, 0, 0, 10, 0 }, 1 - .69 / 100 },
		{ { 64, 0, 0, 350, 0 }, UNSEEN_COVERAGE_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t freq[FREQ_MAX];
		const struct incidence in = make(&rows[i].given, freq);
		struct unseen u;

		unseen_estimate(&in, &u);
		assert_float_equal(u.coverage, rows[i].coverage, 1e-9);
	}
}

static void nothing_is_said_of_too_little(void **state)
{
	static const struct {
		struct given given;
		const char *why;
	} rows[] = {
		{ { 4, 3, 2, 10, 373 }, "4 of the 5 units that an estimate needs" },
		{ { 10, 0, 0, 0, 373 }, "no call was seen" },
		{ { 10, 30, 0, 0, 373 }, "no call was seen in more than one unit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t freq[FREQ_MAX];
		const struct incidence in = make(&rows[i].given, freq);
		struct unseen_next next = { .is_known = true };
		struct unseen u;

		unseen_estimate(&in, &u);
		assert_false(u.is_known);
		assert_string_equal(u.why, rows[i].why);
		unseen_next(&in, 10, &next);
		assert_false(next.is_known);
	}
	unseen_estimate(&(struct incidence){ 0 }, &(struct unseen){ 0 });
}

static void assert_sane(const struct incidence *in)
{
	double end = in->universe ? in->universe : HUGE_VAL;
	struct unseen_next next;
	struct unseen u;

	unseen_estimate(in, &u);
	assert_true(u.total_low >= in->seen);
	assert_true(u.total_low <= u.total && u.total <= u.total_high && u.total_high <= end);
	assert_true(u.coverage_low >= 0 && u.coverage_low <= u.coverage);
	assert_true(u.coverage <= u.coverage_high && u.coverage_high < 1);
	assert_true(u.is_bounded || u.total_high == end);
	for (uint32_t more = 1; more < 1000; more *= 3) {
		unseen_next(in, more, &next);
		assert_true(next.is_known == u.is_known);
		assert_true(!next.is_known || next.low >= 0);
		assert_true(next.low <= next.expected && next.expected <= next.high);
		assert_true(in->seen + next.high <= end || !next.is_known);
	}
}

/* Whatever comes: in order, within what there is, and never all of it. */
static void all_there_can_be_is_sane(void **state)
{
	static const uint32_t units[] = { 5, 6, 10, 33, 64 }, cnts[] = { 0, 1, 2, 7, 60, 180 };
	uint32_t freq[FREQ_MAX];

	for (size_t t = 0; t < ARRAY_SIZE(units); t++)
		for (size_t a = 0; a < ARRAY_SIZE(cnts); a++)
			for (size_t b = 0; b < ARRAY_SIZE(cnts); b++)
				for (unsigned c = 0; c < 4; c++) {
					struct given g = { units[t], cnts[a], cnts[b],
							   c % 2 ? 10 : 0, c / 2 ? 373 : 0 };
					struct incidence in = make(&g, freq);

					if (in.seen == 0 || in.seen == g.once)
						continue;
					in.clump = c == 3 ? 4.5 : 0;
					assert_sane(&in);
				}
}

/* More units that saw as many calls once say more; calls that come in clumps say less. */
static void evidence_narrows(void **state)
{
	static const struct given few = { 10, 2, 2, 60, 373 }, many = { 60, 2, 2, 60, 373 };
	uint32_t a[FREQ_MAX], b[FREQ_MAX];
	struct incidence x = make(&few, a), y = make(&many, b);
	struct unseen_next one, other;
	struct unseen u, v;

	unseen_estimate(&x, &u);
	unseen_estimate(&y, &v);
	assert_true(v.coverage_low > u.coverage_low);
	assert_false(u.is_bounded);
	assert_true(v.is_bounded && v.total_high < u.total_high);
	unseen_next(&y, 60, &one);
	y.clump = 5;
	unseen_next(&y, 60, &other);
	assert_true(other.high > one.high);
	unseen_estimate(&y, &u);
	assert_true(u.coverage_low < v.coverage_low && u.total_high > v.total_high);
}

/* Chao et al.'s extrapolation: 54 unseen, of which each further unit finds its part. */
static void next_is_extrapolated(void **state)
{
	static const struct given g = { 10, 12, 2, 40, 0 };
	uint32_t freq[FREQ_MAX];
	const struct incidence in = make(&g, freq);
	double unseen = .9 * 144 / 4, step = 12 / (10 * unseen + 12);
	struct unseen_next one, ten;

	unseen_next(&in, 1, &one);
	unseen_next(&in, 10, &ten);
	assert_float_equal(one.expected, unseen * step, 1e-9);
	assert_float_equal(ten.expected, unseen * (1 - pow(1 - step, 10)), 1e-9);
	assert_true(ten.high > one.high);
}

/* Exact prediction limits: of q + d calls made once in either half, d come in the second with a chance
 * of one half each, so with none in the first d > 5 has a chance of 2^-6, d > 4 of 2^-5. */
static void next_has_exact_limits(void **state)
{
	static const struct given g = { 50, 0, 0, 40, 0 };
	uint32_t freq[FREQ_MAX];
	const struct incidence in = make(&g, freq);
	struct unseen_next next;

	unseen_next(&in, 50, &next);
	assert_float_equal(next.high, 5, 1e-9);
	assert_float_equal(next.low, 0, 1e-9);
	assert_float_equal(next.expected, 0, 1e-9);
}

#define SMALL 9

/* The mean over all subsets of k units. */
static double rarefied(const struct matrix *m, uint32_t k)
{
	double sum = 0, cnt = 0;

	for (unsigned chosen = 0; chosen < 1u << SMALL; chosen++) {
		struct sysset all = { 0 };

		if (__builtin_popcount(chosen) != (int)k)
			continue;
		for (unsigned i = 0; i < SMALL; i++) {
			if (chosen >> i & 1)
				sysset_merge(&all, &m->unit[i].set[TAMIS_ABI_X86_64]);
		}
		sum += sysset_count(&all);
		cnt++;
	}
	return sum / cnt;
}

static void rarefaction_is_the_mean_of_subsets(void **state)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };

	for (unsigned i = 0; i < SMALL; i++) {
		struct matrix_unit *u;

		assert_int_equal(matrix_add(&m, NULL, 0, &u), 0);
		for (unsigned nr = 0; nr < 60; nr++) {
			if ((i * 7 + nr * nr) % (nr + 1) < 3)
				sysset_add(&u->set[TAMIS_ABI_X86_64], nr);
		}
	}
	assert_int_equal(incidence_of(&m, &in), 0);
	assert_true(in.freq[0] > 0 && in.freq[1] > 0 && in.freq[SMALL - 1] > 0);
	for (uint32_t k = 1; k <= SMALL; k++)
		assert_float_equal(unseen_rarefy(&in, k), rarefied(&m, k), 1e-6);
}

static void percent_is_never_all(void **state)
{
	static const struct {
		double share;
		const char *text;
	} rows[] = {
		{ 0, "0.0" },	       { .5, "50.0" },	 { .97349, "97.3" },
		{ .99899999, "99.8" }, { .999, "99.9" }, { UNSEEN_COVERAGE_MAX, "99.9" },
		{ 1, "99.9" },	       { 7, "99.9" },	 { -1, "0.0" },
	};
	char buf[UNSEEN_PERCENT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(unseen_percent(rows[i].share, buf), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(total_is_chao2),
		cmocka_unit_test(coverage_is_good_and_turings),
		cmocka_unit_test(nothing_is_said_of_too_little),
		cmocka_unit_test(all_there_can_be_is_sane),
		cmocka_unit_test(evidence_narrows),
		cmocka_unit_test(next_is_extrapolated),
		cmocka_unit_test(next_has_exact_limits),
		cmocka_unit_test(rarefaction_is_the_mean_of_subsets),
		cmocka_unit_test(percent_is_never_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
