/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "learn/make.h"
#include "learn/oracle.h"
#include "learn/oracle_internal.h"

/* Nothing but the gate and policies/always passes: the oracle says the rest. */
static int make_empty(struct store *s, const struct store_row *row, struct generation *g)
{
	struct verdicts said;
	int r = store_verdicts(s, row->id, &said);

	memset(&g->learned, 0, sizeof(g->learned));
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		g->learned.set[TAMIS_WORKLOAD][abi] = said.allowed[abi];
	return r;
}

static bool is_in_policy(const struct policy_origin *o)
{
	return o->stage == TAMIS_WORKLOAD || o->stage == TAMIS_SESSION;
}

/* What passes anyhow would have begun no loop. */
static int count_saved(struct store *s, const struct store_row *row, uint32_t window_s,
		       uint32_t *ret)
{
	_calls_ struct oracle_calls c = { 0 };
	struct policy_origin *origin = NULL;
	_free_ int64_t *first = NULL;
	size_t cnt = 0, used = 0;
	int r = store_origins(s, row->id, &origin, &cnt);

	if (r == 0)
		r = oracle_calls_load(s, row->id, &c);
	if (r == 0 && !(first = calloc(cnt + 1, sizeof(*first))))
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < cnt; i++)
		if (is_in_policy(&origin[i]) && !sysset_has(&c.passes[origin[i].abi], origin[i].nr))
			first[used++] = origin[i].first * 1000;
	store_origins_free(origin, cnt);
	if (r == 0)
		*ret = oracle_saved(first, used, window_s);
	return r;
}

static int make(struct store *s, const struct store_row *row, const struct oracle_wanted *w,
		int64_t now, struct generation *ret)
{
	const struct make_options mo = {
		.maker = w->bootstrap ? "oracle, bootstrap" : "oracle",
		.good = true,
	};
	int r = make_generation(s, row, &mo, now, ret);

	if (r == 0 && !w->bootstrap)
		r = make_empty(s, row, ret);
	if (r == 0)
		r = store_generation_add(s, row->id, ret);
	/* one of the same calls may be on trial, or have failed */
	return r < 0 ? r : store_generation_state(s, row->id, ret->number, GENERATION_GOOD, NULL);
}

static int set_row(struct store *s, const struct store_row *row, const struct oracle_wanted *w,
		   uint32_t saved, int64_t now_ms)
{
	const struct store_oracle o = {
		.workload = row->id,
		.production = (char *)w->production,
		.hardened = (char *)w->hardened,
		.is_image = w->is_image,
		.replay = (char *)w->replay,
		.window_s = w->window_s,
		.bootstrap = w->bootstrap,
		.by_rule = w->by_rule,
		.per_hour = w->per_hour,
		.state = ORACLE_START,
		.since = now_ms,
		.deadline = now_ms + ORACLE_ACTION_S * 1000,
		.tries = 1,
		.nr = TAMIS_CALLS,
		.saved = saved,
		.began = now_ms / 1000,
	};

	return store_oracle_set(s, &o);
}

int oracle_begin(struct store *s, const struct store_row *row, const struct oracle_wanted *w,
		 int64_t now_ms, struct store_applied *ret_is)
{
	_generation_ struct generation g = { 0 };
	struct store_applied is = { 0 };
	uint32_t saved = 0;
	int r = store_applied_get(s, row->id, &is);

	if (r == 0)
		r = make(s, row, w, now_ms / 1000, &g);
	if (r == 0 && w->bootstrap)
		r = count_saved(s, row, w->window_s, &saved);
	if (r == 0)
		r = set_row(s, row, w, saved, now_ms);
	if (r < 0)
		return r;
	is.mode = MODE_ENFORCE;
	is.generation = g.number;
	is.good = 0;
	is.since = now_ms / 1000;
	*ret_is = is;
	return 0;
}
