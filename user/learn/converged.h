/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what runs is known well enough to be watched in samples alone (learn/duty.h). */
#pragma once

#include "learn/auto.h"
#include "learn/under.h"

struct converged_options {
	struct store *store;
	const struct under *under;
	const struct auto_rules *rules;
};

/*
 * All that runs without a filter of ours, by the measure of the rule that speaks for it (learn/auto.h):
 * watched for so long, no new call for so long, so much of it known. Without a rule for AUTO_OBSERVE_S and
 * AUTO_QUIET_S. Nothing that is partial is. How often it started isn't asked: a start is watched whatever
 * the cycle does. Something has to run. 1, or 0 with the reason in *ret_why (at least 256 bytes).
 */
int converged_all(const struct converged_options *o, int64_t now, char *ret_why, size_t room);
