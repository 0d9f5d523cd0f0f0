/* SPDX-License-Identifier: Apache-2.0 */
/* Whether tamis-keeper would take a filter at this moment. */
#pragma once

#include <stdbool.h>

#define REACH_PATH_MAX 107 /* bytes of a unix socket's path */

/* An absolute path that can stand in a profile and be connected to: printable ASCII, no quote and no
 * backslash, no "." or ".." for a name, at most REACH_PATH_MAX bytes. Pure. */
bool reach_is_path(const char *path);

/* Connects to the socket at `path` and hangs up: 0 when root's listener took it within `wait_ms`.
 * -ECONNREFUSED, -ENOENT, -EPERM (somebody else listens), -EAGAIN (its queue stayed full), ... */
int reach_keeper(const char *path, unsigned wait_ms);
