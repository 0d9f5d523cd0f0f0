/* SPDX-License-Identifier: Apache-2.0 */
#include "model/boxes.h"

#include <string.h>

static bool contains(const struct box *outer, const struct box *inner)
{
	for (unsigned i = 0; i < FILTER_ARGS; i++) {
		const struct cube *o = &outer->arg[i], *n = &inner->arg[i];

		if ((o->mask & ~n->mask) || ((o->value ^ n->value) & o->mask))
			return false;
	}
	return true;
}

/* Boxes inside others go at once: what is left of ranges is mostly that. */
static void push(struct boxes *b, const struct box *box)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < b->cnt; i++)
		if (contains(&b->box[i], box))
			return;
	for (unsigned i = 0; i < b->cnt; i++)
		if (!contains(box, &b->box[i]))
			b->box[kept++] = b->box[i];
	b->cnt = kept;
	if (b->cnt < BOXES_MAX)
		b->box[b->cnt++] = *box;
	else
		b->lost = true;
}

/* Adds to `ret` what of `from` matches the condition (or, negated, what doesn't). */
static void add_part(const struct boxes *from, const struct filter_cond *c, bool negate,
		     struct boxes *ret)
{
	struct cube cube[COND_CUBES_MAX];
	unsigned cnt = cond_cubes(c, negate, cube);

	ret->lost |= from->lost;
	for (unsigned i = 0; i < from->cnt; i++)
		for (unsigned k = 0; k < cnt; k++) {
			struct box box = from->box[i];
			struct cube *arg = &box.arg[c->index];

			if (cube_meet(arg, &cube[k], arg))
				push(ret, &box);
		}
}

void boxes_meet(struct boxes *b, const struct filter_rule *r)
{
	for (unsigned i = 0; i < r->cond_cnt; i++) {
		struct boxes part = { 0 };

		add_part(b, &r->cond[i], false, &part);
		*b = part;
	}
}

void boxes_of_rule(const struct filter_rule *r, struct boxes *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->cnt = 1;
	boxes_meet(ret, r);
}

void boxes_subtract(struct boxes *b, const struct filter_rule *r)
{
	struct boxes left = { 0 };

	for (unsigned i = 0; i < r->cond_cnt; i++)
		add_part(b, &r->cond[i], true, &left);
	*b = left;
}

void box_write(const struct box *box, struct filter_rule *r)
{
	r->cond_cnt = 0;
	for (unsigned index = 0; index < FILTER_ARGS; index++) {
		const struct cube *arg = &box->arg[index];
		struct filter_cond *c = &r->cond[r->cond_cnt];

		if (arg->mask == 0)
			continue;
		*c = (struct filter_cond){ .index = (uint8_t)index };
		if (arg->mask == UINT64_MAX) {
			c->op = FILTER_EQ;
			c->value = arg->value;
		} else {
			c->op = FILTER_MASKED_EQ;
			c->value = arg->mask;
			c->value_two = arg->value;
		}
		r->cond_cnt++;
	}
}

static bool never_matches(const struct filter_rule *r)
{
	struct cube cube[COND_CUBES_MAX];

	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (cond_cubes(&r->cond[i], false, cube) == 0)
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
