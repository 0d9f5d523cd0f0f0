/* SPDX-License-Identifier: Apache-2.0 */
#include "model/widen.h"

static bool have_common(const struct sysset *a, const struct sysset *b)
{
	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		if (a->bits[i] & b->bits[i])
			return true;
	return false;
}

/* Whether the set grew. */
static bool widen_set(struct sysset *set, const struct sysset *group, const struct sysset *but)
{
	struct sysset more = *group;

	if (!have_common(set, group))
		return false;
	if (but)
		sysset_remove(&more, but);
	sysset_remove(&more, set);
	sysset_merge(set, &more);
	return !sysset_is_empty(&more);
}

/* Again until nothing grows: a call may be in several groups. */
static void widen_all(struct sysset *set, unsigned abi, const struct widen_group *g, size_t cnt,
		      const struct sysset *but)
{
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = 0; i < cnt; i++)
			grew |= widen_set(set, &g[i].calls[abi], but);
	}
}

void learned_widen(struct learned *l, const struct widen_group *g, size_t cnt,
		   const struct sysset *but)
{
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			widen_all(&l->set[stage][abi], abi, g, cnt, but ? &but[abi] : NULL);
}
