/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy lets through that another one didn't. */
#include "cli/mine_job.h"

/* By some arguments is enough. */
static bool passes(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	const struct filter_rule *rule = NULL;
	size_t cnt;

	if (!(f->abis >> abi & 1))
		return false;
	cnt = filter_find(f, abi, nr, &rule);
	for (size_t i = 0; i < cnt; i++)
		if (filter_action_passes(rule[i].action))
			return true;
	return filter_action_passes(f->default_action) && !(cnt == 1 && rule->cond_cnt == 0);
}

void mine_wider(const struct filter *base, const struct policy *now, struct sysset *ret)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		ret[abi] = (struct sysset){ 0 };
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			bool asked = now->pending && sysset_has(&now->pending[abi], nr);

			if ((asked || passes(now->filter, abi, nr)) && !passes(base, abi, nr))
				sysset_add(&ret[abi], nr);
		}
	}
}
