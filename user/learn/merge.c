/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's maps hold, into the store: by unit, and only what isn't there yet. */
#include <errno.h>
#include <stdlib.h>
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

bool merge_was_filtered(const struct observer *o, const struct watched *w)
{
	const struct watched *whole = watchlist_whole(&o->list, w);

	return o->o.was_filtered &&
	       o->o.was_filtered(o->o.arg, whole->identity.key, whole->identity.container);
}

bool merge_missed(struct observer *o)
{
	uint64_t missed = sensor_missed(o->o.sensor);
	bool grew = missed > o->missed;

	for (struct watched *w = grew ? o->list.cgroup : NULL; w; w = w->hh.next) {
		if (w->ignored || w->owner != w->id || merge_was_filtered(o, w))
			continue;
		w->tally.gaps++;
		w->dirty = true;
	}
	o->missed = missed;
	return grew;
}

/* Starts while the syscall program rested. What was under a filter had nothing to teach: its calls
 * are learned already, or somebody else's to tell. */
static void count_rested(const struct observer *o, struct watched *w, uint64_t rest)
{
	if (rest > w->tally.loss.rest && !merge_was_filtered(o, w))
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

/* --- what isn't stored yet ----------------------------------------------------------------- */

/* Of one set, as of one unit; or calls that no unit we know of has. The walk over the maps comes before
 * all of the storing, which is slow: what it finds waits here. */
struct unstored {
	struct watched *w;
	struct kept *kept;
	enum { UNIT_NOW, UNIT_BEFORE, UNIT_UNKNOWN } unit;
	struct sysset calls;
};

static int unstored_add(struct observer *o, const struct unstored *new)
{
	if (o->unstored_cnt == o->unstored_room) {
		size_t room = o->unstored_room ? o->unstored_room * 2 : 64;
		struct unstored *grown = reallocarray(o->unstored, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		o->unstored = grown;
		o->unstored_room = room;
	}
	o->unstored[o->unstored_cnt++] = *new;
	return 0;
}

static void drop_unstored(struct observer *o)
{
	free(o->unstored);
	o->unstored = NULL;
	o->unstored_cnt = o->unstored_room = 0;
}

/* What of `calls` isn't known to be in the store. Known from here on: should storing it fail, all is
 * forgotten that is known. */
static int note_unit(struct observer *o, struct watched *w, struct kept *k, int which,
		     const struct sysset *calls)
{
	uint32_t unit = o->unit[which];
	struct unstored new = { w, k, which ? UNIT_BEFORE : UNIT_NOW, *calls };
	int half = unit & 1;

	if (k->unit[half] != unit) {
		k->unit[half] = unit;
		memset(&k->calls[half], 0, sizeof(k->calls[half]));
	}
	sysset_remove(&new.calls, &k->calls[half]);
	if (sysset_is_empty(&new.calls))
		return 0;
	sysset_merge(&k->calls[half], &new.calls);
	return unstored_add(o, &new);
}

/* Calls from before the units we know: the daemon was away, or the store is another one. */
static int note_old(struct observer *o, struct watched *w, struct kept *k,
		    const struct tamis_set *set, const struct sysset *recent)
{
	struct unstored old = { w, k, UNIT_UNKNOWN, { { 0 } } };

	if (k->seen_stored)
		return 0;
	memcpy(old.calls.bits, set->seen, sizeof(old.calls.bits));
	sysset_remove(&old.calls, recent);
	k->seen_stored = sysset_is_empty(&old.calls);
	return k->seen_stored ? 0 : unstored_add(o, &old);
}

/* As entry_of, for a set: who has one that is kept is known, and found with it. */
static int kept_of(struct observer *o, const struct tamis_key *key, struct kept **ret)
{
	struct kept *k = watchlist_kept(&o->list, key);
	struct watched *w = k ? k->w : NULL;
	int r = 1;

	if (!w || w->unknown || w->ignored)
		r = entry_of(o, key->cgroup, &w);
	if (r <= 0)
		return r;
	*ret = k ? k : watchlist_keep(&o->list, w, key);
	return *ret ? 1 : -ENOMEM;
}

static int on_set(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	struct observer *o = arg;
	struct sysset calls[2], recent;
	struct watched *w;
	struct kept *k;
	int r = kept_of(o, key, &k);

	if (r <= 0)
		return r;
	w = k->w;
	for (int i = 0; i < 2; i++)
		calls_of_unit(set, o->unit[i], &calls[i]);
	recent = calls[0];
	sysset_merge(&recent, &calls[1]);
	r = note_unit(o, w, k, 1, &calls[1]);
	if (r >= 0)
		r = note_unit(o, w, k, 0, &calls[0]);
	return r < 0 ? r : note_old(o, w, k, set, &recent);
}

/* --- storing it ---------------------------------------------------------------------------- */

static int store_of_unit(struct observer *o, const struct unstored *u)
{
	int which = u->unit == UNIT_BEFORE;
	int r = gate_note(o, u->w, &u->kept->key, &u->calls);

	if (r < 0)
		return r;
	return store_calls(o->o.store, u->w->instance, o->row[which], u->kept->key.stage,
			   u->kept->key.abi, &u->calls, which ? o->unit_end : o->now);
}

static int store_old(struct observer *o, const struct unstored *u)
{
	const struct tamis_key *key = &u->kept->key;
	struct sysset calls = u->calls;
	struct learned known;
	int r = store_learned(o->o.store, u->w->workload, &known);

	if (r < 0)
		return r;
	sysset_remove(&calls, &known.set[key->stage][key->abi]);
	if (!sysset_is_empty(&calls)) {
		r = gate_note(o, u->w, key, &calls);
		if (r >= 0)
			r = store_calls_before(o->o.store, u->w->instance, o->row[1], key->stage,
					       key->abi, &calls, o->unit_end);
	}
	u->kept->seen_stored = r >= 0;
	return r;
}

static int store_unstored(struct observer *o)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < o->unstored_cnt; i++) {
		const struct unstored *u = &o->unstored[i];

		if (!u->w->instance)
			r = rows_store(o, u->w, false);
		if (r >= 0)
			r = u->unit == UNIT_UNKNOWN ? store_old(o, u) : store_of_unit(o, u);
	}
	return r;
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
	uint64_t began = observer_worked_ns();
	int r = sensor_drain(o->o.sensor, &walk, force);

	o->cost.walk_ns += observer_worked_ns() - began;
	o->cost.news += o->unstored_cnt;
	if (r >= 0)
		r = store_unstored(o);
	drop_unstored(o);
	if (r >= 0)
		r = rows_store_dirty(o);
	if (r >= 0)
		r = store_firsts(o);
	return r < 0 ? r : store_unattributed(o);
}
