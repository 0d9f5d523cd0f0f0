/* SPDX-License-Identifier: Apache-2.0 */
/* What one call more or less would change of a policy's score. */
#pragma once

#include "cli/scoring.h"
#include "policy/store.h"

struct score_call {
	enum tamis_abi abi;
	uint32_t nr;
	bool more; /* it is refused now; else it passes */
	bool guarded;
	size_t *cve; /* indices into the risk's: those that it alone keeps open, or would open */
	size_t cnt;
	char *first; /* the sampling unit that made it first (hostile); NULL: nobody knows */
};

/* Calls that change something, each name once: those that pass, then those that are refused, each with
 * those that change most first. execve and execveat are not among them. -ENOMEM. */
int score_calls(const struct scoring *s, const struct filter *f, struct score_call **ret,
		size_t *ret_cnt);
void score_calls_free(struct score_call *c, size_t cnt);

/* Fills `first` from the last mining run of a workload; where it has none, from its named units. */
int score_calls_first(struct store *s, int64_t workload, struct score_call *c, size_t cnt);
