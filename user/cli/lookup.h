/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the store and finding the workload that a command line names. All log why not. */
#pragma once

#include "policy/store.h"

/* In one transaction. STORE_READ: one snapshot until it is closed, what is read belongs together.
 * STORE_EDIT: closed without lookup_commit, nothing was changed. */
int lookup_open(const char *state_dir, enum store_mode mode, struct store **ret);
int lookup_commit(struct store *s);

/* The caller frees with store_row_done. */
int lookup_workload(struct store *s, const char *name, struct store_row *ret);

/* Says what the store's failure `r` was; returns it. */
int lookup_failed(const struct store *s, int r);

static inline void lookup_row_donep(struct store_row *row)
{
	store_row_done(row);
}
#define _row_ __attribute__((cleanup(lookup_row_donep)))
