/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a calling process is: by the cgroup it is in, which it can't choose. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "apply/applied.h"

struct whose;
struct whose_answer {
	const char *key;    /* "" where it isn't known; whose's own, until the next call */
	const char *cgroup; /* its owner's, path below the root; "" where it isn't known */
	uint64_t cgroup_id; /* 0 where it isn't known */
	const struct applied *applied; /* NULL: nothing is applied to it */
};

/* `mount`: of cgroup2. Remembers by cgroup id, boundedly; applied files are read again when they
 * changed (asked at most every 100 ms). */
int whose_new(const char *state, const char *mount, struct whose **ret);
void whose_free(struct whose *w);
/* -ESRCH: the process is gone. Else 0: what isn't known is "" and NULL. */
int whose_ask(struct whose *w, pid_t pid, struct whose_answer *ret);

/* The same of a caller under a filter: 1 where that thread of that filter was asked for in the last 500 ms,
 * and /proc wasn't looked at. A thread number can be used again then, but under that filter, which is
 * of one start and binds what comes of it. */
int whose_ask_of(struct whose *w, uint64_t filter, pid_t pid, struct whose_answer *ret);

/* Which cgroup a process is in: its path below the root, "" where there is no cgroup v2. -ESRCH. */
int whose_cgroup(pid_t pid, char **ret);
