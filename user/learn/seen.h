/* SPDX-License-Identifier: Apache-2.0 */
/* What one cgroup, and those made below it, were seen to do by a sensor of our own: for `record`
 * and `trace`, which have neither daemon nor store. */
#pragma once

#include <time.h>

#include "learn/origin.h"
#include "model/learned.h"
#include "model/policy.h"
#include "sensor/sensor.h"

#define SEEN_INNER_MAX 4096 /* cgroups made below it that are followed */

/* {0} is an empty one. */
struct seen {
	struct sensor *sensor; /* borrowed */
	const char *path;      /* of the cgroup, below the mount; borrowed */
	uint64_t cgroup[SEEN_INNER_MAX];
	size_t cgroup_cnt;
	struct origins origins;
	struct policy_origin *sorted;
	struct learned learned;
	struct evidence evidence;
	time_t began;
};

/* `id` is that of the cgroup at `path`. */
void seen_begin(struct seen *s, struct sensor *sensor, const char *path, uint64_t id);
void seen_done(struct seen *s);

/* Takes the events that wait. */
int seen_events(struct seen *s);
/* Takes them until `fd` is readable. The ring is small against a long run. */
int seen_until(struct seen *s, int fd);
/* All of it. Origins are borrowed from s, sorted by (abi, nr, stage). */
int seen_read(struct seen *s, struct learned *ret, struct evidence *ret_evidence,
	      const struct policy_origin **ret_origin, size_t *ret_cnt);
