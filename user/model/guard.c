/* SPDX-License-Identifier: Apache-2.0 */
#include "model/guard.h"

#include <string.h>

/* What the runtime did before the filter is in no policy, so nobody is asked about it. */
static bool is_composed(unsigned stage)
{
	return stage != TAMIS_SETUP;
}

static struct sysset pending_of(const struct learned *l, unsigned abi, const struct sysset *guard,
				const struct verdicts *v)
{
	struct sysset seen = { 0 }, pending = guard[abi];

	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		if (is_composed(stage))
			sysset_merge(&seen, &l->set[stage][abi]);
	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		pending.bits[i] &= seen.bits[i];
	sysset_remove(&pending, &v->allowed[abi]);
	sysset_remove(&pending, &v->denied[abi]);
	return pending;
}

void guard_sift(struct learned *l, const struct sysset *guard, const struct verdicts *v,
		struct sysset *ret_pending)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset pending = pending_of(l, abi, guard, v);

		sysset_merge(&l->set[TAMIS_WORKLOAD][abi], &v->allowed[abi]);
		for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++) {
			sysset_remove(&l->set[stage][abi], &pending);
			sysset_remove(&l->set[stage][abi], &v->denied[abi]);
		}
		if (ret_pending)
			ret_pending[abi] = pending;
	}
}
