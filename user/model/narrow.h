/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call that two filters speak about: what passes both, with the conditions and the errnos
 * of both.
 *
 *  1. What passes is exactly what passes both sides (less, never more, where that takes over
 *     RULES_MAX rules), with the stricter action of the two (ALLOW > LOG > TRACE > NOTIFY).
 *  2. Rules are kept as they were written wherever that is exact.
 *  3. No two rules of different answer overlap. Where a rule has conditions on several
 *     arguments, all of the call's consist of EQ and MASKED_EQ, unless that takes over
 *     RULES_MAX rules. See filter_verdict for why.
 *  4. Conditional errnos stay: the engine's before the base's; one of 0 doesn't, as it would
 *     answer for a call that wasn't made.
 */
#pragma once

#include "model/filter.h"

/* What a sorted filter says of one call. */
struct side {
	const struct filter_rule *rule;
	size_t cnt;
	enum filter_action otherwise; /* where no rule matches */
};

struct side side_of(const struct filter *f, enum tamis_abi abi, uint32_t nr);
/* Passes with some arguments. */
bool side_passes(const struct side *s);

/* Adds the rules for `like`'s abi and number, with its `why`, to the filter. -ENOMEM. */
int narrow(const struct side *base, const struct side *engine, const struct filter_rule *like,
	   struct filter *ret);

/*
 * The same where the engine's answer is the least that has to be given, for any arguments:
 *
 *  1. What the engine refuses is refused with its own answer (an errno of 0 becomes `lost`): an
 *     overlap of its rules with the stricter one, of two errnos with the first.
 *  2. What it lets through and the base doesn't: the base's errno, else `lost`. The default of
 *     `ret` says so where that is an errno; where it is stricter, rules do.
 *
 * The default of `ret` is at least as strict as an errno, and as the engine's.
 */
int narrow_strict(const struct side *base, const struct side *engine,
		  const struct filter_rule *like, uint32_t lost, struct filter *ret);
