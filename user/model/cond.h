/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on one argument as sets of 64-bit values. Every condition, and the opposite of
 * every condition, is a union of at most 64 cubes {v : (v & mask) == value}: exact, closed
 * under intersection, and each cube is one EQ or MASKED_EQ again.
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

/* Fills `ret`, returns how many (0: never true). `negate`: the values that don't match. */
unsigned cond_cubes(const struct filter_cond *c, bool negate, struct cube ret[COND_CUBES_MAX]);

/* false when they have nothing in common. */
bool cube_meet(const struct cube *a, const struct cube *b, struct cube *ret);

/* Every value that `a` matches is matched by `b`. `a` NULL: any value. */
bool cond_implies(const struct filter_cond *a, const struct filter_cond *b);
/* No value matches both. */
bool cond_excludes(const struct filter_cond *a, const struct filter_cond *b);
