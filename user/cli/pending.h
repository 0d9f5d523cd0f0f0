/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a person's word: guarded calls that a workload was seen to make, and what it asked
 * for in probation and was refused. */
#pragma once

#include "model/guard.h"
#include "policy/generations.h"

/* Fills `ret` (TAMIS_ABI_MAX sets) with those of the workload, and ret_said (may be NULL) with what
 * was said before. `guard`: data_guard's. Negative errno of the store. */
int pending_read(struct store *s, int64_t workload, const struct sysset *guard, struct sysset *ret,
		 struct verdicts *ret_said);
/* The same; what is left of the learned calls, which a policy is made of, goes to ret_learned. */
int pending_sift(struct store *s, int64_t workload, const struct sysset *guard, struct sysset *ret,
		 struct learned *ret_learned);
/* Of all ABIs. */
unsigned pending_count(const struct sysset *pending);
