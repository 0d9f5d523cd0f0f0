/* SPDX-License-Identifier: Apache-2.0 */
/* How far each of the kernel's counts of refused calls is in the store. */
#pragma once

#include <stdbool.h>

#include <uthash.h>

#include "bpf/abi.h"
#include "policy/denials.h"

/* One that was looked at. */
struct counted {
	struct tamis_denied_key key;
	uint64_t first_ms, count; /* in the store; 0: nothing of it */
	unsigned waited;	  /* drains that couldn't say yet what it is */
	bool seen;		  /* by the walk under way */
	UT_hash_handle hh;
};

struct counted_map {
	char boot[64];
	struct counted *list;
	bool loaded;
};

int counted_init(struct counted_map *m);
void counted_done(struct counted_map *m);
/* What the daemon before had stored: read once. */
int counted_load(struct counted_map *m, struct store *s);

struct counted *counted_find(const struct counted_map *m, const struct tamis_denied_key *key);
/* Makes it when there is none; NULL when out of memory. */
struct counted *counted_take(struct counted_map *m, const struct tamis_denied_key *key);
/* By how many it grew since. */
uint64_t counted_gain(const struct counted *c, const struct tamis_denied *now);

/* A walk begins: what it doesn't take (->seen) the kernel forgot with its cgroup. */
void counted_begin(struct counted_map *m);
/* Whether the store has some that are gone; they go from there, in a transaction, then from here. */
bool counted_has_gone(const struct counted_map *m);
int counted_store_gone(const struct counted_map *m, struct store *s);
void counted_drop_gone(struct counted_map *m);
