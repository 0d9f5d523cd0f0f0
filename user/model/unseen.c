/* SPDX-License-Identifier: Apache-2.0 */
#include "model/unseen.h"

#include <math.h>
#include <stdio.h>

#define Z95  1.959964 /* of the normal distribution: 95 % lie within */
#define Z90  1.644854
#define TAIL 0.025

static uint32_t freq(const struct incidence *in, uint32_t k)
{
	return k <= in->units ? in->freq[k - 1] : 0;
}

static double clump(const struct incidence *in)
{
	return in->clump > 1 ? in->clump : 1;
}

/* Quantile of the gamma distribution of that shape (Wilson & Hilferty 1931, PNAS 17:684). */
static double gamma_quantile(double shape, double z)
{
	double root = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));

	return root > 0 ? shape * root * root * root : 0;
}

/* Limits of the mean of a count (Garwood 1936, Biometrika 28:437) that comes in clumps. */
static double count_high(const struct incidence *in, uint32_t count, double z)
{
	double c = clump(in);

	return c * gamma_quantile(count / c + 1, z);
}

static double count_low(const struct incidence *in, uint32_t count, double z)
{
	double c = clump(in);

	return count ? c * gamma_quantile(count / c, -z) : 0;
}

/* The smallest number that a negative binomial count exceeds with no more than TAIL. */
static double next_quantile(double shape, double odds)
{
	double p = 1 / (1 + odds), mass = pow(p, shape), sum = mass;
	unsigned k = 0;

	while (sum < 1 - TAIL && k < TAMIS_CALLS * TAMIS_ABI_MAX) {
		mass *= (shape + k) / (k + 1) * (1 - p);
		sum += mass;
		k++;
	}
	return k;
}

/* The largest number that a Poisson count of that mean is below with no more than TAIL. */
static double poisson_low(double mean)
{
	double mass = exp(-mean), sum = mass;
	unsigned k = 0;

	while (sum <= TAIL && k < mean) {
		mass *= mean / (k + 1);
		sum += mass;
		k++;
	}
	return k;
}

static double beyond(const struct incidence *in)
{
	return in->universe > in->seen ? in->universe - in->seen : in->universe ? 0 : HUGE_VAL;
}

/* --- how many ---------------------------------------------------------------------------- */

/* Chao 1987, Biometrics 43:783, for incidences; without calls of exactly two units the bias-corrected
 * form (Chao 2005, Encyclopedia of Statistical Sciences). It tends to a lower bound of the unseen,
 * whatever their probabilities. */
static double chao2(const struct incidence *in)
{
	double once = freq(in, 1), twice = freq(in, 2), a = (in->units - 1.0) / in->units;

	return twice > 0 ? a * once * once / (2 * twice) : a * once * (once - 1) / 2;
}

/* What the same formula says at the least. */
static double chao2_low(const struct incidence *in)
{
	double once = count_low(in, freq(in, 1), Z90), twice = count_high(in, freq(in, 2), Z90);

	return (in->units - 1.0) / in->units * once * once / (2 * twice);
}

/* So many calls of which none was seen yet. */
static double at_least(const struct incidence *in)
{
	double c = clump(in);

	return floor(c * poisson_low(chao2_low(in) / c));
}

/*
 * Whether fewer and fewer calls are to be found the rarer they are. If they went on as Zipf's law has it
 * with an exponent of 2 or less, those made once would be four times those made twice, or more.
 */
static bool is_ending(const struct incidence *in)
{
	double c = clump(in), once = floor(freq(in, 1) / c), both = once + floor(freq(in, 2) / c);
	double odds = 4, mass = pow(1 / (1 + odds), both), sum = mass;

	for (unsigned k = 0; k < once; k++) {
		mass *= (both - k) / (k + 1) * odds;
		sum += mass;
	}
	return sum < TAIL;
}

/*
 * At the most, from `once` alone: calls of probability p that were never made are to those made once as
 * 1 - p to units * p, so if none is as rare as 1 in RARITY * sqrt(units) there are at most
 * RARITY / sqrt(units) for each that the mean of `once` may be. Units can't exclude any number of calls
 * that are rarer still, so how rare they come is assumed: wide enough for Zipf's law with exponents up
 * to 1.5 and 300 calls (tests/unit/test_unseen_holds.c has the matrices), less where the end is seen.
 */
#define RARITY	      100
#define RARITY_ENDING 30

/* A limit that leaves over half of all other calls possible is none. */
#define BOUND_SHARE 0.5

static double unseen_high(const struct incidence *in)
{
	double rarity = is_ending(in) ? RARITY_ENDING : RARITY;

	return count_high(in, freq(in, 1), Z95) * rarity / sqrt(in->units);
}

static void estimate_total(const struct incidence *in, struct unseen *u)
{
	double most = beyond(in), low = at_least(in);
	double high = fmax(unseen_high(in), fmax(low, chao2(in)));

	u->is_bounded = high <= most * BOUND_SHARE;
	u->total_high = in->seen + (u->is_bounded ? high : most);
	u->total_low = in->seen + fmin(low, most);
	u->total = fmin(fmax(in->seen + chao2(in), u->total_low), u->total_high);
}

