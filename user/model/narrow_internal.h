/* SPDX-License-Identifier: Apache-2.0 */
/* What narrow.c and strict.c know of one another. */
#pragma once

#include "model/narrow.h"

/* Two filters without order serve as growing lists of rules: what passes, what is refused. */
struct narrowing {
	const struct filter_rule *like;
	enum filter_action action; /* of what passes */
	bool by_engine;		   /* more than the base's own rules was needed */
	struct filter *pass, *refuse;
};

int narrowing_init(struct narrowing *n, const struct side *base, const struct side *engine,
		   const struct filter_rule *like);
void narrowing_done(struct narrowing *n);

/* The rule that answers whatever the arguments are, or NULL. */
const struct filter_rule *side_unconditional(const struct side *s);
/* The alternatives of a side that pass, as rules: all arguments at once where the default
 * passes. Walks: `i` starts at 0; NULL at the end. */
const struct filter_rule *side_next_passing(const struct side *s, size_t *i);

/* What passes both, less what either refuses: n->pass. */
int narrow_pass(struct narrowing *n, const struct side *base, const struct side *engine);
/* Takes what the rule matches out of the list; *ret_cut is set where there was something. */
int narrow_cut(struct filter **list, const struct filter_rule *what, bool *ret_cut);
/* Leaves out what is said twice, and keeps point 3 of narrow.h. */
int narrow_tidy(struct narrowing *n);
int narrow_put(const struct filter *list, uint32_t why, struct filter *ret);
/* Nothing passes: the base refuses the call itself, or what both allow is empty. */
int narrow_put_refused(const struct narrowing *n, const struct side *base, struct filter *ret);
