/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the intervals hold: matrices are generated of which the truth is known, a thousand of each
 * kind and size, and the truth has to be within in 90 % of those that anything is said of. Always the
 * same matrices.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/unseen.h"

#ifdef __SANITIZE_ADDRESS__ /* many times slower, and it isn't statistics that it is for */
#define RESAMPLES RESAMPLES_FEW
#else
#define RESAMPLES 1000
#endif
#define RESAMPLES_FEW 100
#define HOLDS_MIN     0.9  /* of what is said */
#define REFUSED_MAX   0.02 /* of all, */
#define REFUSED_FEW   0.20 /* and of those with fewer units than these */
#define UNITS_FEW     10
#define CALLS_MAX     350

/* xorshift64* (Vigna 2016). */
static uint64_t seed;

static double uniform(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

/* Calls that are made together, in a unit with that probability. */
struct bundle {
	double p;
	unsigned calls;
};

struct truth {
	struct bundle bundle[CALLS_MAX];
	size_t cnt;
	unsigned calls;
};

static void add(struct truth *t, double p, unsigned calls)
{
	assert_true(p > 0 && p <= 1 && t->calls + calls <= CALLS_MAX);
	t->bundle[t->cnt++] = (struct bundle){ p, calls };
	t->calls += calls;
}

static void make_equal(struct truth *t, unsigned calls, double p)
{
	for (unsigned i = 0; i < calls; i++)
		add(t, p, 1);
}

static void make_zipf(struct truth *t, unsigned calls, double exponent)
{
	for (unsigned i = 0; i < calls; i++)
		add(t, pow(i + 1, -exponent), 1);
}

/* As real ones are: calls that all units make, and others that not many do. */
static void make_core(struct truth *t, unsigned calls, double exponent)
{
	make_equal(t, calls / 2, 1);
	make_zipf(t, calls - calls / 2, exponent);
}

static void make_two(struct truth *t, unsigned calls, double rare)
{
	make_equal(t, calls - calls / 10, .5);
	make_equal(t, calls / 10, rare);
}

static void make_two_core(struct truth *t, unsigned calls, double rare)
{
	make_equal(t, calls - calls / 10, 1);
	make_equal(t, calls / 10, rare);
}

/* A core, and what only one kind of unit makes, up to eight calls at a time. */
static void make_bundles(struct truth *t, unsigned calls, double exponent)
{
	add(t, 1, calls / 2);
	for (unsigned i = 1; t->calls < calls; i++) {
		unsigned size = 1 + i * 7 % 8, left = calls - t->calls;

		add(t, pow(i + 1, -exponent), size < left ? size : left);
	}
}

static void sample(const struct truth *t, unsigned units, struct matrix *ret)
{
	for (unsigned i = 0; i < units; i++) {
		struct matrix_unit *u;
		unsigned nr = 0;

		assert_int_equal(matrix_add(ret, NULL, 0, &u), 0);
		for (size_t b = 0; b < t->cnt; b++) {
			bool made = uniform() < t->bundle[b].p;

			for (unsigned c = 0; c < t->bundle[b].calls; c++, nr++) {
				if (made)
					sysset_add(&u->set[TAMIS_ABI_X86_64], nr);
			}
		}
	}
}

/* What is missing: the coverage that is true, and how much of the rest `more` units bring. */
static double look(const struct truth *t, const struct matrix *m, unsigned more, unsigned *ret_new)
{
	struct sysset all = { 0 };
	double missing = 0, sum = 0;
	unsigned nr = 0;

	*ret_new = 0;
	for (size_t i = 0; i < m->cnt; i++)
		sysset_merge(&all, &m->unit[i].set[TAMIS_ABI_X86_64]);
	for (size_t b = 0; b < t->cnt; b++) {
		const struct bundle *x = &t->bundle[b];

		sum += x->p * x->calls;
		if (!sysset_has(&all, nr)) {
			missing += x->p * x->calls;
			*ret_new += uniform() < 1 - pow(1 - x->p, more) ? x->calls : 0;
		}
		nr += x->calls;
	}
	return 1 - missing / sum;
}

struct score {
	unsigned said, refused, bounded, total, coverage, next_half, next_same, next_twice;
	double width, coverage_width;
};

static bool is_next(const struct incidence *in, unsigned more, unsigned really)
{
	struct unseen_next next;

	unseen_next(in, more, &next);
	return next.is_known && next.low <= really && really <= next.high;
}

static void try_one(const struct truth *t, unsigned units, struct score *s)
{
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };
	unsigned half, same, twice;
	struct unseen u;
	double coverage;

	sample(t, units, &m);
	assert_int_equal(incidence_of(&m, &in), 0);
	unseen_estimate(&in, &u);
	if (!u.is_known) {
		s->refused++;
		return;
	}
	(void)look(t, &m, units / 2, &half);
	(void)look(t, &m, units, &same);
	coverage = fmin(look(t, &m, 2 * units, &twice), UNSEEN_COVERAGE_MAX);
	s->said++;
	s->bounded += u.is_bounded;
	s->total += u.total_low <= t->calls && t->calls <= u.total_high;
	s->coverage += u.coverage_low <= coverage && coverage <= u.coverage_high;
	s->next_half += is_next(&in, units / 2, half);
	s->next_same += is_next(&in, units, same);
	s->next_twice += is_next(&in, 2 * units, twice);
	s->width += u.is_bounded ? u.total_high - u.total_low : 0;
	s->coverage_width += u.coverage_high - u.coverage_low;
}

