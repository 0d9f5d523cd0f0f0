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
	bool no_reload; /* systemd isn't told */
};

/* Puts in place what the store says is applied to the workload (observe: nothing, so files go), as
 * the transaction under way has it. On failure what was there before is there again as far as
 * possible, and *ret_why has a sentence (caller frees). */
int ways_put(const struct ways *w, struct store *s, const struct store_row *row, char **ret_why);
/* After a commit that failed and was rolled back: what the store says again. Where there is no room
 * for it nothing is applied, until the daemon settles it. */
void ways_restore(const struct ways *w, struct store *s, const struct store_row *row);

/* Path of tamis-start: beside /proc/self/exe, or in ../libexec. Caller frees. -ENOENT. */
int ways_start_path(char **ret);
