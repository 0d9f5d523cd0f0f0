/* SPDX-License-Identifier: Apache-2.0 */
/* narrow_strict: as narrow, but what is refused is exact too. */
#include <errno.h>

#include "model/narrow_internal.h"
#include "model/rules.h"

struct strict {
	struct narrowing n;
	uint32_t lost;
	struct filter *ret;
	bool kills; /* its default is stricter than an errno */
	bool over;  /* what is stricter than an errno takes more rules than there is room for */
};

static bool refuses(const struct filter_rule *r)
{
	return !filter_action_passes(r->action);
}

static bool same_answer(const struct filter_rule *a, const struct filter_rule *b)
{
	return a->action == b->action && a->errno_ret == b->errno_ret;
}

static int cut_told(const struct strict *s, const struct filter_rule *rule, struct filter **part,
		    bool *ret_full)
{
	const struct filter *told = s->n.refuse;
	bool cut = false, full = told->rule_cnt >= RULES_MAX;
	int r = filter_add(*part, rule);

	for (size_t i = 0; r == 0 && !full && i < told->rule_cnt; i++) {
		if (same_answer(&told->rule[i], rule))
			continue;
		r = narrow_cut(part, &told->rule[i], &cut);
		full = (*part)->rule_cnt >= RULES_MAX;
	}
	*ret_full = full;
	return r;
}

/* Adds to what is refused, less what has another answer already. Where that takes too many rules, an
 * errno can be left out, since the default is as strict; more than that can't. */
static int tell(struct strict *s, const struct filter_rule *rule)
{
	_cleanup_(filter_free) struct filter *part = NULL;
	bool full = false;
	int r = filter_new(&part);

	if (r == 0)
		r = cut_told(s, rule, &part, &full);
	if (r == 0 && full) {
		s->over |= rule->action != FILTER_ERRNO;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < part->rule_cnt; i++)
		r = filter_add(s->n.refuse, &part->rule[i]);
	return r;
}

/* One answer of a side, as a rule of this call. */
static struct filter_rule answer_of(const struct strict *s, const struct filter_rule *from)
{
	struct filter_rule r = *from;

	r.abi = s->n.like->abi;
	r.nr = s->n.like->nr;
	/* An errno of 0 would answer for a call that wasn't made. */
	if (r.action == FILTER_ERRNO && r.errno_ret == 0)
		r.errno_ret = s->lost;
	return r;
}

/* The strictest first: it stays whole. */
static int tell_engine(struct strict *s, const struct side *engine)
{
	int r = 0;

	for (unsigned action = 0; action <= FILTER_ERRNO; action++)
		for (size_t i = 0; r == 0 && i < engine->cnt; i++) {
			struct filter_rule rule = answer_of(s, &engine->rule[i]);

			if (rule.action == action)
				r = tell(s, &rule);
		}
	return r;
}

/* Elsewhere the default answers, and stricter. */
static int tell_where_passing(struct strict *s, const struct side *engine,
			      const struct filter_rule *rule)
{
	_cleanup_(filter_free) struct filter *part = NULL;
	const struct filter_rule *b;
	int r = filter_new(&part);

	for (size_t i = 0; r == 0 && (b = side_next_passing(engine, &i));)
		r = rules_meet(rule, b, part);
	for (size_t i = 0; r == 0 && i < part->rule_cnt; i++)
		r = tell(s, &part->rule[i]);
	return r;
}

static bool says_default(const struct strict *s, const struct filter_rule *r)
{
	return r->action == s->ret->default_action && r->errno_ret == s->ret->default_errno;
}

static int tell_base(struct strict *s, const struct side *base, const struct side *engine)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < base->cnt; i++) {
		struct filter_rule rule = answer_of(s, &base->rule[i]);

		if (!refuses(&rule) || says_default(s, &rule))
			continue;
		r = s->kills ? tell_where_passing(s, engine, &rule) : tell(s, &rule);
	}
	return r;
}

static int cut_all(struct filter **list, const struct filter *what)
{
	bool cut = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < what->rule_cnt; i++)
		r = narrow_cut(list, &what->rule[i], &cut);
	return r;
}

