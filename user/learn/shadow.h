/* SPDX-License-Identifier: Apache-2.0 */
/* What a generation would have refused of what was seen since: for shadow, and for history. */
#pragma once

#include "policy/generations.h"

/* Calls of the workload and session stages that the generation doesn't have, as learned now; the
 * pending and denied ones are in `ret_pending`. TAMIS_ABI_MAX sets each. */
int shadow_refused(struct store *s, int64_t workload, const struct generation *g,
		   struct sysset *ret_refused, struct sysset *ret_pending);
