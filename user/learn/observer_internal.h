/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by observer.c (notices, drains, units), attribute.c (whose cgroup) and merge.c (sets). */
#pragma once

#include "learn/herald.h"
#include "learn/observer.h"
#include "learn/origin.h"
#include "learn/watched.h"

struct observer {
	struct observer_options o;
	char *boot; /* boot id: cgroup ids are unique within one */
	struct herald *herald;
	struct watchlist list;
	struct origins origins; /* until their instances are in the store */
	/* kernel units and their rows: [0] the current one, [1] the one before */
	uint32_t unit[2];
	int64_t row[2];
	int64_t unit_end; /* when the one before ended */
	int64_t now;	  /* of the drain under way */
	bool force;	  /* the last drain failed: all over again */
	bool pending;	  /* removals or origins wait for the next drain */
	uint64_t drains;  /* begun */
	uint64_t unattributed;
};

/* The entry of a cgroup: found, or made. `path` NULL: the sensor and the tree are asked; when
 * they can't say either, the entry is an unknown one, until a notice brings the path. */
int attribute_cgroup(struct observer *o, uint64_t id, const char *path, struct watched **ret);
/* The same with the identity that the herald found (its r, and it is taken). */
int attribute_known(struct observer *o, uint64_t id, const char *path, int r,
		    struct identity *identity, struct watched **ret);
/* A cgroup right below the root that no file spoke for: when the kernel saw an entrypoint with
 * namespaces of its own in it, it was a bare runtime's container, gone before it was asked
 * about. Only root makes cgroups there. -ENOMEM. */
int attribute_by_kernel(struct observer *o, struct watched *w, const struct tamis_cgroup *c);
/* Walks the tree: entries for all, the stage rules told about containers that run already. */
int attribute_existing(struct observer *o);
/* Inside a transaction: makes the instance's row when there is none yet, and refreshes it. */
int attribute_store(struct observer *o, struct watched *w);

/* Inside a transaction: all that is new in the kernel, dirty instances, origins. `force`: even
 * where nothing changed since the last one. */
int merge_drain(struct observer *o, bool force);
/* After the commit: origins that are stored, or will never be, are dropped. */
void merge_committed(struct observer *o);
