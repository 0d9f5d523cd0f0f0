/* SPDX-License-Identifier: Apache-2.0 */
/* uthash's out-of-memory default is exit(): a daemon reports it instead. */
#define HASH_NONFATAL_OOM	 1
#define uthash_nonfatal_oom(elt) ((elt)->hh.tbl = NULL)

#include "learn/watched.h"

#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

/* The inner cgroups of one owner, as long as it has any. */
struct inside {
	uint64_t owner;
	struct watched *first;
	UT_hash_handle hh;
};

static void watched_free(struct watched *w)
{
	free(w->path);
	free(w->leaving.path);
	identity_done(&w->identity);
	free(w);
}

struct watched *watchlist_add(struct watchlist *l, uint64_t id)
{
	struct watched *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->id = w->owner = id;
	HASH_ADD(hh, l->cgroup, id, sizeof(w->id), w);
	if (w->hh.tbl)
		return w;
	free(w);
	return NULL;
}

struct watched *watchlist_find(const struct watchlist *l, uint64_t id)
{
	struct watched *w;

	HASH_FIND(hh, l->cgroup, &id, sizeof(id), w);
	return w;
}

const struct watched *watchlist_whole(const struct watchlist *l, const struct watched *w)
{
	const struct watched *owner = watchlist_find(l, w->owner);

	return owner && owner->identity.key ? owner : w;
}

static struct inside *inside_find(const struct watchlist *l, uint64_t owner)
{
	struct inside *i;

	HASH_FIND(hh, l->inside, &owner, sizeof(owner), i);
	return i;
}

static struct inside *inside_get(struct watchlist *l, uint64_t owner)
{
	struct inside *i = inside_find(l, owner);

	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->owner = owner;
	HASH_ADD(hh, l->inside, owner, sizeof(i->owner), i);
	if (i->hh.tbl)
		return i;
	free(i);
	return NULL;
}

static void inside_leave(struct watchlist *l, struct watched *w)
{
	struct inside *i = w->owner != w->id ? inside_find(l, w->owner) : NULL;

	if (!i)
		return;
	DL_DELETE(i->first, w);
	if (i->first)
		return;
	HASH_DEL(l->inside, i);
	free(i);
}

int watchlist_own(struct watchlist *l, struct watched *w, uint64_t owner)
{
	struct inside *i;

	if (owner == w->owner)
		return 0;
	i = owner != w->id ? inside_get(l, owner) : NULL;
	if (owner != w->id && !i)
		return -ENOMEM;
	inside_leave(l, w);
	w->owner = owner;
	if (i)
		DL_APPEND(i->first, w);
	return 0;
}

struct watched *watchlist_inside(const struct watchlist *l, uint64_t owner)
{
	const struct inside *i = inside_find(l, owner);

	return i ? i->first : NULL;
}

static void tally_add(struct tally *into, const struct tally *t)
{
	into->starts += t->starts;
	into->leaves += t->leaves;
	into->gaps += t->gaps;
	into->loss.range += t->loss.range;
	into->loss.full += t->loss.full;
	into->loss.ring += t->loss.ring;
	into->loss.task += t->loss.task;
	into->loss.rest += t->loss.rest;
}

struct tally watchlist_tally(const struct watchlist *l, uint64_t owner)
{
	const struct watched *w = watchlist_find(l, owner);
	struct tally sum = { 0 };

	if (w) {
		tally_add(&sum, &w->tally);
		tally_add(&sum, &w->past);
	}
	for (w = watchlist_inside(l, owner); w; w = w->next)
		if (!w->ignored)
			tally_add(&sum, &w->tally);
	return sum;
}

static void kept_remove(struct watchlist *l, uint64_t cgroup)
{
	struct tamis_key key = { .cgroup = cgroup };
	struct kept *k;

	for (key.abi = 0; key.abi < TAMIS_ABI_MAX; key.abi++) {
		for (key.stage = 0; key.stage < TAMIS_STAGE_MAX; key.stage++) {
			HASH_FIND(hh, l->kept, &key, sizeof(key), k);
			if (k) {
				HASH_DEL(l->kept, k);
				free(k);
			}
		}
	}
}

void watchlist_remove(struct watchlist *l, struct watched *w)
{
	struct watched *owner = w->owner != w->id ? watchlist_find(l, w->owner) : NULL;

	if (owner && !w->ignored)
		tally_add(&owner->past, &w->tally);
	inside_leave(l, w);
	kept_remove(l, w->id);
	HASH_DEL(l->cgroup, w);
	watched_free(w);
}

struct kept *watchlist_kept(const struct watchlist *l, const struct tamis_key *key)
{
	struct kept *k;

	HASH_FIND(hh, l->kept, key, sizeof(*key), k);
	return k;
}

struct kept *watchlist_keep(struct watchlist *l, struct watched *w, const struct tamis_key *key)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->key = *key;
	k->w = w;
	HASH_ADD(hh, l->kept, key, sizeof(k->key), k);
	if (!k->hh.tbl) {
		free(k);
		return NULL;
	}
	return k;
}

void watchlist_forget_kept(struct watchlist *l)
{
	struct kept *k, *next;

	HASH_ITER(hh, l->kept, k, next)
	{
		HASH_DEL(l->kept, k);
		free(k);
	}
}

void watchlist_forget_rows(struct watchlist *l)
{
	for (struct watched *w = l->cgroup; w; w = w->hh.next) {
		w->dirty = w->dirty || w->instance;
		w->inner_stored = false;
		w->instance = w->workload = 0;
	}
}

void watchlist_done(struct watchlist *l)
{
	struct watched *w, *next;

	watchlist_forget_kept(l);
	HASH_ITER(hh, l->cgroup, w, next)
	{
		inside_leave(l, w);
		HASH_DEL(l->cgroup, w);
		watched_free(w);
	}
}
