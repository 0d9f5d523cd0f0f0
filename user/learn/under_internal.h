/* SPDX-License-Identifier: Apache-2.0 */
/* What under.c asks of the cgroup tree. `mount`: cgroup2's; NULL: there is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether processes are in it, or below it. */
bool under_is_populated(const char *mount, const char *path);

/* Whether a unit's processes are under a filter that was applied at `since` (seconds since the
 * epoch): its oldest one was begun then or later, and is filtered. -ESRCH: it has none. */
int under_is_filtered(const char *mount, const char *path, int64_t since);
