/* SPDX-License-Identifier: Apache-2.0 */
/* What a matrix comes down to for the estimates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/unseen.h"

/* Calls made in more units than these say nothing of how rare ones come. */
#define RARE_UNITS 10

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

static bool together(const struct matrix *m, const struct matrix_call *a,
		     const struct matrix_call *b)
{
	if (a->units != b->units || a->first != b->first)
		return false;
	for (size_t i = a->first; i < m->cnt; i++) {
		if (sysset_has(&m->unit[i].set[a->abi], a->nr) !=
		    sysset_has(&m->unit[i].set[b->abi], b->nr))
			return false;
	}
	return true;
}

/* How many of those that were made in as many units would be in the same ones by chance. */
static double by_chance(const struct incidence *in, uint32_t k)
{
	double ways = 1;

	for (uint32_t i = 0; i < k; i++)
		ways *= (double)(in->units - i) / (k - i);
	return (in->freq[k - 1] - 1) / ways;
}

/*
 * A test that saves to disk makes half a dozen calls that no other makes: they come and stay away
 * together, and are one piece of evidence, not six. Of a rare call, how many (itself included) are
 * made in the very same units, beyond what chance would put there.
 */
static double find_clump(const struct matrix *m, const struct incidence *in,
			 const struct matrix_call *call, size_t cnt)
{
	double mates = 0, chance = 0;
	size_t rare = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (call[i].units > RARE_UNITS || call[i].units >= in->units)
			continue;
		rare++;
		chance += by_chance(in, call[i].units);
		for (size_t j = 0; j < cnt; j++)
			mates += j != i && together(m, &call[i], &call[j]);
	}
	return rare && mates > chance ? 1 + (mates - chance) / (double)rare : 1;
}

int incidence_of(const struct matrix *m, struct incidence *ret)
{
	_incidence_ struct incidence in = { .units = (uint32_t)m->cnt };
	_free_ struct matrix_call *call = NULL;
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
	in.clump = find_clump(m, &in, call, cnt);
	*ret = in;
	in.freq = NULL;
	return 0;
}
