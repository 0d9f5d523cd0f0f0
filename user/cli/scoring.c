/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scoring.h"

#include <errno.h>

#include "base/log.h"
#include "policy/data.h"

int scoring_load(const struct policy_options *o, struct scoring *ret)
{
	struct scoring s = { 0 };
	int r = data_risk(&s.risk);

	if (r < 0)
		return log_err_errno(r, "policies/risk");
	r = policy_default(o, &s.usual, &s.usual_name);
	if (r < 0)
		data_risk_done(&s.risk);
	else
		*ret = s;
	return r;
}

void scoring_done(struct scoring *s)
{
	data_risk_done(&s->risk);
	filter_free(TAKE_PTR(s->usual));
}

json_t *scoring_json(const struct scoring *s, const struct filter *f)
{
	struct score n;

	score_filter(f, &s->risk, &n);
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "calls", n.calls, "of", n.of, "blocked",
			 n.blocked, "cves", n.cves, "blocked_execve", n.blocked_execve,
			 "cves_execve", n.cves_execve, "guarded", n.guarded);
}

/* --- many ----------------------------------------------------------------------------------- */

int scoring_quick_load(struct scoring_quick *ret)
{
	_cleanup_(filter_free) struct filter *fallback = NULL;
	int r = data_always(ret->always);

	if (r == 0)
		r = data_gate(NULL, ret->always);
	if (r == 0)
		r = data_fallback(&fallback);
	if (r == 0)
		r = data_risk(&ret->risk);
	if (r < 0)
		return log_err_errno(r, "policies/");
	score_narrow(&ret->risk, fallback);
	return 0;
}

void scoring_quick_done(struct scoring_quick *q)
{
	data_risk_done(&q->risk);
}

void scoring_quick(const struct scoring_quick *q, const struct learned *l, unsigned *ret_blocked,
		   unsigned *ret_cves)
{
	struct sysset pass[TAMIS_ABI_MAX] = { 0 };
	uint32_t abis = 1u << abi_native();

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned stage = TAMIS_GATE; stage < TAMIS_STAGE_MAX; stage++)
			sysset_merge(&pass[abi], &l->set[stage][abi]);
		if (!sysset_is_empty(&pass[abi]))
			abis |= 1u << abi;
		sysset_merge(&pass[abi], &q->always[abi]);
	}
	score_sets(pass, abis, &q->risk, ret_blocked, ret_cves);
}
