/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroups that are observed: whose they are, and what of them is in the store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "identity/identity.h"
#include "model/sysset.h"

/* What the kernel counted of a cgroup. */
struct tally {
	uint64_t starts;
	uint64_t leaves;
	uint64_t
		gaps; /* starts while nobody watched, and runs left out: nobody knows what was called */
	struct tamis_loss loss;
};

/* The last process that left for a cgroup which isn't the same owner's. */
struct leaving {
	uint64_t heard; /* of the kernel's count, those to its owner's other cgroups too */
	char comm[TAMIS_COMM + 1];
	char *path; /* NULL: none left */
};

/* One cgroup. A container's inner cgroups have entries of their own that share its instance. */
struct watched {
	uint64_t id;
	unsigned life; /* of this id: how many others had it before, in this boot */
	char *path;
	struct identity identity;
	bool ignored;	     /* nobody's workload: its calls are not kept */
	unsigned unknown;    /* drains for which nobody could say where it was; 0 = known */
	uint64_t unknown_in; /* the last of them */
	bool gone;	     /* removed: one more read, then forgotten */
	bool heard;	     /* of its removal, by a notice */
	bool dirty;	     /* something changed since its row was stored */
	bool begun;	     /* something was started in it: to be told */
	bool inner_stored;   /* identity.inner is in the store */
	uint64_t owner;	     /* cgroup id of the container it is inside of, or its own */
	int64_t instance;    /* row in the store, 0 = not yet, or to be asked for again */
	int64_t workload;
	struct tally tally; /* its own */
	struct tally past;  /* of inner cgroups that are gone */
	struct leaving leaving;
	struct watched *prev, *next; /* among the inner cgroups of its owner */
	UT_hash_handle hh;
};

/* What of one kernel set is in the store: by unit, for the two units a set can hold. */
struct kept {
	struct tamis_key key;
	struct watched *w; /* whose: goes after it */
	uint32_t unit[2];
	struct sysset calls[2];
	bool seen_stored; /* calls from before the units we know are in the store */
	UT_hash_handle hh;
};

struct watchlist {
	struct watched *cgroup;
	struct inside *inside;
	struct kept *kept;
};

/* An empty entry, its own owner; NULL when out of memory. */
struct watched *watchlist_add(struct watchlist *l, uint64_t id);
struct watched *watchlist_find(const struct watchlist *l, uint64_t id);
/* The container that it is inside of, when it has a name; or itself. */
const struct watched *watchlist_whole(const struct watchlist *l, const struct watched *w);
/* Makes it an inner cgroup of another, which need not have an entry. -ENOMEM. */
int watchlist_own(struct watchlist *l, struct watched *w, uint64_t owner);
/* The first of an owner's inner cgroups; the others follow by ->next. */
struct watched *watchlist_inside(const struct watchlist *l, uint64_t owner);
/* What an owner's cgroups count, those that are gone included. */
struct tally watchlist_tally(const struct watchlist *l, uint64_t owner);
/* With its kept sets; an inner cgroup leaves what it counted to its owner. */
void watchlist_remove(struct watchlist *l, struct watched *w);
void watchlist_done(struct watchlist *l);

/* NULL when there is none. */
struct kept *watchlist_kept(const struct watchlist *l, const struct tamis_key *key);
/* One more, of `w`, which it goes with; there was none. NULL when out of memory. */
struct kept *watchlist_keep(struct watchlist *l, struct watched *w, const struct tamis_key *key);
/* After a transaction that failed: nothing counts as stored any more. */
void watchlist_forget_kept(struct watchlist *l);
/* All rows are to be asked for again: somebody else wrote to the store. What is stored of the sets
 * stays known; a cgroup that had no row gets none by it. */
void watchlist_forget_rows(struct watchlist *l);
