/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup v2 tree: where it is mounted, ids to paths and back. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum cgroups_mode {
	CGROUPS_V2,	/* one tree, v2 */
	CGROUPS_HYBRID, /* v1 controllers, a v2 tree beside (systemd's "hybrid") */
	CGROUPS_V1,	/* no cgroup2 mount at all: tamis can't work */
};

/* Finds the cgroup2 mount in /proc/self/mountinfo whose root is "/" (the first one). The mount
 * point goes to *ret_mount (caller frees; NULL with CGROUPS_V1). Negative errno, or the mode. */
int cgroups_find(char **ret_mount);

/* Id (kernfs id, inode number) of a directory below the mount. */
int cgroups_id(const char *mount, const char *path, uint64_t *ret);

/* Path (below the mount, "/" first) of an id, by open_by_handle_at. -ENOENT/-ESTALE when the
 * cgroup is gone. Caller frees. */
int cgroups_path(const char *mount, uint64_t id, char **ret);

/* Calls fn for every cgroup below the mount but the root: (path, id). Stops at fn's first
 * non-zero value and returns it. Directories that vanish meanwhile are skipped. */
int cgroups_walk(const char *mount, int (*fn)(const char *path, uint64_t id, void *arg), void *arg);

/* Some live process of the cgroup (its first in cgroup.procs), -ESRCH when it has none. */
int cgroups_first_pid(const char *mount, const char *path, pid_t *ret);
