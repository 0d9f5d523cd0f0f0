/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a start's cgroup is its own still. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `path` (below `mount`) has processes of which the oldest is at most that old: a younger one than
 * the start, by more than a start takes, is of another one. Processes that can't be looked at count. */
bool trial_alive(const char *mount, const char *path, int64_t began_ms);
