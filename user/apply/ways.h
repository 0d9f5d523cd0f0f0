/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to wherever a start looks: the applied file, a unit's drop-in, the kubelet's
 * directory. For commands and the daemon. */
#pragma once

#include "apply/applied.h"
#include "policy/generations.h"

struct ways {
	const char *state;
	const char *kubelet_dir; /* NULL: not used on this host */
	const char *unit_dir;	 /* NULL: UNIT_DIR */
	const char *start;	 /* tamis-start; NULL: beside this program, or in ../libexec */
	unsigned trial_s;
	const char *listener; /* the keeper's socket; NULL: KEEPER_SOCKET */
	bool no_reload;	      /* systemd isn't told */
};

/* Puts in place what the store says is applied to the workload (observe: nothing, so files go), as
 * the transaction under way has it. On failure what was there before is there again as far as
 * possible, and *ret_why has a sentence (caller frees). ways_settled follows the commit, ways_restore
 * a commit that failed. */
int ways_put(const struct ways *w, struct store *s, const struct store_row *row, char **ret_why);
/* What was there before is needed no more. */
void ways_settled(const struct ways *w, struct store *s, const struct store_row *row);
/* Rolled back: what the store says again, on a full disk too. Where even that fails nothing is
 * applied, until the daemon settles it. */
void ways_restore(const struct ways *w, struct store *s, const struct store_row *row);

/* Path of tamis-start: beside /proc/self/exe, or in ../libexec. Caller frees. -ENOENT. */
int ways_start_path(char **ret);
