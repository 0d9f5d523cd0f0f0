/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls a workload has that nobody saw yet, from how many were seen in exactly one and in
 * exactly two units. Pure.
 *
 * Chao2 (Chao 1987, Biometrics 43:783) for the number, Good-Turing sample coverage for incidence data
 * (Good 1953, Biometrika 40:237; Chao & Jost 2012, Ecology 93:2533), rarefaction (Mao Tau: Colwell, Mao
 * & Chang 2004, Ecology 85:2717; extrapolation: Chao et al. 2014, Ecol. Monogr. 84:45). Units must be
 * exchangeable for these to hold: tests in any order, starts, replicas; epochs of one life are not quite,
 * which unseen_next says nothing about.
 *
 * Chao2's own interval is one for a lower bound and misses the truth where there is a long tail, so the
 * intervals here are others: Poisson limits, for calls that may come in clumps. Coverage and what comes
 * next need no assumption on how rare calls are. The total does: no number of units excludes calls that
 * are rarer than they could show. Where what is left possible is most of the calls there are, is_bounded
 * is false: there is a lower limit and nothing else. That is so for some ten or twenty units nearly
 * always, and for a hundred where calls made in a single unit are many.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/matrix.h"

/* What a matrix comes down to: freq[k - 1] calls were made in exactly k units, k = 1..units. */
struct incidence {
	uint32_t units;
	uint32_t *freq;
	uint32_t seen;	   /* calls: the sum of freq */
	uint64_t sum;	   /* pairs of (call, unit): the sum of k * freq[k - 1] */
	uint32_t universe; /* calls there are at all: nothing is estimated beyond; 0: not known */
	double clump;	   /* of a rare call: how many come and stay away together, 1..; 0: 1 */
};
void incidence_done(struct incidence *i);
#define _incidence_ __attribute__((cleanup(incidence_done)))
/* -ENOMEM. */
int incidence_of(const struct matrix *m, struct incidence *ret);

#define UNSEEN_UNITS_MIN    5 /* below it nothing is said; more may be asked for */
#define UNSEEN_WHY_MAX	    128
/* "100 %" is never the truth: nothing computed here is above it, and it is printed as 99.9. */
#define UNSEEN_COVERAGE_MAX 0.9999

/* Intervals are of 95 %. */
struct unseen {
	bool is_known; /* else `why` says why there is no number, in a sentence without a period */
	char why[UNSEEN_WHY_MAX];
	uint32_t units, seen, once, twice;
	bool is_bounded; /* else total_high is all the calls there are: the units are too few to say less */
	double total, total_low, total_high; /* calls there are, seen ones included */
	double coverage, coverage_low,
		coverage_high; /* that the next call-in-a-unit was seen: < 1 */
};
void unseen_estimate(const struct incidence *in, struct unseen *ret);

/* New calls that `more` further units will bring; `low`..`high` is a prediction interval of 95 %: what is
 * really seen lies in it, not only its mean. */
struct unseen_next {
	bool is_known;
	double expected, low, high;
};
void unseen_next(const struct incidence *in, uint32_t more, struct unseen_next *ret);

/* Calls expected in `k` (1..units) of the units, drawn at random. */
double unseen_rarefy(const struct incidence *in, uint32_t k);

/* A share as per cent with one decimal, cut, not rounded: "97.3"; never more than "99.9". */
#define UNSEEN_PERCENT_MAX 8
const char *unseen_percent(double share, char buf[UNSEEN_PERCENT_MAX]);
