/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on one argument as sets of 64-bit values. Every condition, and the opposite of
 * every condition, is a union of at most 64 cubes {v : (v & mask) == value}: exact, closed
 * under intersection, and each cube is one EQ or MASKED_EQ again. Those without a mask are
 * also at most two intervals, which is shorter where it is enough.
 */
#pragma once

#include "model/filter.h"

struct cube {
	uint64_t mask, value;
};
#define COND_CUBES_MAX 64

/* The condition on that argument, or NULL. */
const struct filter_cond *cond_find(const struct filter_rule *r, unsigned index);

bool cond_match(const struct filter_cond *c, uint64_t value);

/* What matches where `op` doesn't. Not for MASKED_EQ, which has no single one. */
enum filter_op cond_opposite(enum filter_op op);

/* No value matches it. */
bool cond_is_never(const struct filter_cond *c);

/* Fills `ret`, returns how many (0: never true). `negate`: the values that don't match. */
unsigned cond_cubes(const struct filter_cond *c, bool negate, struct cube ret[COND_CUBES_MAX]);

/* Conditions that together match what both match: one or two where neither is a mask and
 * nothing is bounded on both sides. Returns how many. */
#define COND_MEET_MAX 130
unsigned cond_meet(const struct filter_cond *a, const struct filter_cond *b,
		   struct filter_cond ret[COND_MEET_MAX]);

/* The cube as EQ or MASKED_EQ; c->index stays. */
void cube_write(const struct cube *cube, struct filter_cond *c);
/* false when they have nothing in common. */
bool cube_meet(const struct cube *a, const struct cube *b, struct cube *ret);

/* Every value that `a` matches is matched by `b`. `a` NULL: any value. */
bool cond_implies(const struct filter_cond *a, const struct filter_cond *b);
/* No value matches both. */
bool cond_excludes(const struct filter_cond *a, const struct filter_cond *b);
