/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's maps hold, into the store: by unit, and only what isn't there yet. */
#include <errno.h>
#include <string.h>

#include "learn/observer_internal.h"
#include "learn/unattributed.h"

/* How many drains a cgroup's notice may be late: the herald is quick, but it may be starved. */
#define UNKNOWN_MAX 5

static void give_up(struct observer *o, struct watched *w)
{
	o->force = true; /* nothing new may come from it, but it must be looked at again */
	if (w->unknown <= UNKNOWN_MAX || w->ignored)
		return;
	o->unattributed++;
	w->gone = w->ignored = o->pending = true;
}

/* The entry of a cgroup that a map speaks of. 0: that must wait, or is of no use. */
static int entry_of(struct observer *o, uint64_t id, struct watched **ret)
{
	struct watched *w;
	int r = attribute_cgroup(o, id, NULL, &w);

	if (r < 0)
		return r;
	if (w->unknown)
		give_up(o, w);
	if (w->unknown || w->ignored)
		return 0;
	*ret = w;
	return 1;
}

static int on_cgroup(uint64_t id, const struct tamis_cgroup *c, void *arg)
{
	struct observer *o = arg;
	struct watched *w = watchlist_find(&o->list, id);
	int r;

	if (w && w->ignored && w->path && attribute_by_kernel(o, w, c) < 0)
		return -ENOMEM;
	r = entry_of(o, id, &w);
	if (r > 0 && w->tally.starts != c->starts) {
		w->tally.starts = c->starts;
		w->dirty = w->begun = true;
	}
	return r < 0 ? r : 0;
}

/* Starts while the syscall program rested. What was under a filter had nothing to teach: its calls
 * are learned already, or somebody else's to tell. */
static void count_rested(const struct observer *o, struct watched *w, uint64_t rest)
{
	const struct watched *whole = watchlist_whole(&o->list, w);

	if (rest <= w->tally.loss.rest)
		return;
	if (!o->o.was_filtered ||
	    !o->o.was_filtered(o->o.arg, whole->identity.key, whole->identity.container))
		w->tally.gaps += rest - w->tally.loss.rest;
}

static int on_loss(uint64_t id, const struct tamis_loss *loss, void *arg)
{
	struct watched *w;
	int r = entry_of(arg, id, &w);

	if (r > 0 && memcmp(&w->tally.loss, loss, sizeof(*loss)) != 0) {
		count_rested(arg, w, loss->rest);
		w->tally.loss = *loss;
		w->dirty = true;
	}
	return r < 0 ? r : 0;
}

static int on_leave(uint64_t id, const struct tamis_leave *leave, void *arg)
{
	struct watched *w;
	int r = entry_of(arg, id, &w);

	return r > 0 ? leave_note(arg, w, leave) : r;
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
	r = gate_note(o, w, &k->key, &new);
	if (r < 0)
		return r;
	r = store_calls(o->o.store, w->instance, o->row[which], k->key.stage, k->key.abi, &new,
			which ? o->unit_end : o->now);
	if (r >= 0)
		sysset_merge(&k->calls[half], &new);
	return r;
}

/* Calls that no unit we know of has, and the store neither: the daemon was away, or the store is
 * another one. */
static int old_calls(struct observer *o, const struct watched *w, const struct kept *k,
		     const struct tamis_set *set, const struct sysset *recent, struct sysset *ret)
{
	struct learned known;
	int r;

	memcpy(ret->bits, set->seen, sizeof(ret->bits));
	sysset_remove(ret, recent);
	if (sysset_is_empty(ret))
		return 0;
	r = store_learned(o->o.store, w->workload, &known);
	if (r >= 0)
		sysset_remove(ret, &known.set[k->key.stage][k->key.abi]);
	return r;
}

static int store_old_calls(struct observer *o, const struct watched *w, struct kept *k,
			   const struct tamis_set *set, const struct sysset *recent)
{
	struct sysset old;
	int r = k->seen_stored ? 0 : old_calls(o, w, k, set, recent, &old);

	if (k->seen_stored || r < 0)
		return r;
	if (!sysset_is_empty(&old)) {
		r = gate_note(o, w, &k->key, &old);
		if (r >= 0)
			r = store_calls_before(o->o.store, w->instance, o->row[1], k->key.stage,
					       k->key.abi, &old, o->unit_end);
	}
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

static int on_set(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	struct observer *o = arg;
	struct watched *w;
	int r = entry_of(o, key->cgroup, &w);

	if (r <= 0)
		return r;
	if (!w->instance) {
		r = rows_store(o, w, false);
		if (r < 0)
			return r;
	}
	return store_set(o, w, key, set);
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
	origins_shrink(&o->origins);
	o->pending |= left > 0;
	o->unattributed_stored = o->unattributed;
}

/* What is recorded for somebody else has its own counts. */
static int store_unattributed(struct observer *o)
{
	uint64_t more = o->unattributed - o->unattributed_stored;

	return more && !o->o.wanted ? unattributed_add(o->o.store, more) : 0;
}

int merge_drain(struct observer *o, bool force)
{
	const struct sensor_walk walk = {
		.set = on_set,
		.cgroup = on_cgroup,
		.loss = on_loss,
		.leave = on_leave,
		.arg = o,
	};
	int r = sensor_drain(o->o.sensor, &walk, force);

	if (r >= 0)
		r = rows_store_dirty(o);
	if (r >= 0)
		r = store_firsts(o);
	return r < 0 ? r : store_unattributed(o);
}
