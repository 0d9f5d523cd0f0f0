/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy lets through that another one didn't. */
#include "cli/mine_job.h"

/* What a filter says of one call. */
struct said {
	const struct filter_rule *rule;
	size_t cnt, refusing;
	bool otherwise; /* passes where no rule matches */
};

static struct said said_of(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	struct said s = { 0 };

	if (!(f->abis >> abi & 1))
		return s;
	s.cnt = filter_find(f, abi, nr, &s.rule);
	s.otherwise =
		filter_action_passes(f->default_action) && !(s.cnt == 1 && s.rule->cond_cnt == 0);
	for (size_t i = 0; i < s.cnt; i++)
		s.refusing += !filter_action_passes(s.rule[i].action);
	return s;
}

/* By some arguments is enough. */
static bool passes(const struct said *s)
{
	return s->otherwise || s->refusing < s->cnt;
}

static bool has_cond(const struct filter_rule *r, const struct filter_cond *c)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (r->cond[i].index == c->index && r->cond[i].op == c->op &&
		    r->cond[i].value == c->value && r->cond[i].value_two == c->value_two)
			return true;
	return false;
}

/* All that `b` matches `a` matches, too. */
static bool covers(const struct filter_rule *a, const struct filter_rule *b)
{
	for (unsigned i = 0; i < a->cond_cnt; i++)
		if (!has_cond(b, &a->cond[i]))
			return false;
	return true;
}

static bool has_passed(const struct said *base, const struct filter_rule *now)
{
	for (size_t i = 0; i < base->cnt; i++)
		if (filter_action_passes(base->rule[i].action) && covers(&base->rule[i], now))
			return true;
	return base->otherwise;
}

static bool contradict(const struct filter_cond *a, const struct filter_cond *b)
{
	if (a->index != b->index)
		return false;
	if (a->op == FILTER_EQ && b->op == FILTER_EQ)
		return a->value != b->value;
	if (a->op == FILTER_MASKED_EQ && b->op == FILTER_MASKED_EQ)
		return a->value == b->value && a->value_two != b->value_two;
	return a->value == b->value && ((a->op == FILTER_EQ && b->op == FILTER_NE) ||
					(a->op == FILTER_NE && b->op == FILTER_EQ));
}

/* Nothing is matched by both. */
static bool disjoint(const struct filter_rule *a, const struct filter_rule *b)
{
	for (unsigned i = 0; i < a->cond_cnt; i++)
		for (unsigned k = 0; k < b->cond_cnt; k++)
			if (contradict(&a->cond[i], &b->cond[k]))
				return true;
	return false;
}

/* Whether nothing of what `rule` refused passes now. */
static bool is_refused(const struct said *now, const struct filter_rule *rule)
{
	bool passes = now->otherwise;

	for (size_t i = 0; i < now->cnt; i++) {
		if (filter_action_passes(now->rule[i].action))
			passes |= !disjoint(&now->rule[i], rule);
		else if (covers(&now->rule[i], rule))
			return true;
	}
	return !passes;
}

/* Rule by rule: no values are tried, so what is said in another way counts as wider. */
static bool is_wider(const struct said *base, const struct said *now)
{
	static const struct filter_rule any;

	if (now->otherwise && !has_passed(base, &any))
		return true;
	for (size_t i = 0; i < now->cnt; i++)
		if (filter_action_passes(now->rule[i].action) && !has_passed(base, &now->rule[i]))
			return true;
	for (size_t i = 0; i < base->cnt; i++)
		if (!filter_action_passes(base->rule[i].action) && !is_refused(now, &base->rule[i]))
			return true;
	return false;
}

void mine_wider(const struct filter *base, const struct policy *now, struct sysset *ret)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		ret[abi] = (struct sysset){ 0 };
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			bool asked = now->pending && sysset_has(&now->pending[abi], nr);
			struct said b = said_of(base, abi, nr), n = said_of(now->filter, abi, nr);

			if (is_wider(&b, &n) || (asked && !passes(&b)))
				sysset_add(&ret[abi], nr);
		}
	}
}
