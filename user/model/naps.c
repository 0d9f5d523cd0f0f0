/* SPDX-License-Identifier: Apache-2.0 */
#include "model/naps.h"

#include <stdlib.h>

void naps_done(struct naps *n)
{
	free(n->nap);
	*n = (struct naps){ 0 };
}

/* The clock may have been set back in a nap, and a nap is cut to seconds. */
static double slept_in(const struct nap *n, int64_t from, int64_t to)
{
	int64_t low = n->began > from ? n->began : from, high = n->ended < to ? n->ended : to;
	double most = (double)(n->ended - n->began) * 1000;
	double slept = (double)n->slept_ms < most ? (double)n->slept_ms : most;

	return low < high ? slept * (double)(high - low) / (double)(n->ended - n->began) : 0;
}

int64_t naps_slept(const struct naps *n, int64_t from, int64_t to)
{
	double sum = 0;

	for (size_t i = 0; i < n->cnt && n->nap[i].began < to; i++)
		sum += slept_in(&n->nap[i], from, to);
	return (int64_t)(sum + 0.5);
}
