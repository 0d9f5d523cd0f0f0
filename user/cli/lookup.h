/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the store and finding the workload that a command line names. Both log why not. */
#pragma once

#include "policy/store.h"

/* For reading, one snapshot until it is closed: what is read belongs together. */
int lookup_open(const char *state_dir, struct store **ret);
/* The caller frees with store_row_done. */
int lookup_workload(struct store *s, const char *name, struct store_row *ret);
