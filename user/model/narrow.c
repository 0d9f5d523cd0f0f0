/* SPDX-License-Identifier: Apache-2.0 */
#include "model/narrow.h"

#include <errno.h>
#include <string.h>

#include "model/boxes.h"

/* Two filters without order serve as growing lists of rules: what passes, what is refused. */
struct narrowing {
	const struct filter_rule *like;
	enum filter_action action; /* of what passes */
	bool by_engine;		   /* more than the base's own rules was needed */
	struct filter *pass, *refuse;
};

static bool conditional(const struct filter_rule *r)
{
	return r->cond_cnt > 0;
}

static const struct filter_rule *unconditional_of(const struct side *s)
{
	return s->cnt > 0 && !conditional(&s->rule[0]) ? &s->rule[0] : NULL;
}

struct side side_of(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	struct side s = { .otherwise = f->default_action };

	s.cnt = filter_find(f, abi, nr, &s.rule);
	return s;
}

static bool passes_otherwise(const struct side *s)
{
	return !unconditional_of(s) && filter_action_passes(s->otherwise);
}

bool side_passes(const struct side *s)
{
	for (size_t i = 0; i < s->cnt; i++)
		if (filter_action_passes(s->rule[i].action))
			return true;
	return passes_otherwise(s);
}

/* Actions that pass differently can't be told apart by rules that overlap: the strictest. */
static enum filter_action passing_action(const struct side *s)
{
	enum filter_action least = passes_otherwise(s) ? s->otherwise : FILTER_ALLOW;

	for (size_t i = 0; i < s->cnt; i++)
		if (filter_action_passes(s->rule[i].action) && s->rule[i].action < least)
			least = s->rule[i].action;
	return least;
}

/* The alternatives of a side that pass, as rules: all arguments at once where the default
 * passes. Walks: `i` starts at 0; NULL at the end. */
static const struct filter_rule *next_passing(const struct side *s, size_t *i)
{
	static const struct filter_rule any;

	if (passes_otherwise(s))
		return (*i)++ == 0 ? &any : NULL;
	while (*i < s->cnt) {
		const struct filter_rule *r = &s->rule[(*i)++];

		if (filter_action_passes(r->action))
			return r;
	}
	return NULL;
}

static int add(struct filter *list, const struct filter_rule *conds, const struct narrowing *n,
	       enum filter_action action, uint32_t errno_ret)
{
	struct filter_rule r = *conds;

	r.abi = n->like->abi;
	r.nr = n->like->nr;
	r.action = action;
	r.errno_ret = errno_ret;
	return filter_add(list, &r);
}

static int add_boxes(struct filter *list, const struct boxes *b, const struct filter_rule *like)
{
	for (unsigned i = 0; i < b->cnt; i++) {
		struct filter_rule r = *like;
		int e;

		box_write(&b->box[i], &r);
		e = filter_add(list, &r);
		if (e < 0)
			return e;
	}
	return 0;
}

/* Both rules' conditions as one rule, where the two on one argument contain one another. */
static bool join(const struct filter_rule *a, const struct filter_rule *b, struct filter_rule *ret)
{
	*ret = *a;
	for (unsigned i = 0; i < b->cond_cnt; i++) {
		const struct filter_cond *c = &b->cond[i], *mine = cond_find(a, c->index);

		if (!mine)
			ret->cond[ret->cond_cnt++] = *c;
		else if (cond_implies(c, mine))
			ret->cond[mine - a->cond] = *c;
		else if (!cond_implies(mine, c))
			return false;
	}
	return true;
}

static int meet_two(struct narrowing *n, const struct filter_rule *a, const struct filter_rule *b)
{
	struct filter_rule joined,
		like = { .abi = n->like->abi, .nr = n->like->nr, .action = n->action };
	struct boxes both;

	if (rule_excludes(a, b))
		return 0;
	if (join(a, b, &joined))
		return add(n->pass, &joined, n, n->action, 0);
	boxes_of_rule(a, &both);
	boxes_meet(&both, b);
	return add_boxes(n->pass, &both, &like);
}

/* What one alternative of the base keeps under the engine's. */
static int meet_one(struct narrowing *n, const struct filter_rule *a, const struct side *engine)
{
	const struct filter_rule *b;
	int r = 0;

	for (size_t i = 0; (b = next_passing(engine, &i));)
		if (rule_implies(a, b))
			return add(n->pass, a, n, n->action, 0);
	n->by_engine = true;
	for (size_t i = 0; r == 0 && (b = next_passing(engine, &i));)
		r = meet_two(n, a, b);
	return r;
}

static int meet(struct narrowing *n, const struct side *base, const struct side *engine)
{
	const struct filter_rule *a;
	int r = 0;

	for (size_t i = 0; r == 0 && (a = next_passing(base, &i));)
		r = meet_one(n, a, engine);
	return r;
}

static bool same_answer(const struct filter_rule *a, const struct filter_rule *b)
{
	return a->action == b->action && a->errno_ret == b->errno_ret;
}

/* A refusal that overlaps an earlier one with another answer would be ambiguous. */
static bool is_told(const struct filter *refuse, const struct filter_rule *r)
{
	for (size_t i = 0; i < refuse->rule_cnt; i++) {
		const struct filter_rule *known = &refuse->rule[i];

		if (same_answer(known, r) ? rule_implies(r, known) : !rule_excludes(r, known))
			return true;
	}
	return false;
}

