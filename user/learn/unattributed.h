/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups that were gone before anybody could say whose they were, as the store counts them: what ran in
 * them is in no policy. */
#pragma once

#include "policy/store.h"

/* Part of a transaction: either what they called is forgotten and they are counted, or neither. */
int unattributed_add(struct store *s, uint64_t more);
int unattributed_get(struct store *s, uint64_t *ret);
