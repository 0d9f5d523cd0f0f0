/* SPDX-License-Identifier: Apache-2.0 */
/* What a matrix comes down to for the estimates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/unseen.h"

void incidence_done(struct incidence *i)
{
	free(i->freq);
	*i = (struct incidence){ 0 };
}

/* Calls with a name of every ABI that was used. A number without one that was made counts, too. */
static uint32_t count_universe(const struct matrix_call *call, size_t cnt)
{
	bool used[TAMIS_ABI_MAX] = { false };
	uint32_t universe = 0;

	for (size_t i = 0; i < cnt; i++) {
		used[call[i].abi] = true;
		universe += !calls_name(call[i].abi, call[i].nr);
	}
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; used[abi] && nr < calls_end((enum tamis_abi)abi); nr++)
			universe += calls_name((enum tamis_abi)abi, nr) != NULL;
	}
	return universe;
}

/* The units of each call, a bit each, `words` a call. */
struct patterns {
	uint64_t *bits;
	size_t words;
};

static int find_patterns(const struct matrix *m, const struct matrix_call *call, size_t cnt,
			 struct patterns *ret)
{
	size_t words = m->cnt / 64 + 1;
	uint64_t *bits = calloc(cnt + 1, words * sizeof(*bits));

	if (!bits)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		for (size_t u = call[i].first; u < m->cnt; u++)
			if (sysset_has(&m->unit[u].set[call[i].abi], call[i].nr))
				bits[i * words + u / 64] |= UINT64_C(1) << u % 64;
	*ret = (struct patterns){ bits, words };
	return 0;
}

/* In four of five units that made either of them, both were made. */
static bool together(const struct patterns *p, size_t i, size_t j)
{
	const uint64_t *a = &p->bits[i * p->words], *b = &p->bits[j * p->words];
	unsigned both = 0, either = 0;

	for (size_t w = 0; w < p->words; w++) {
		both += (unsigned)__builtin_popcountll(a[w] & b[w]);
		either += (unsigned)__builtin_popcountll(a[w] | b[w]);
	}
	return both * 5 >= either * 4;
}

/* The cheap half: as many units, about. */
static bool may_be_together(const struct matrix_call *a, const struct matrix_call *b)
{
	return a->units * 5 >= b->units * 4 && b->units * 5 >= a->units * 4;
}

/* How many of those that were made in as many units would be in the same ones by chance. */
static double by_chance(const struct incidence *in, uint32_t k)
{
	double ways = 1;

	for (uint32_t i = 0; i < k && ways < 1e9; i++)
		ways *= (double)(in->units - i) / (k - i);
	return (in->freq[k - 1] - 1) / ways;
}

/*
 * A test that saves to disk makes half a dozen calls that no other makes: they come and stay away
 * together, and are one piece of evidence, not six. Of a call that isn't made in most units, how many
 * (itself included) are made in the same ones, beyond what chance would put there. Where there are few
 * such calls it isn't known how those come that nobody saw: CLUMP is what few of them are weighed with.
 */
#define CLUMP	     4
#define CLUMP_WEIGHT 5

static double find_clump(const struct patterns *p, const struct incidence *in,
			 const struct matrix_call *call, size_t cnt)
{
	double mates = 0, chance = 0, rare = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (call[i].units * 2 > in->units)
			continue;
		rare++;
		chance += by_chance(in, call[i].units);
		for (size_t j = 0; j < cnt; j++)
			mates += j != i && may_be_together(&call[i], &call[j]) && together(p, i, j);
	}
	mates = mates > chance ? mates - chance : 0;
	return 1 + (mates + CLUMP_WEIGHT * (CLUMP - 1)) / (rare + CLUMP_WEIGHT);
}

int incidence_of(const struct matrix *m, struct incidence *ret)
{
	_incidence_ struct incidence in = { .units = (uint32_t)m->cnt };
	_free_ struct matrix_call *call = NULL;
	struct patterns p;
	size_t cnt;
	int r = matrix_calls(m, &call, &cnt);

	if (r < 0)
		return r;
	in.freq = calloc(m->cnt + 1, sizeof(*in.freq));
	if (!in.freq)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		in.freq[call[i].units - 1]++;
		in.sum += call[i].units;
	}
	in.seen = (uint32_t)cnt;
	in.universe = count_universe(call, cnt);
	r = find_patterns(m, call, cnt, &p);
	if (r < 0)
		return r;
	in.clump = find_clump(&p, &in, call, cnt);
	free(p.bits);
	*ret = in;
	in.freq = NULL;
	return 0;
}