static int collect_refusals(struct narrowing *n, const struct side *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->cnt; i++) {
		const struct filter_rule *rule = &s->rule[i];
		bool fakes = rule->action == FILTER_ERRNO && rule->errno_ret == 0;

		if (!conditional(rule) || filter_action_passes(rule->action) || fakes ||
		    is_told(n->refuse, rule))
			continue;
		r = add(n->refuse, rule, n, rule->action, rule->errno_ret);
	}
	return r;
}

/* Cuts what a side refuses out of what passes. */
static int subtract_one(struct narrowing *n, const struct filter_rule *from, const struct side *s,
			struct filter *ret)
{
	struct boxes left;
	bool cut = false;

	for (size_t i = 0; i < s->cnt; i++) {
		const struct filter_rule *q = &s->rule[i];

		if (filter_action_passes(q->action) || rule_excludes(from, q))
			continue;
		if (!cut)
			boxes_of_rule(from, &left);
		boxes_subtract(&left, q);
		cut = true;
	}
	if (!cut)
		return filter_add(ret, from);
	n->by_engine = true;
	return add_boxes(ret, &left, from);
}

static int subtract(struct narrowing *n, const struct side *s)
{
	_cleanup_(filter_free) struct filter *left = NULL;
	int r = filter_new(&left);

	for (size_t i = 0; r == 0 && i < n->pass->rule_cnt; i++)
		r = subtract_one(n, &n->pass->rule[i], s, left);
	if (r < 0)
		return r;
	filter_free(n->pass);
	n->pass = TAKE_PTR(left);
	return 0;
}

static unsigned args_of(const struct filter *list)
{
	unsigned args = 0;

	for (size_t i = 0; i < list->rule_cnt; i++)
		for (unsigned c = 0; c < list->rule[i].cond_cnt; c++)
			args |= 1u << list->rule[i].cond[c].index;
	return args;
}

static bool is_plain(const struct filter_rule *r)
{
	for (unsigned c = 0; c < r->cond_cnt; c++)
		if (r->cond[c].op != FILTER_EQ && r->cond[c].op != FILTER_MASKED_EQ)
			return false;
	return true;
}

/* Point 3 of the header: EQ and MASKED_EQ only. What would not fit is dropped (a refusal) or
 * stays as it is (what passes). */
static int make_plain(struct filter **list, bool keep_what_is_too_long)
{
	_cleanup_(filter_free) struct filter *plain = NULL;
	int r = filter_new(&plain);

	for (size_t i = 0; r == 0 && i < (*list)->rule_cnt; i++) {
		const struct filter_rule *rule = &(*list)->rule[i];
		struct boxes b = { .lost = true };

		if (!is_plain(rule))
			boxes_of_rule(rule, &b);
		if (!b.lost)
			r = add_boxes(plain, &b, rule);
		else if (is_plain(rule) || keep_what_is_too_long)
			r = filter_add(plain, rule);
	}
	if (r < 0)
		return r;
	filter_free(*list);
	*list = TAKE_PTR(plain);
	return 0;
}

static bool is_covered(const struct filter *list, size_t i)
{
	const struct filter_rule *r = &list->rule[i];

	for (size_t k = 0; k < list->rule_cnt; k++) {
		const struct filter_rule *other = &list->rule[k];

		if (k == i || !same_answer(r, other) || !rule_implies(r, other))
			continue;
		/* Of two that say the same, the first stays. */
		if (k < i || !rule_implies(other, r))
			return true;
	}
	return false;
}

static int put_all(const struct filter *list, uint32_t why, struct filter *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->rule_cnt; i++) {
		struct filter_rule rule = list->rule[i];

		if (is_covered(list, i))
			continue;
		rule.why = why;
		r = filter_add(ret, &rule);
	}
	return r;
}

/* Nothing passes: the base refuses the call itself, or what both allow is empty. */
static int put_refused(const struct narrowing *n, const struct side *base, struct filter *ret)
{
	const struct filter_rule *own = unconditional_of(base);
	struct filter_rule rule = *n->like;

	rule.why |= FILTER_WHY_ERRNO | (own ? 0 : FILTER_WHY_ENGINE);
	rule.action = own ? own->action : ret->default_action;
	rule.errno_ret = own ? own->errno_ret : ret->default_errno;
	return filter_add(ret, &rule);
}

static int narrow_into(struct narrowing *n, const struct side *base, const struct side *engine,
		       struct filter *ret)
{
	uint32_t why = n->like->why;
	int r = meet(n, base, engine);

	if (r == 0)
		r = subtract(n, engine);
	if (r == 0)
		r = subtract(n, base);
	if (r == 0 && n->pass->rule_cnt == 0)
		return put_refused(n, base, ret);
	if (r == 0)
		r = collect_refusals(n, engine);
	if (r == 0)
		r = collect_refusals(n, base);
	if (r == 0 && __builtin_popcount(args_of(n->pass) | args_of(n->refuse)) > 1) {
		r = make_plain(&n->pass, true);
		if (r == 0)
			r = make_plain(&n->refuse, false);
	}
	if (r == 0)
		r = put_all(n->pass, why | (n->by_engine ? FILTER_WHY_ENGINE : 0), ret);
	return r == 0 ? put_all(n->refuse, FILTER_WHY_ERRNO, ret) : r;
}

int narrow(const struct side *base, const struct side *engine, const struct filter_rule *like,
	   struct filter *ret)
{
	enum filter_action a = passing_action(base), b = passing_action(engine);
	struct narrowing n = { .like = like, .action = a < b ? a : b, .by_engine = b < a };
	int r = filter_new(&n.pass);

	if (r == 0)
		r = filter_new(&n.refuse);
	if (r == 0)
		r = narrow_into(&n, base, engine, ret);
	filter_free(n.pass);
	filter_free(n.refuse);
	return r;
}
