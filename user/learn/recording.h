/* SPDX-License-Identifier: Apache-2.0 */
/* One command, observed in a cgroup of its own: no daemon, no engine, no store. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "model/learned.h"
#include "model/policy.h"
#include "sensor/sensor.h"

struct recording;

struct recording_options {
	struct sensor *sensor; /* borrowed */
	const char *mount;     /* the cgroup2 mount */
	bool stop;	       /* stop the child with SIGSTOP in its cgroup, before its exec */
};

/* Makes the cgroup (MOUNT/tamis.record.PID) and, in it, a child that waits. */
int recording_new(const struct recording_options *o, char *const argv[], struct recording **ret);
/* Kills a child that was never let go; tasks that are left are moved back to where we are, and
 * the cgroup is removed. */
void recording_free(struct recording *r);
CLEANUP_DEFINE(struct recording *, recording_free);

pid_t recording_pid(const struct recording *r);
/* Lets the child exec. -errno of its exec when that failed: nothing was run. With `stop` it
 * returns 0 when the child has stopped, before its exec. */
int recording_go(struct recording *r);
/* Waits for the child, passing TERM, HUP, USR1, USR2 on to it. *ret_status as of waitpid(2). */
int recording_wait(struct recording *r, int *ret_status);
/* Takes what was seen, in the cgroup and those made below it. Origins are borrowed from the
 * recording, sorted by (abi, nr, stage). */
int recording_read(struct recording *r, struct learned *ret, struct evidence *ret_evidence,
		   const struct policy_origin **ret_origin, size_t *ret_cnt);
/* Processes still running in the cgroup: what they do later isn't recorded. */
int recording_left(const struct recording *r);
