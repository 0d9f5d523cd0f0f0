/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/slept.h"

/* The first nap of those that `life` ran through; 0: none. */
static int64_t first_nap(const struct naps *n, const struct store_life *life)
{
	for (size_t i = 0; i < n->cnt; i++) {
		const struct nap *nap = &n->nap[i];

		if (nap->slept_ms > 0 && nap->began < life->ended && nap->ended > life->began)
			return nap->began > life->began ? nap->began : life->began;
	}
	return 0;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Lives are in the order of their beginning: what one shares with those before counts once. */
static void add_life(const struct naps *naps, const struct store_life *life, int64_t *done,
		     struct slept *into)
{
	int64_t from;

	if (!into->since)
		into->since = first_nap(naps, life);
	from = max(max(life->began, into->since), *done);
	if (!into->since || from >= life->ended)
		return;
	into->ran_ms += (life->ended - from) * 1000;
	into->ms += naps_slept(naps, from, life->ended);
	*done = life->ended;
}

int slept_of(struct store *s, int64_t workload, const struct naps *naps, int64_t now,
	     struct slept *ret)
{
	_free_ struct store_life *life = NULL;
	struct slept sum = { 0 };
	int64_t done = 0;
	size_t cnt = 0;
	int r = naps->cnt ? store_lives(s, workload, now, &life, &cnt) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < cnt; i++)
		add_life(naps, &life[i], &done, &sum);
	*ret = sum.ms > 0 ? sum : (struct slept){ 0 };
	return 0;
}

double slept_watched(const struct slept *s)
{
	return s->ran_ms > 0 && s->ms < s->ran_ms ? 1 - (double)s->ms / (double)s->ran_ms
						  : s->ran_ms <= 0;
}
