/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unions of boxes: one cube per argument. What is left when rules are met and subtracted, in
 * the only form that libseccomp compiles right whatever the arguments: EQ and MASKED_EQ.
 *
 * A union has room for BOXES_MAX; what doesn't fit is left out and `lost` set, so that a union
 * is never more than it should be.
 */
#pragma once

#include "model/cond.h"

#define BOXES_MAX 256

struct box {
	struct cube arg[FILTER_ARGS];
};

struct boxes {
	unsigned cnt;
	bool lost;
	struct box box[BOXES_MAX];
};

/* Everything that the rule's conditions match. */
void boxes_of_rule(const struct filter_rule *r, struct boxes *ret);
/* What also matches the rule; what doesn't. */
void boxes_meet(struct boxes *b, const struct filter_rule *r);
void boxes_subtract(struct boxes *b, const struct filter_rule *r);

/* Puts a box as conditions into the rule. */
void box_write(const struct box *box, struct filter_rule *r);

/* Everything that `a` matches is matched by `b`; nothing is matched by both. */
bool rule_implies(const struct filter_rule *a, const struct filter_rule *b);
bool rule_excludes(const struct filter_rule *a, const struct filter_rule *b);
