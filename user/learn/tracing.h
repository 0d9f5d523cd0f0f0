/* SPDX-License-Identifier: Apache-2.0 */
/* A container that a runtime is starting right now, from its prestart hook to its end: no daemon, no
 * store. */
#pragma once

#include "base/cleanup.h"
#include "learn/seen.h"

struct tracing;

/* `pid` is the runtime's process that will exec the container's program, in the container's cgroup
 * already, waiting for the hook; `mount` the cgroup2 mount (borrowed). From the return on what is
 * called counts. `end` is an epoll(7) descriptor: the process is added to it, what else is in it ends
 * the tracing too. -ESRCH: no such process; -EINVAL: it is in the root cgroup, or in the caller's. */
int tracing_new(struct sensor *sensor, const char *mount, pid_t pid, int end, struct tracing **ret);
void tracing_free(struct tracing *t);
CLEANUP_DEFINE(struct tracing *, tracing_free);

/* Until that process has ended, or `end` says so. */
int tracing_wait(struct tracing *t);
/* As seen_read. */
int tracing_read(struct tracing *t, struct learned *ret, struct evidence *ret_evidence,
		 const struct policy_origin **ret_origin, size_t *ret_cnt);