static double share(unsigned part, unsigned of)
{
	return of ? (double)part / of : 0;
}

/* Fewer than the few prove nothing. */
static unsigned resamples(void)
{
	return getenv("TAMIS_LESS") ? RESAMPLES_FEW : RESAMPLES;
}

static void try_size(const char *name, const struct truth *t, unsigned units)
{
	struct score s = { 0 };
	unsigned samples = resamples();

	for (unsigned i = 0; i < samples; i++)
		try_one(t, units, &s);
	print_message("%-18s %3u %5.1f %7.1f %6.0f  %5.1f %8.1f %6.2f  %5.1f %5.1f %5.1f\n", name,
		      units, 100 * share(s.refused, samples), 100 * share(s.bounded, s.said),
		      s.bounded ? s.width / s.bounded : 0, 100 * share(s.total, s.said),
		      100 * share(s.coverage, s.said), 100 * s.coverage_width / s.said,
		      100 * share(s.next_half, s.said), 100 * share(s.next_same, s.said),
		      100 * share(s.next_twice, s.said));
	assert_true(share(s.refused, samples) <= (units < UNITS_FEW ? REFUSED_FEW : REFUSED_MAX));
	assert_true(share(s.total, s.said) >= HOLDS_MIN);
	assert_true(share(s.coverage, s.said) >= HOLDS_MIN);
	assert_true(share(s.next_half, s.said) >= HOLDS_MIN);
	assert_true(share(s.next_same, s.said) >= HOLDS_MIN);
	assert_true(share(s.next_twice, s.said) >= HOLDS_MIN);
}

static void the_truth_is_within(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct truth *t, unsigned calls, double parameter);
		unsigned calls;
		double parameter;
	} kinds[] = {
		{ "equal 0.05", make_equal, 100, .05 },
		{ "equal 0.3", make_equal, 100, .3 },
		{ "zipf 0.8", make_zipf, 100, .8 },
		{ "zipf 1.0", make_zipf, 100, 1.0 },
		{ "zipf 1.2", make_zipf, 100, 1.2 },
		{ "zipf 1.5", make_zipf, 100, 1.5 },
		{ "zipf 1.5 of 300", make_zipf, 300, 1.5 },
		{ "core + zipf 1.2", make_core, 100, 1.2 },
		{ "two, 10 % 0.02", make_two, 100, .02 },
		{ "core, 10 % 0.005", make_two_core, 100, .005 },
		{ "core + bundles", make_bundles, 100, 1.0 },
	};
	static const unsigned units[] = { 5, 10, 20, 50, 100, 200 };

	print_message("(%% of %u) %18s refused bounded width total coverage width, new in "
		      "T/2, T, 2T units\n",
		      resamples(), "units");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct truth t = { 0 };

		kinds[k].make(&t, kinds[k].calls, kinds[k].parameter);
		assert_int_equal(t.calls, kinds[k].calls);
		for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
			seed = UINT64_C(88172645463325252) + 1000 * k + i;
			try_size(kinds[k].name, &t, units[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_truth_is_within) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
