/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_load.h"

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "policy/generations.h"

static int load_learned(struct store *s, struct policy_loaded *p)
{
	int r = store_learned(s, p->row.id, &p->calls.learned);

	if (r == 0)
		r = store_verdicts(s, p->row.id, &p->calls.said);
	if (r == 0)
		r = store_origins(s, p->row.id, &p->origin, &p->policy.origin_cnt);
	if (r < 0)
		log_err("%s", store_error(s));
	return r;
}

static int compose_loaded(const struct policy_options *o, struct policy_loaded *ret)
{
	struct policy_options own = *o;
	struct policy *p = &ret->policy;
	int r = policy_sift(o, &ret->calls);

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

int policy_load_row(struct store *s, struct store_row *row, const struct policy_options *o,
		    struct policy_loaded *ret)
{
	int r;

	*ret = (struct policy_loaded){ .row = *row };
	*row = (struct store_row){ 0 };
	r = load_learned(s, ret);
	return r < 0 ? r : compose_loaded(o, ret);
}

int policy_load(const char *name, const struct policy_options *o, struct policy_loaded *ret)
{
	_cleanup_(store_close) struct store *s = NULL;
	_row_ struct store_row row = { 0 };
	int r;

	*ret = (struct policy_loaded){ 0 };
	r = lookup_open(o->state ?: DEFAULT_STATE_DIR, STORE_READ, &s);
	if (r == 0)
		r = lookup_workload(s, name, &row);
	return r < 0 ? r : policy_load_row(s, &row, o, ret);
}

void policy_loaded_done(struct policy_loaded *p)
{
	store_origins_free(p->origin, p->policy.origin_cnt);
	store_row_done(&p->row);
	filter_free(p->filter);
	free(p->runtimes);
	*p = (struct policy_loaded){ 0 };
}
