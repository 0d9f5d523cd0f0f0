/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that open a host to an attacker (policies/guard/): learning alone doesn't let them into a
 * policy. They are pending until a person allows them.
 */
#pragma once

#include "model/learned.h"

/* What a person said of a workload's calls; a call is in one at most. */
struct verdicts {
	struct sysset allowed[TAMIS_ABI_MAX]; /* in the policy, seen or not */
	struct sysset denied[TAMIS_ABI_MAX];  /* never in it */
	/* Of the denied ones: found not to be needed by `tamis mine --minimize`, no person's word. */
	struct sysset mined[TAMIS_ABI_MAX];
	struct sysset
		denied_eperm[TAMIS_ABI_MAX]; /* of the denied ones: answered EPERM, not ENOSYS */
};

/*
 * Takes the pending and the denied calls out of what was learned, in all stages, and adds the
 * allowed ones to the workload stage. `ret_pending` (TAMIS_ABI_MAX sets, may be NULL): the guarded
 * calls of the workload, gate and session stages without a verdict. `guard`: TAMIS_ABI_MAX sets.
 */
void guard_sift(struct learned *l, const struct sysset *guard, const struct verdicts *v,
		struct sysset *ret_pending);
