/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by observer.c (notices, drains, units) and what it is made of: attribute.c (whose
 * cgroup), existing.c (what ran before), merge.c (sets), rows.c, leave.c, gate.c, exits.c. */
#pragma once

#include "learn/herald.h"
#include "learn/observer.h"
#include "learn/origin.h"
#include "learn/watched.h"

struct gate_news {
	uint64_t cgroup;
	enum tamis_abi abi;
	struct sysset calls;
};

struct gate {
	struct sysset unknown[TAMIS_ABI_MAX]; /* all calls that no runtime's table has */
	struct gate_news *news;		      /* of the drain under way */
	size_t news_cnt;
};

struct observer {
	struct observer_options o;
	char *boot; /* boot id: cgroup ids are unique within one */
	struct herald *herald;
	struct notice *notices; /* taken, not looked at yet */
	struct watchlist list;
	struct origins origins; /* until their instances are in the store */
	struct gate gate;
	struct ended_list exits; /* until their rows are in the store */
	/* kernel units and their rows: [0] the current one, [1] the one before */
	uint32_t unit[2];
	int64_t row[2];
	int64_t unit_end;	   /* when the one before ended */
	int64_t now;		   /* of the drain under way */
	bool force;		   /* the last drain failed: all over again */
	bool pending;		   /* removals or origins wait for the next drain */
	struct unstored *unstored; /* of the drain under way */
	size_t unstored_cnt, unstored_room;
	struct drain_cost cost;
	uint64_t drains; /* begun */
	uint64_t missed; /* sensor_missed(), so far */
	uint64_t unattributed, unattributed_stored;
	uint64_t ring_lost; /* events, until cgroups were last compared with the tree */
};

/* The thread's processor time. */
uint64_t observer_worked_ns(void);

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
/* Asks once more for one that has no name. */
void attribute_again(struct observer *o, struct watched *w);

/* Walks the tree: entries for all, the kernel half told about what runs already. */
int existing_add(struct observer *o);

/* The rest are parts of a transaction, most of them of a drain's. */

/* Without pins nobody watched between the last daemon and us: a gap for all that exists. */
int existing_gaps(struct observer *o);

/* Makes the rows of a cgroup when there are none yet, and refreshes them. Until the `last` time in
 * a drain one that is gone is a running one, which nobody drops from the store. */
int rows_store(struct observer *o, struct watched *w, bool last);
int rows_store_dirty(struct observer *o);
/* NULL when out of memory; caller frees. */
char *rows_instance_name(const struct observer *o, uint64_t cgroup);

/* What the kernel says of those that left w. -ENOMEM. */
int leave_note(struct observer *o, struct watched *w, const struct tamis_leave *leave);
/* The last one of w's owner; NULL: none left. */
const struct leaving *leave_last(const struct observer *o, const struct watched *w);

int gate_init(struct observer *o);
/* Before calls of a set are stored: keeps those to be told of. */
int gate_note(struct observer *o, const struct watched *w, const struct tamis_key *key,
	      const struct sysset *calls);
/* After the commit; or nothing is told. */
void gate_tell(struct observer *o);
void gate_drop(struct observer *o);

/* After the commit: starts, and ends whose rows are stored by it. */
void starts_tell(struct observer *o);
void exits_tell(struct observer *o);

/* Whether a cgroup's container, or unit, ran under a filter of ours: its calls are learned already, or
 * somebody else's to tell. */
bool merge_was_filtered(const struct observer *o, const struct watched *w);
/* Whose runs the kernel left out nobody knows: it may have been any that has no filter, so it is a gap of
 * each. True when there were some since it was asked last. No part of a transaction. */
bool merge_missed(struct observer *o);
/* All that is new in the kernel, dirty instances, origins. `force`: even where nothing changed
 * since the last one. */
int merge_drain(struct observer *o, bool force);
/* After the commit: origins that are stored, or will never be, are dropped. */
void merge_committed(struct observer *o);
