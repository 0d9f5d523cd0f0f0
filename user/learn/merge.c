/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's maps hold, into the store: by unit, and only what isn't there yet. */
#include <errno.h>
#include <string.h>

#include "learn/observer_internal.h"

/* The entry of a cgroup that a map speaks of; NULL when that must wait, or is of no use. */
static struct watched *entry_of(struct observer *o, uint64_t id)
{
	struct watched *w;

	if (attribute_cgroup(o, id, NULL, &w) < 0 || w->unknown)
		o->force = true; /* what it says now is said again to the next drain */
	else if (!w->ignored)
		return w;
	return NULL;
}

static int on_cgroup(uint64_t id, const struct tamis_cgroup *c, void *arg)
{
	struct watched *w = watchlist_find(&((struct observer *)arg)->list, id);

	if (w && w->ignored && w->path && attribute_by_kernel(arg, w, c) < 0)
		return -ENOMEM;
	w = entry_of(arg, id);
	if (w && w->starts != c->starts) {
		w->starts = c->starts;
		w->dirty = true;
	}
	return 0;
}

static int on_loss(uint64_t id, const struct tamis_loss *loss, void *arg)
{
	struct watched *w = entry_of(arg, id);

	if (w && memcmp(&w->loss, loss, sizeof(*loss)) != 0) {
		w->loss = *loss;
		w->dirty = true;
	}
	return 0;
}

/* The calls of a set that were made in a unit; 32 to a word, tagged with their unit. */
static void calls_of_unit(const struct tamis_set *set, uint32_t unit, struct sysset *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < TAMIS_UNIT_WORDS; i++) {
		uint64_t word = set->unit[unit & 1][i];

		if (word >> 32 == unit)
			ret->bits[i / 2] |= (word & UINT32_MAX) << (i % 2 * 32);
	}
}

/* Stores what of `calls` isn't yet, as of one unit. */
static int store_unit_calls(struct observer *o, const struct watched *w, struct kept *k, int which,
			    const struct sysset *calls)
{
	uint32_t unit = o->unit[which];
	struct sysset new = *calls;
	int half = unit & 1, r;

	if (k->unit[half] != unit) {
		k->unit[half] = unit;
		memset(&k->calls[half], 0, sizeof(k->calls[half]));
	}
	sysset_remove(&new, &k->calls[half]);
	if (sysset_is_empty(&new))
		return 0;
	r = store_calls(o->o.store, w->instance, o->row[which], k->key.stage, k->key.abi, &new,
			which ? o->unit_end : o->now);
	if (r >= 0)
		sysset_merge(&k->calls[half], &new);
	return r;
}

/* Calls that no unit we know of has: the daemon was away, or the store is another one. */
static int store_old_calls(struct observer *o, const struct watched *w, struct kept *k,
			   const struct tamis_set *set, const struct sysset *recent)
{
	struct sysset old;
	struct learned known;
	int r;

	if (k->seen_stored)
		return 0;
	memcpy(old.bits, set->seen, sizeof(old.bits));
	sysset_remove(&old, recent);
	if (!sysset_is_empty(&old)) {
		r = store_learned(o->o.store, w->workload, &known);
		if (r < 0)
			return r;
		sysset_remove(&old, &known.set[k->key.stage][k->key.abi]);
	}
	r = sysset_is_empty(&old) ? 0
				  : store_calls(o->o.store, w->instance, o->row[1], k->key.stage,
						k->key.abi, &old, o->unit_end);
	k->seen_stored = r >= 0;
	return r;
}

static int store_set(struct observer *o, const struct watched *w, const struct tamis_key *key,
		     const struct tamis_set *set)
{
	struct kept *k = watchlist_kept(&o->list, key);
	struct sysset calls[2], recent;
	int r;

	if (!k)
		return -ENOMEM;
	for (int i = 0; i < 2; i++)
		calls_of_unit(set, o->unit[i], &calls[i]);
	recent = calls[0];
	sysset_merge(&recent, &calls[1]);
	r = store_unit_calls(o, w, k, 1, &calls[1]);
	if (r >= 0)
		r = store_unit_calls(o, w, k, 0, &calls[0]);
	return r < 0 ? r : store_old_calls(o, w, k, set, &recent);
}

/* How many drains a cgroup's notice may be late: the herald is quick, but it may be starved. */
#define UNKNOWN_MAX 5

static void give_up(struct observer *o, struct watched *w)
{
	o->force = true; /* nothing new may come from it, but it must be looked at again */
	if (w->unknown <= UNKNOWN_MAX)
		return;
	o->unattributed++;
	w->gone = w->ignored = o->pending = true;
}

static int on_set(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	struct observer *o = arg;
	struct watched *w;
	int r = attribute_cgroup(o, key->cgroup, NULL, &w);

	if (r >= 0 && w->unknown)
		give_up(o, w);
	if (r < 0 || w->ignored || w->unknown)
		return r;
	if (!w->instance) {
		r = attribute_store(o, w);
		if (r < 0)
			return r;
	}
	return store_set(o, w, key, set);
}

static int store_dirty(struct observer *o)
{
	for (struct watched *w = o->list.cgroup; w; w = w->hh.next) {
		/* one that never made a call is nobody's history */
		bool worth = w->dirty || (w->gone && w->instance);
		int r = worth && !w->ignored && !w->unknown ? attribute_store(o, w) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int store_first(struct observer *o, const struct watched *w, const struct origin *from)
{
	struct policy_origin origin = {
		.abi = from->key.abi,
		.stage = from->key.stage,
		.nr = from->nr,
		.first = o->now,
		.last = o->now,
		.pid = from->pid,
		.comm = from->comm,
		.exe = from->exe,
	};

	return store_origin(o->o.store, w->instance, &origin);
}

static int store_firsts(struct observer *o)
{
	for (size_t i = 0; i < o->origins.cnt; i++) {
		const struct watched *w = watchlist_find(&o->list, o->origins.list[i].key.cgroup);
		int r = w && w->instance ? store_first(o, w, &o->origins.list[i]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* An origin may be here before its cgroup's name, or before its call was drained. */
#define ORIGIN_WAITS 5

void merge_committed(struct observer *o)
{
	size_t left = 0;

	for (size_t i = 0; i < o->origins.cnt; i++) {
		struct origin *from = &o->origins.list[i];
		const struct watched *w = watchlist_find(&o->list, from->key.cgroup);

		if ((w && (w->instance || w->ignored)) || ++from->waited > ORIGIN_WAITS)
			continue;
		o->origins.list[left++] = *from;
	}
	o->origins.cnt = left;
	o->pending |= left > 0;
}

int merge_drain(struct observer *o, bool force)
{
	const struct sensor_walk walk = {
		.set = on_set, .cgroup = on_cgroup, .loss = on_loss, .arg = o
	};
	int r = sensor_drain(o->o.sensor, &walk, force);

	if (r >= 0)
		r = store_dirty(o);
	if (r >= 0)
		r = store_firsts(o);
	return r;
}
