/* SPDX-License-Identifier: Apache-2.0 */
/* uthash's out-of-memory default is exit(): a daemon reports it instead. */
#define HASH_NONFATAL_OOM	 1
#define uthash_nonfatal_oom(elt) ((elt)->hh.tbl = NULL)

#include "learn/watched.h"

#include <errno.h>
#include <stdlib.h>

static void watched_free(struct watched *w)
{
	free(w->path);
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
	kept_remove(l, w->id);
	HASH_DEL(l->cgroup, w);
	watched_free(w);
}

struct kept *watchlist_kept(struct watchlist *l, const struct tamis_key *key)
{
	struct kept *k;

	HASH_FIND(hh, l->kept, key, sizeof(*key), k);
	if (k)
		return k;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->key = *key;
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

void watchlist_done(struct watchlist *l)
{
	struct watched *w, *next;

	watchlist_forget_kept(l);
	HASH_ITER(hh, l->cgroup, w, next)
	{
		HASH_DEL(l->cgroup, w);
		watched_free(w);
	}
}
