/* SPDX-License-Identifier: Apache-2.0 */
/* A policy that a command line names, for commands that look at several: a file, or a workload. */
#pragma once

#include "cli/policy_load.h"

struct policy_side {
	struct policy_loaded loaded; /* of a workload; row.id 0: it is a file */
	struct filter *file;
};

/* A path that exists is a file, all else a workload. `ret` must stay where it is. Negative errno,
 * having logged why; *ret is to be given to policy_side_done in any case. */
int policy_side_load(const char *what, const struct policy_options *o, struct policy_side *ret);
void policy_side_done(struct policy_side *s);
#define _policy_side_ __attribute__((cleanup(policy_side_done)))

const struct filter *policy_side_filter(const struct policy_side *s);