/* Let through by the engine, and neither let through nor refused by the base. Where room runs out
 * the default answers. */
static int tell_lost(struct strict *s, const struct side *engine)
{
	_cleanup_(filter_free) struct filter *left = NULL;
	const struct filter_rule *b;
	int r = filter_new(&left);

	for (size_t i = 0; r == 0 && (b = side_next_passing(engine, &i));) {
		struct filter_rule rule = answer_of(s, b);

		rule.action = FILTER_ERRNO;
		rule.errno_ret = s->lost;
		r = filter_add(left, &rule);
	}
	if (r == 0)
		r = cut_all(&left, s->n.refuse);
	if (r == 0)
		r = cut_all(&left, s->n.pass);
	for (size_t i = 0; r == 0 && i < left->rule_cnt; i++)
		r = filter_add(s->n.refuse, &left->rule[i]);
	return r;
}

/* One answer for all arguments, the strictest of them. */
static int put_strictest(const struct strict *s, const struct side *engine)
{
	struct filter_rule rule = *s->n.like;

	rule.action = FILTER_ERRNO;
	rule.errno_ret = s->lost;
	rule.why |= FILTER_WHY_ERRNO | FILTER_WHY_ENGINE;
	if (s->ret->default_action < rule.action)
		rule.action = s->ret->default_action;
	for (size_t i = 0; i < engine->cnt; i++)
		if (engine->rule[i].action < rule.action)
			rule.action = engine->rule[i].action;
	return filter_add(s->ret, &rule);
}

/* What a tracer is told: of the engine's rules the first that says something. */
static void keep_trace(struct strict *s, const struct side *engine)
{
	uint32_t told = 0;

	for (size_t i = 0; told == 0 && i < engine->cnt; i++)
		if (engine->rule[i].action == FILTER_TRACE)
			told = engine->rule[i].errno_ret;
	for (size_t i = 0; s->n.action == FILTER_TRACE && i < s->n.pass->rule_cnt; i++)
		s->n.pass->rule[i].errno_ret = told;
}

static bool has_refusals(const struct side *s)
{
	for (size_t i = 0; i < s->cnt; i++)
		if (refuses(&s->rule[i]))
			return true;
	return false;
}

/* One answer says it all: the default's, or the base's own. */
static bool is_refused_whole(const struct strict *s, const struct side *base,
			     const struct side *engine)
{
	bool by_base = side_unconditional(base) || !has_refusals(base);

	return s->n.pass->rule_cnt == 0 && !s->kills && by_base && !has_refusals(engine);
}

static int refuse_all(struct strict *s, const struct side *base, const struct side *engine)
{
	int r = tell_engine(s, engine);

	if (r == 0)
		r = tell_base(s, base, engine);
	return r == 0 && s->kills ? tell_lost(s, engine) : r;
}

static int strict_into(struct strict *s, const struct side *base, const struct side *engine)
{
	uint32_t why = s->n.like->why;
	int r = narrow_pass(&s->n, base, engine);

	if (r == 0 && is_refused_whole(s, base, engine))
		return narrow_put_refused(&s->n, base, s->ret);
	if (r == 0)
		r = refuse_all(s, base, engine);
	if (r == 0 && s->over)
		return put_strictest(s, engine);
	keep_trace(s, engine);
	if (r == 0)
		r = narrow_tidy(&s->n);
	if (r == 0)
		r = narrow_put(s->n.pass, why | (s->n.by_engine ? FILTER_WHY_ENGINE : 0), s->ret);
	return r == 0 ? narrow_put(s->n.refuse, FILTER_WHY_ERRNO, s->ret) : r;
}

int narrow_strict(const struct side *base, const struct side *engine,
		  const struct filter_rule *like, uint32_t lost, struct filter *ret)
{
	struct strict s = { .lost = lost, .ret = ret, .kills = ret->default_action < FILTER_ERRNO };
	int r = narrowing_init(&s.n, base, engine, like);

	if (r == 0)
		r = strict_into(&s, base, engine);
	narrowing_done(&s.n);
	return r;
}
