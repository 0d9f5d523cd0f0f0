/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_load.h"

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "policy/generations.h"

static int load_learned(const char *name, const char *state, struct policy_loaded *p)
{
	_cleanup_(store_close) struct store *s = NULL;
	int r = lookup_open(state, STORE_READ, &s);

	if (r == 0)
		r = lookup_workload(s, name, &p->row);
	if (r < 0)
		return r;
	r = store_learned(s, p->row.id, &p->calls.learned);
	if (r == 0)
		r = store_verdicts(s, p->row.id, &p->calls.said);
	if (r == 0)
		r = store_origins(s, p->row.id, &p->origin, &p->policy.origin_cnt);
	if (r < 0)
		log_err("%s", store_error(s));
	return r;
}

int policy_load(const char *name, const struct policy_options *o, struct policy_loaded *ret)
{
	struct policy_options own = *o;
	struct policy *p = &ret->policy;
	int r;

	*ret = (struct policy_loaded){ 0 };
	r = load_learned(name, o->state ?: DEFAULT_STATE_DIR, ret);
	if (r == 0)
		r = policy_sift(o, &ret->calls);
	own.denied = ret->calls.said.denied;
	own.denied_eperm = ret->calls.said.denied_eperm;
	if (r == 0)
		r = policy_compose(&own, ret->row.engine, &ret->calls.learned, &ret->filter,
				   &ret->runtimes);
	if (r < 0)
		return r;
	policy_borrow(&ret->calls, p);
	p->why_not = ret->row.why_not;
	p->workload = ret->row.key;
	p->engine = ret->row.engine;
	p->image = ret->row.image;
	p->filter = ret->filter;
	p->evidence = &ret->row.evidence;
	p->origin = ret->origin;
	p->runtimes = ret->runtimes;
	return 0;
}

void policy_loaded_done(struct policy_loaded *p)
{
	store_origins_free(p->origin, p->policy.origin_cnt);
	store_row_done(&p->row);
	filter_free(p->filter);
	free(p->runtimes);
	*p = (struct policy_loaded){ 0 };
}
