/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the sensor to the store: resolves whose a cgroup is when it is made, merges what was
 * drained, one transaction a drain. Never logging: what can't be attributed is counted.
 *
 * Invariants:
 *  1. A drain is stored whole; when that fails nothing counts as stored, and the next one writes
 *     it all again (merging is idempotent). A unit never begins over a drain that failed.
 *  2. A removed cgroup is forgotten in the kernel only after the transaction with its last read.
 *  3. Row ids are kept only as long as nobody else wrote to the store: a drain asks first.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "identity/identity.h"
#include "policy/store.h"
#include "sensor/sensor.h"

struct observer;
struct observed_start; /* learn/exits.h */
struct observed_exit;

/* All borrowed. `mount` is the cgroup2 mount. */
struct observer_options {
	struct sensor *sensor;
	struct store *store;
	const struct identity_options *identity;
	const char *mount;
	/* A workload made gate calls that policies/runtime doesn't know: told once for each workload
	 * and call, after they are in the store. May be NULL. */
	void (*gate_unknown)(void *arg, const char *key, enum tamis_abi abi,
			     const struct sysset *calls);
	/* Something was started in a container; its first process ended, or somebody in it died by
	 * SIGSYS: told after the drain that has its rows. May be NULL. */
	void (*started)(void *arg, const struct observed_start *s);
	void (*exited)(void *arg, const struct observed_exit *e);
	/* What a drain brought is in the store; starts are told, ends not yet, and of the dead nothing
	 * is forgotten yet: the time to read what else is kept of a cgroup. May be NULL. */
	void (*stored)(void *arg);
	/* Whether what was started in a container just now, or lately, was under a filter of ours: asked
	 * within a drain, before `started` is told. NULL: nothing was. */
	bool (*was_filtered)(void *arg, const char *key, const char *container);
	/* A cgroup was made; an executable was new to one, if the sensor tells of them: told at once, from
	 * the ring's own thread. May be NULL. */
	void (*made)(void *arg);
	void (*executed)(void *arg);
	/* One that isn't known to be nobody's ran an executable, or made a call, that was new to it: told
	 * before the drain that may have it. May be NULL. */
	void (*news)(void *arg);
	/* Another observer than the daemon's, which may run beside it on the same store: only what is
	 * made from now on in a cgroup (its path) that this says yes to is anybody's. Nothing else is
	 * told of, and what the daemon keeps of its units stays. Asked within drains. NULL: all. */
	bool (*wanted)(void *arg, const char *cgroup);
	/* Makes the row of the sampling unit that begins, inside a transaction. NULL: an epoch. */
	int (*unit)(void *arg, struct store *s, int64_t now, int64_t *ret_row);
	void *arg;
};

int observer_new(const struct observer_options *o, struct observer **ret);
void observer_free(struct observer *o);
CLEANUP_DEFINE(struct observer *, observer_free);

/* Registers the cgroups that are there, counts a gap for workloads that ran unobserved, drains
 * what pinned maps kept, and begins a unit. */
int observer_start(struct observer *o);
/* One transaction with all that is new; nothing when nothing is. */
int observer_drain(struct observer *o);
/* Drains, then begins the next unit. Also forgets cgroups whose removal went unheard. */
int observer_unit(struct observer *o);

/* Whose a cgroup is, as far as it is known now: the workload's row id, its key and the engine's id of
 * the container (both borrowed until the next drain; container may be NULL). -ENOENT. */
int observer_whose(const struct observer *o, uint64_t cgroup, int64_t *ret_workload,
		   const char **ret_key, const char **ret_container);

/* What the last drain took of its thread's processor time. */
struct drain_cost {
	uint64_t walk_ns;  /* the maps, and what is new in them, in memory */
	uint64_t store_ns; /* all else: the store */
	size_t news;	   /* sets that had any */
};

struct observer_stats {
	uint64_t workload_cgroups; /* observed now */
	uint64_t unattributed;	   /* sets whose cgroup was gone before anybody could name it */
	struct tamis_loss lost;	   /* all losses since the maps were made */
};
struct observer_stats observer_stats(const struct observer *o);
struct drain_cost observer_cost(const struct observer *o);
