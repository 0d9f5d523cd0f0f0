/* SPDX-License-Identifier: Apache-2.0 */
/* How a container that runs is confined now, told from its processes. */
#pragma once

#include <stdbool.h>

struct running {
	bool unconfined; /* no seccomp filter at all */
	bool privileged; /* all capabilities: CAP_SYS_ADMIN and CAP_SYS_MODULE in its bounding set */
};

/* Of the text of /proc/PID/status; pure. False when it doesn't say. */
bool running_parse(const char *status, struct running *ret, bool *ret_first);

/* Looks below `proc` ("/proc") for a process in a cgroup of that container id, its first one if it
 * is there. -ENOENT: nothing of it runs; an id that says too little too. */
int running_find(const char *proc, const char *container, struct running *ret);
