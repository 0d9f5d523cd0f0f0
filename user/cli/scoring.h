/* SPDX-License-Identifier: Apache-2.0 */
/* What policies are worth, for commands: the data, what they are compared with, figures as JSON. */
#pragma once

#include <jansson.h>

#include "cli/policy_load.h"
#include "model/score.h"

struct scoring {
	struct score_risk risk;
	struct filter *usual; /* policy_default's */
	const char *usual_name;
};
/* Negative errno, having logged why. */
int scoring_load(const struct policy_options *o, struct scoring *ret);
void scoring_done(struct scoring *s);
#define _scoring_ __attribute__((cleanup(scoring_done)))

/* {"calls", "of", "blocked", "cves", "blocked_execve", "cves_execve", "guarded"} of a filter (NULL:
 * none). NULL: out of memory. */
json_t *scoring_json(const struct scoring *s, const struct filter *f);

/* For lists: the same of what was learned, without composing anything. Of the holes that don't need
 * execve, those that a policy would close. */
struct scoring_quick {
	struct score_risk risk;
	struct sysset always[TAMIS_ABI_MAX]; /* in every policy */
};
int scoring_quick_load(struct scoring_quick *ret);
void scoring_quick_done(struct scoring_quick *q);
#define _scoring_quick_ __attribute__((cleanup(scoring_quick_done)))
/* `l`: as guard_sift left it. */
void scoring_quick(const struct scoring_quick *q, const struct learned *l, unsigned *ret_blocked,
		   unsigned *ret_cves);
