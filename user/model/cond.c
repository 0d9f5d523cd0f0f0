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

enum filter_op cond_opposite(enum filter_op op)
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
	switch (negate ? cond_opposite(c->op) : c->op) {
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

/* EQ and MASKED_EQ, by far the most common: one cube, no list needed. */
static bool one_cube(const struct filter_cond *c, struct cube *ret)
{
	if (c->op != FILTER_EQ && c->op != FILTER_MASKED_EQ)
		return false;
	return cond_cubes(c, false, ret) == 1;
}

bool cond_is_never(const struct filter_cond *c)
{
	return (c->op == FILTER_LT && c->value == 0) || (c->op == FILTER_GT && c->value == ALL);
}

bool cond_implies(const struct filter_cond *a, const struct filter_cond *b)
{
	struct cube in[COND_CUBES_MAX], out[COND_CUBES_MAX];
	unsigned in_cnt = 1;

	in[0] = (struct cube){ 0, 0 };
	if (a && one_cube(a, in) && one_cube(b, out))
		return !(out->mask & ~in->mask) && !((in->value ^ out->value) & out->mask);
	if (a)
		in_cnt = cond_cubes(a, false, in);
	return disjoint(in, in_cnt, out, cond_cubes(b, true, out));
}

bool cond_excludes(const struct filter_cond *a, const struct filter_cond *b)
{
	struct cube in[COND_CUBES_MAX], other[COND_CUBES_MAX];

	if (one_cube(a, in) && one_cube(b, other))
		return !cube_meet(in, other, in);
	return disjoint(in, cond_cubes(a, false, in), other, cond_cubes(b, false, other));
}

void cube_write(const struct cube *cube, struct filter_cond *c)
{
	bool all = cube->mask == ALL;

	c->op = all ? FILTER_EQ : FILTER_MASKED_EQ;
	c->value = all ? cube->value : cube->mask;
	c->value_two = all ? 0 : cube->value;
}

static unsigned meet_cubes(const struct filter_cond *a, const struct filter_cond *b,
			   struct filter_cond *ret)
{
	struct cube in[COND_CUBES_MAX], other[COND_CUBES_MAX], both;
	unsigned in_cnt = cond_cubes(a, false, in), other_cnt = cond_cubes(b, false, other);
	unsigned cnt = 0;

	for (unsigned i = 0; i < in_cnt; i++)
		for (unsigned k = 0; k < other_cnt; k++)
			if (cube_meet(&in[i], &other[k], &both)) {
				ret[cnt].index = a->index;
				cube_write(&both, &ret[cnt++]);
			}
	return cnt;
}

struct interval {
	uint64_t low, high;
};

/* No mask. Those that can never match, LT 0 and GT the highest, are not asked. */
static unsigned intervals(const struct filter_cond *c, struct interval ret[2])
{
	uint64_t v = c->value;

	ret[0] = (struct interval){ 0, ALL };
	switch (c->op) {
	case FILTER_NE:
		ret[0] = (struct interval){ 0, v - 1 };
		ret[1] = (struct interval){ v + 1, ALL };
		if (v == 0)
			ret[0] = ret[1];
		return v == 0 || v == ALL ? 1 : 2;
	case FILTER_LT:
		ret[0].high = v - 1;
		return 1;
	case FILTER_LE:
		ret[0].high = v;
		return 1;
	case FILTER_GE:
		ret[0].low = v;
		return 1;
	case FILTER_GT:
		ret[0].low = v + 1;
		return 1;
	default:
		ret[0] = (struct interval){ v, v };
		return 1;
	}
}

/* Bounded on both sides: the largest aligned blocks, from the lowest. */
static unsigned write_blocks(const struct interval *i, uint8_t index, struct filter_cond *ret)
{
	uint64_t low = i->low, last;
	unsigned cnt = 0;

	do {
		uint64_t block = low ? low & -low : BIT(63); /* low is a multiple of it */

		while (block - 1 > i->high - low)
			block >>= 1;
		ret[cnt].index = index;
		cube_write(&(struct cube){ ~(block - 1), low }, &ret[cnt++]);
		last = low + (block - 1);
		low = last + 1;
	} while (last < i->high);
	return cnt;
}

static unsigned write_interval(const struct interval *i, uint8_t index, struct filter_cond *ret)
{
	bool from_zero = i->low == 0;

	if (i->low == i->high || (!from_zero && i->high != ALL))
		return write_blocks(i, index, ret);
	ret[0] = (struct filter_cond){ .index = index,
				       .op = from_zero ? FILTER_LE : FILTER_GE,
				       .value = from_zero ? i->high : i->low };
	return 1;
}

unsigned cond_meet(const struct filter_cond *a, const struct filter_cond *b,
		   struct filter_cond ret[COND_MEET_MAX])
{
	struct interval in[2], other[2];
	unsigned cnt = 0, in_cnt, other_cnt;

	if (cond_is_never(a) || cond_is_never(b))
		return 0;
	if (a->op == FILTER_MASKED_EQ || b->op == FILTER_MASKED_EQ)
		return meet_cubes(a, b, ret);
	in_cnt = intervals(a, in);
	other_cnt = intervals(b, other);
	for (unsigned i = 0; i < in_cnt; i++)
		for (unsigned k = 0; k < other_cnt; k++) {
			struct interval both = in[i];

			both.low = other[k].low > both.low ? other[k].low : both.low;
			both.high = other[k].high < both.high ? other[k].high : both.high;
			if (both.low <= both.high)
				cnt += write_interval(&both, a->index, &ret[cnt]);
		}
	return cnt;
}
