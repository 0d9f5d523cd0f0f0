/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup2 mount among the lines of a mountinfo file (proc(5)). */
#pragma once

#include <stdio.h>

#include "identity/cgroups.h"

/* Reads f to its end. The mount point of the first cgroup2 mount whose root is "/" goes to
 * *ret (unescaped, caller frees; NULL with CGROUPS_V1). Lines that make no sense are
 * skipped. Negative errno, or the mode. */
int mounts_cgroup2(FILE *f, char **ret);