/* --- coverage ---------------------------------------------------------------------------- */

/* Which part of Good and Turing's estimate is left when the units seen are complete: Chao & Jost 2012,
 * Ecology 93:2533, eq. 4a, for incidences (Chao et al. 2014, Ecol. Monogr. 84:45). */
static double turing_factor(const struct incidence *in)
{
	double once = freq(in, 1), twice = freq(in, 2), more = in->units - 1.0;

	if (twice > 0)
		return more * once / (more * once + 2 * twice);
	return once > 1 ? more * (once - 1) / (more * (once - 1) + 2) : 0;
}

/* Good 1953, Biometrika 40:237; the spread of what is really missing around it as in Esty 1983,
 * Ann. Statist. 11:905, with Poisson limits for the small counts that there are here. */
static void estimate_coverage(const struct incidence *in, struct unseen *u)
{
	double once = freq(in, 1), twice = Z95 * Z95 * 2 * freq(in, 2) * clump(in);
	double least = 0.69; /* the median of what a count of 0 leaves open */
	double missing = fmax(once * turing_factor(in), least);
	double high = once + hypot(count_high(in, freq(in, 1), Z95) - once, sqrt(twice));
	double low = turing_factor(in) * once -
		     hypot(once - count_low(in, freq(in, 1), Z95), sqrt(twice));

	u->coverage = fmin(fmax(0, 1 - missing / (double)in->sum), UNSEEN_COVERAGE_MAX);
	u->coverage_low = fmax(0, fmin(1 - high / (double)in->sum, u->coverage));
	if (low < 0 || at_least(in) == 0)
		low = 0;
	u->coverage_high = fmin(1 - low / (double)in->sum, UNSEEN_COVERAGE_MAX);
	u->coverage_high = fmax(u->coverage_high, u->coverage);
}

/* ----------------------------------------------------------------------------------------- */

void unseen_estimate(const struct incidence *in, struct unseen *ret)
{
	struct unseen u = { .units = in->units, .seen = in->seen };

	if (in->units)
		u.once = freq(in, 1);
	if (in->units > 1)
		u.twice = freq(in, 2);
	if (in->units < UNSEEN_UNITS_MIN) {
		snprintf(u.why, sizeof(u.why), "%u of the %u units that an estimate needs",
			 in->units, UNSEEN_UNITS_MIN);
	} else if (in->sum == 0) {
		snprintf(u.why, sizeof(u.why), "no call was seen");
	} else if (u.once == u.seen) {
		snprintf(u.why, sizeof(u.why), "no call was seen in more than one unit");
	} else {
		u.is_known = true;
		estimate_total(in, &u);
		estimate_coverage(in, &u);
	}
	*ret = u;
}

/* --- what comes -------------------------------------------------------------------------- */

/* Of so many unseen calls: Chao et al. 2014, Ecol. Monogr. 84:45, eq. 18. */
static double extrapolate(const struct incidence *in, double unseen, double once, uint32_t more)
{
	if (unseen <= 0 || once <= 0)
		return 0;
	return unseen * (1 - pow(1 - once / (in->units * unseen + once), more));
}

/*
 * New calls are at most as many a unit as calls were made once (Good 1953), less as time goes on: a
 * count that is known of `units` units foretells that of `more` (Nelson 1970, Technometrics 12:969).
 */
void unseen_next(const struct incidence *in, uint32_t more, struct unseen_next *ret)
{
	struct unseen u;
	double c = clump(in), most = beyond(in), low;

	unseen_estimate(in, &u);
	*ret = (struct unseen_next){ .is_known = u.is_known };
	if (!u.is_known)
		return;
	ret->high = ceil(c * next_quantile(u.once / c + 1, (double)more / in->units));
	low = extrapolate(in, chao2_low(in), count_low(in, u.once, Z90), more);
	ret->low = floor(c * poisson_low(low / c));
	ret->expected = extrapolate(in, chao2(in), u.once, more);
	ret->high = fmin(ret->high, most);
	ret->low = fmin(ret->low, ret->high);
	ret->expected = fmin(fmax(ret->expected, ret->low), ret->high);
}

/* Logarithm of the binomial coefficient. */
static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* Colwell, Mao & Chang 2004, Ecology 85:2717, eq. 5. */
double unseen_rarefy(const struct incidence *in, uint32_t k)
{
	double missed = 0, all = log_choose(in->units, k);

	for (uint32_t j = 1; j + k <= in->units; j++)
		missed += freq(in, j) ? freq(in, j) * exp(log_choose(in->units - j, k) - all) : 0;
	return in->seen - missed;
}

const char *unseen_percent(double share, char buf[UNSEEN_PERCENT_MAX])
{
	/* 0.973 * 1000 is a little less than 973. */
	double tenths = floor(fmin(fmax(share, 0), UNSEEN_COVERAGE_MAX) * 1000 + 1e-9);

	snprintf(buf, UNSEEN_PERCENT_MAX, "%.1f", tenths / 10);
	return buf;
}
