/* SPDX-License-Identifier: Apache-2.0 */
#include "model/rules.h"

#include <errno.h>
#include <string.h>

static bool never_matches(const struct filter_rule *r)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (cond_is_never(&r->cond[i]))
			return true;
	return false;
}

bool rule_implies(const struct filter_rule *a, const struct filter_rule *b)
{
	if (never_matches(a))
		return true;
	for (unsigned i = 0; i < b->cond_cnt; i++)
		if (!cond_implies(cond_find(a, b->cond[i].index), &b->cond[i]))
			return false;
	return true;
}

bool rule_excludes(const struct filter_rule *a, const struct filter_rule *b)
{
	if (never_matches(a) || never_matches(b))
		return true;
	for (unsigned i = 0; i < a->cond_cnt; i++) {
		const struct filter_cond *c = cond_find(b, a->cond[i].index);

		if (c && cond_excludes(&a->cond[i], c))
			return true;
	}
	return false;
}

static int push(struct filter *list, const struct filter_rule *r)
{
	if (list->rule_cnt >= RULES_MAX || never_matches(r))
		return 0;
	for (size_t i = 0; i < list->rule_cnt; i++)
		if (rule_implies(r, &list->rule[i]))
			return 0;
	return filter_add(list, r);
}

/* One of its conditions met with another on the same argument. */
static int push_split(struct filter *list, const struct filter_rule *r, const struct filter_cond *c)
{
	const struct filter_cond *at = cond_find(r, c->index);
	struct filter_cond both[COND_MEET_MAX];
	unsigned cnt = cond_meet(at, c, both);
	int e = 0;

	for (unsigned i = 0; e == 0 && i < cnt; i++) {
		struct filter_rule part = *r;

		part.cond[at - r->cond] = both[i];
		e = push(list, &part);
	}
	return e;
}

/* The rule with one condition more. */
static int push_with(struct filter *list, const struct filter_rule *r, const struct filter_cond *c)
{
	const struct filter_cond *at = cond_find(r, c->index);
	struct filter_rule part = *r;

	if (!at)
		part.cond[part.cond_cnt++] = *c;
	else if (cond_implies(c, at))
		part.cond[at - r->cond] = *c;
	else if (!cond_implies(at, c))
		return push_split(list, r, c);
	return push(list, &part);
}

int rules_meet(const struct filter_rule *r, const struct filter_rule *other, struct filter *ret)
{
	_cleanup_(filter_free) struct filter *now = NULL;
	int e = filter_new(&now);

	if (e == 0)
		e = push(now, r);
	for (unsigned i = 0; e == 0 && i < other->cond_cnt; i++) {
		struct filter *next = NULL;

		e = filter_new(&next);
		for (size_t k = 0; e == 0 && k < now->rule_cnt; k++)
			e = push_with(next, &now->rule[k], &other->cond[i]);
		filter_free(now);
		now = next;
	}
	for (size_t k = 0; e == 0 && k < now->rule_cnt; k++)
		e = push(ret, &now->rule[k]);
	return e;
}

/* The part of a rule that one condition does not match. A mask has no opposite: one bit of it
 * differs. */
static int push_without(struct filter *list, const struct filter_rule *r,
			const struct filter_cond *c)
{
	struct cube cube[COND_CUBES_MAX];
	struct filter_cond differs = *c;
	int e = 0;

	if (c->op != FILTER_MASKED_EQ) {
		differs.op = cond_opposite(c->op);
		return push_with(list, r, &differs);
	}
	for (unsigned i = 0, cnt = cond_cubes(c, true, cube); e == 0 && i < cnt; i++) {
		cube_write(&cube[i], &differs);
		e = push_with(list, r, &differs);
	}
	return e;
}

int rules_subtract(const struct filter_rule *r, const struct filter_rule *other, struct filter *ret)
{
	int e = 0;

	if (rule_excludes(r, other))
		return push(ret, r);
	for (unsigned i = 0; e == 0 && i < other->cond_cnt; i++)
		e = push_without(ret, r, &other->cond[i]);
	return e;
}

static bool cond_is_plain(const struct filter_cond *c)
{
	return c->op == FILTER_EQ || c->op == FILTER_MASKED_EQ;
}

bool rule_is_plain(const struct filter_rule *r)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (!cond_is_plain(&r->cond[i]))
			return false;
	return true;
}

unsigned long rules_plain_cnt(const struct filter_rule *r)
{
	struct cube cube[COND_CUBES_MAX];
	unsigned long cnt = 1;

	for (unsigned i = 0; i < r->cond_cnt; i++)
		cnt *= cond_cubes(&r->cond[i], false, cube);
	return cnt;
}

int rules_add_plain(const struct filter_rule *r, struct filter *ret)
{
	struct cube cube[COND_CUBES_MAX];
	struct filter_rule part = *r;
	unsigned i = 0;
	int e = 0;

	while (i < r->cond_cnt && cond_is_plain(&r->cond[i]))
		i++;
	if (i == r->cond_cnt)
		return push(ret, r);
	for (unsigned k = 0, cnt = cond_cubes(&r->cond[i], false, cube); e == 0 && k < cnt; k++) {
		cube_write(&cube[k], &part.cond[i]);
		e = rules_add_plain(&part, ret);
	}
	return e;
}
