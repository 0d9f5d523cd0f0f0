/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of one call as sets of arguments: a rule is the product of its conditions, a list of
 * rules their union. Lists are filters that nobody sorts. Results are exact; abi, number and
 * answer of new rules are those of the rule that they are a part of.
 *
 * Only a condition that meets another one on the same argument, neither inside the other, is
 * split (cond_meet).
 */
#pragma once

#include "model/cond.h"

/* A list has room for so many; the rest is left out, so it is never more than it should be. A
 * filter has 4096 instructions, and a rule takes up to eight. */
#define RULES_MAX 128

/* Everything that `a` matches is matched by `b`; nothing is matched by both. */
bool rule_implies(const struct filter_rule *a, const struct filter_rule *b);
bool rule_excludes(const struct filter_rule *a, const struct filter_rule *b);

/* Adds what of `r` also matches `other`; what of it doesn't. -ENOMEM. */
int rules_meet(const struct filter_rule *r, const struct filter_rule *other, struct filter *ret);
int rules_subtract(const struct filter_rule *r, const struct filter_rule *other,
		   struct filter *ret);

/* Every condition is EQ or MASKED_EQ. */
bool rule_is_plain(const struct filter_rule *r);
/* Adds rules that are, and match the same; how many there are. */
int rules_add_plain(const struct filter_rule *r, struct filter *ret);
unsigned long rules_plain_cnt(const struct filter_rule *r);
