/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroups that are observed: whose they are, and what of them is in the store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "identity/identity.h"
#include "model/sysset.h"

/* One cgroup. A container's inner cgroups have entries of their own that share its instance. */
struct watched {
	uint64_t id;
	char *path;
	struct identity identity; /* until the instance is in the store, then empty */
	bool ignored;		  /* nobody's workload: its calls are not kept */
	unsigned unknown;	  /* drains for which nobody could say where it was; 0 = known */
	uint64_t unknown_in;	  /* the last of them */
	bool gone;		  /* removed: one more read, then forgotten */
	bool dirty;		  /* starts or losses changed since they were stored */
	uint64_t owner;		  /* cgroup id of the container it is inside of, or its own */
	int64_t instance;	  /* row in the store, 0 = not yet */
	int64_t workload;
	uint32_t starts;
	struct tamis_loss loss;
	UT_hash_handle hh;
};

/* What of one kernel set is in the store: by unit, for the two units a set can hold. */
struct kept {
	struct tamis_key key;
	uint32_t unit[2];
	struct sysset calls[2];
	bool seen_stored; /* calls from before the units we know are in the store */
	UT_hash_handle hh;
};

struct watchlist {
	struct watched *cgroup;
	struct kept *kept;
};

/* An empty entry; NULL when out of memory. */
struct watched *watchlist_add(struct watchlist *l, uint64_t id);
struct watched *watchlist_find(const struct watchlist *l, uint64_t id);
/* With its kept sets. */
void watchlist_remove(struct watchlist *l, struct watched *w);
void watchlist_done(struct watchlist *l);

/* NULL when out of memory. */
struct kept *watchlist_kept(struct watchlist *l, const struct tamis_key *key);
/* After a transaction that failed: nothing counts as stored any more. */
void watchlist_forget_kept(struct watchlist *l);
