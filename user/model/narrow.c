/* SPDX-License-Identifier: Apache-2.0 */
#include "model/narrow.h"

#include <errno.h>
#include <string.h>

#include "model/narrow_internal.h"
#include "model/rules.h"

static bool conditional(const struct filter_rule *r)
{
	return r->cond_cnt > 0;
}

const struct filter_rule *side_unconditional(const struct side *s)
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
	return !side_unconditional(s) && filter_action_passes(s->otherwise);
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

const struct filter_rule *side_next_passing(const struct side *s, size_t *i)
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

static int meet_two(struct narrowing *n, const struct filter_rule *a, const struct filter_rule *b)
{
	struct filter_rule mine = *a;

	mine.abi = n->like->abi;
	mine.nr = n->like->nr;
	mine.action = n->action;
	return rules_meet(&mine, b, n->pass);
}

/* What one alternative of the base keeps under the engine's. */
static int meet_one(struct narrowing *n, const struct filter_rule *a, const struct side *engine)
{
	const struct filter_rule *b;
	int r = 0;

	for (size_t i = 0; (b = side_next_passing(engine, &i));)
		if (rule_implies(a, b))
			return add(n->pass, a, n, n->action, 0);
	n->by_engine = true;
	for (size_t i = 0; r == 0 && (b = side_next_passing(engine, &i));)
		r = meet_two(n, a, b);
	return r;
}

static int meet(struct narrowing *n, const struct side *base, const struct side *engine)
{
	const struct filter_rule *a;
	int r = 0;

	for (size_t i = 0; r == 0 && (a = side_next_passing(base, &i));)
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

int narrow_cut(struct filter **list, const struct filter_rule *what, bool *ret_cut)
{
	_cleanup_(filter_free) struct filter *left = NULL;
	int r = filter_new(&left);

	for (size_t i = 0; r == 0 && i < (*list)->rule_cnt; i++) {
		*ret_cut |= !rule_excludes(&(*list)->rule[i], what);
		r = rules_subtract(&(*list)->rule[i], what, left);
	}
	if (r < 0)
		return r;
	filter_free(*list);
	*list = TAKE_PTR(left);
	return 0;
}

static int subtract(struct narrowing *n, const struct side *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->cnt; i++)
		if (!filter_action_passes(s->rule[i].action))
			r = narrow_cut(&n->pass, &s->rule[i], &n->by_engine);
	return r;
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

/* Leaves out what other rules say already. */
static int absorb(struct filter **list)
{
	_cleanup_(filter_free) struct filter *left = NULL;
	int r = filter_new(&left);

	for (size_t i = 0; r == 0 && i < (*list)->rule_cnt; i++)
		if (!is_covered(*list, i))
			r = filter_add(left, &(*list)->rule[i]);
	if (r < 0)
		return r;
	filter_free(*list);
	*list = TAKE_PTR(left);
	return 0;
}

static bool has_products(const struct filter *list)
{
	for (size_t i = 0; i < list->rule_cnt; i++)
		if (list->rule[i].cond_cnt > 1)
			return true;
	return false;
}

static unsigned long plain_cnt(const struct filter *list)
{
	unsigned long cnt = 0;

	for (size_t i = 0; i < list->rule_cnt; i++)
		cnt += rules_plain_cnt(&list->rule[i]);
	return cnt;
}

static int make_plain(struct filter **list)
{
	_cleanup_(filter_free) struct filter *plain = NULL;
	int r = filter_new(&plain);

	for (size_t i = 0; r == 0 && i < (*list)->rule_cnt; i++)
		r = rules_add_plain(&(*list)->rule[i], plain);
	if (r < 0)
		return r;
	filter_free(*list);
	*list = TAKE_PTR(plain);
	return 0;
}

static int absorb_both(struct narrowing *n)
{
	int r = absorb(&n->pass);

	return r == 0 ? absorb(&n->refuse) : r;
}

/* Point 3 of the header. */
static int make_all_plain(struct narrowing *n)
{
	int r;

	if (!has_products(n->pass) && !has_products(n->refuse))
		return 0;
	if (plain_cnt(n->pass) + plain_cnt(n->refuse) > RULES_MAX)
		return 0;
	r = make_plain(&n->pass);
	if (r == 0)
		r = make_plain(&n->refuse);
	return r == 0 ? absorb_both(n) : r;
}

int narrow_put(const struct filter *list, uint32_t why, struct filter *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->rule_cnt; i++) {
		struct filter_rule rule = list->rule[i];

		rule.why = why;
		r = filter_add(ret, &rule);
	}
	return r;
}

int narrow_put_refused(const struct narrowing *n, const struct side *base, struct filter *ret)
{
	const struct filter_rule *own = side_passes(base) ? NULL : side_unconditional(base);
	struct filter_rule rule = *n->like;

	rule.why |= FILTER_WHY_ERRNO | (own ? 0 : FILTER_WHY_ENGINE);
	rule.action = own ? own->action : ret->default_action;
	rule.errno_ret = own ? own->errno_ret : ret->default_errno;
	return filter_add(ret, &rule);
}

int narrow_pass(struct narrowing *n, const struct side *base, const struct side *engine)
{
	int r = meet(n, base, engine);

	if (r == 0)
		r = subtract(n, engine);
	return r == 0 ? subtract(n, base) : r;
}

int narrow_tidy(struct narrowing *n)
{
	int r = absorb_both(n);

	return r == 0 ? make_all_plain(n) : r;
}

static int narrow_into(struct narrowing *n, const struct side *base, const struct side *engine,
		       struct filter *ret)
{
	uint32_t why = n->like->why;
	int r = narrow_pass(n, base, engine);

	if (r == 0 && n->pass->rule_cnt == 0)
		return narrow_put_refused(n, base, ret);
	if (r == 0)
		r = collect_refusals(n, engine);
	if (r == 0)
		r = collect_refusals(n, base);
	if (r == 0)
		r = narrow_tidy(n);
	if (r == 0)
		r = narrow_put(n->pass, why | (n->by_engine ? FILTER_WHY_ENGINE : 0), ret);
	return r == 0 ? narrow_put(n->refuse, FILTER_WHY_ERRNO, ret) : r;
}

int narrowing_init(struct narrowing *n, const struct side *base, const struct side *engine,
		   const struct filter_rule *like)
{
	enum filter_action a = passing_action(base), b = passing_action(engine);
	int r;

	*n = (struct narrowing){ .like = like, .action = a < b ? a : b, .by_engine = b < a };
	r = filter_new(&n->pass);
	return r == 0 ? filter_new(&n->refuse) : r;
}

void narrowing_done(struct narrowing *n)
{
	filter_free(n->pass);
	filter_free(n->refuse);
}

int narrow(const struct side *base, const struct side *engine, const struct filter_rule *like,
	   struct filter *ret)
{
	struct narrowing n;
	int r = narrowing_init(&n, base, engine, like);

	if (r == 0)
		r = narrow_into(&n, base, engine, ret);
	narrowing_done(&n);
	return r;
}
