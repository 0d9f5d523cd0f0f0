/* SPDX-License-Identifier: Apache-2.0 */
/* Where pins go: on the host's bpffs, or on one of our own. */
#pragma once

#include <stdbool.h>

/* A directory on a bpffs. `dir` NULL: /sys/fs/bpf/tamis, or /run/tamis/bpf where /sys/fs/bpf isn't
 * mounted. A directory that is on no bpffs gets one mounted over it if it is empty (made if
 * missing). Logs; negative errno. Caller frees *ret. */
int bpffs_prepare(const char *dir, char **ret);

/* Removes the pins, and the mount where it is ours and nothing else is in it. */
int bpffs_clear(const char *dir);
