/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cond.h"

#define BIT(n) (UINT64_C(1) << (n))
#define ALL    (~UINT64_C(0))

const struct filter_cond *cond_find(const struct filter_rule *r, unsigned index)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (r->cond[i].index == index)
			return &r->cond[i];
	return NULL;
}

bool cond_match(const struct filter_cond *c, uint64_t value)
{
	switch (c->op) {
	case FILTER_NE:
		return value != c->value;
	case FILTER_LT:
		return value < c->value;
	case FILTER_LE:
		return value <= c->value;
	case FILTER_EQ:
		return value == c->value;
	case FILTER_GE:
		return value >= c->value;
	case FILTER_GT:
		return value > c->value;
	case FILTER_MASKED_EQ:
		return (value & c->value) == c->value_two;
	default:
		return false;
	}
}

static unsigned put(struct cube *ret, uint64_t mask, uint64_t value)
{
	*ret = (struct cube){ mask, value & mask };
	return 1;
}

/* Some bit of the mask differs. */
static unsigned cubes_differ(uint64_t mask, uint64_t value, struct cube *ret)
{
	unsigned cnt = 0;

	for (unsigned b = 0; b < 64; b++)
		if (mask & BIT(b))
			cnt += put(&ret[cnt], BIT(b), ~value);
	return cnt;
}

/* The bits above b are v's, b itself is set in v and clear here: all that is below v. */
static unsigned cubes_below(uint64_t v, struct cube *ret)
{
	unsigned cnt = 0;

	for (unsigned b = 0; b < 64; b++)
		if (v & BIT(b))
			cnt += put(&ret[cnt], ALL << b, v ^ BIT(b));
	return cnt;
}

static unsigned cubes_above(uint64_t v, struct cube *ret)
{
	unsigned cnt = 0;

	for (unsigned b = 0; b < 64; b++)
		if (!(v & BIT(b)))
			cnt += put(&ret[cnt], ALL << b, v ^ BIT(b));
	return cnt;
}

static enum filter_op opposite(enum filter_op op)
{
	static const enum filter_op of[] = {
		[FILTER_NE] = FILTER_EQ, [FILTER_EQ] = FILTER_NE, [FILTER_LT] = FILTER_GE,
		[FILTER_GE] = FILTER_LT, [FILTER_LE] = FILTER_GT, [FILTER_GT] = FILTER_LE,
	};

	return of[op];
}

unsigned cond_cubes(const struct filter_cond *c, bool negate, struct cube ret[COND_CUBES_MAX])
{
	uint64_t v = c->value;

	if (c->op == FILTER_MASKED_EQ)
		return negate ? cubes_differ(v, c->value_two, ret) : put(ret, v, c->value_two);
	switch (negate ? opposite(c->op) : c->op) {
	case FILTER_EQ:
		return put(ret, ALL, v);
	case FILTER_NE:
		return cubes_differ(ALL, v, ret);
	case FILTER_LE:
		return v == ALL ? put(ret, 0, 0) : cubes_below(v + 1, ret);
	case FILTER_LT:
		return cubes_below(v, ret);
	case FILTER_GE:
		return v == 0 ? put(ret, 0, 0) : cubes_above(v - 1, ret);
	case FILTER_GT:
		return cubes_above(v, ret);
	default:
		return 0;
	}
}

bool cube_meet(const struct cube *a, const struct cube *b, struct cube *ret)
{
	if ((a->value ^ b->value) & a->mask & b->mask)
		return false;
	*ret = (struct cube){ a->mask | b->mask, a->value | b->value };
	return true;
}

static bool disjoint(const struct cube *a, unsigned a_cnt, const struct cube *b, unsigned b_cnt)
{
	struct cube both;

	for (unsigned i = 0; i < a_cnt; i++)
		for (unsigned k = 0; k < b_cnt; k++)
			if (cube_meet(&a[i], &b[k], &both))
				return false;
	return true;
}

bool cond_implies(const struct filter_cond *a, const struct filter_cond *b)
{
	struct cube in[COND_CUBES_MAX] = { { 0, 0 } }, out[COND_CUBES_MAX];
	unsigned in_cnt = a ? cond_cubes(a, false, in) : 1;

	return disjoint(in, in_cnt, out, cond_cubes(b, true, out));
}

bool cond_excludes(const struct filter_cond *a, const struct filter_cond *b)
{
	struct cube in[COND_CUBES_MAX], other[COND_CUBES_MAX];
	unsigned in_cnt = cond_cubes(a, false, in);

	return disjoint(in, in_cnt, other, cond_cubes(b, false, other));
}
