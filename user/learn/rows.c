/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a cgroup in the store: its workload, and its life as an instance. */
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "learn/observer_internal.h"

/* A cgroup's id names one life in a boot. Should a kernel give it out again, the next life has a
 * number too. */
char *rows_instance_name(const struct observer *o, uint64_t cgroup)
{
	const struct watched *w = watchlist_find(&o->list, cgroup);

	if (w && w->life)
		return text_format("%s/%" PRIu64 ".%u", o->boot, cgroup, w->life);
	return text_format("%s/%" PRIu64, o->boot, cgroup);
}

static int store_identity(struct observer *o, struct watched *w)
{
	const struct identity *i = &w->identity;
	struct store_workload row = {
		.key = i->key,
		.owner = i->owner,
		.engine = i->engine,
		.name = i->name,
		.image = i->image,
		.image_digest = i->image_digest,
		.namespace = i->namespace,
		.opted_out = i->opted_out,
	};

	if (!i->enforceable)
		row.why_not = i->why_not ? i->why_not : "nobody can tell whose calls they are";
	return store_workload(o->o.store, &row, o->now, &w->workload);
}

/* An engine's files go with the container: one that a daemon before this one knew by its name is not
 * another workload because nobody can say any more what it was called. */
static int known_workload(struct observer *o, struct watched *w)
{
	_free_ char *name = rows_instance_name(o, w->owner);

	return name ? store_instance_workload(o->o.store, name, &w->workload) : -ENOMEM;
}

/* An inner cgroup is of its container's workload. At its creation an engine may not have written
 * all its files: they are asked again. */
static int find_workload(struct observer *o, struct watched *w, const struct watched *owner)
{
	int r;

	if (w->workload)
		return 0;
	if (owner && owner->workload) {
		w->workload = owner->workload;
		return 0;
	}
	attribute_again(o, w);
	r = w->identity.name ? -ENOENT : known_workload(o, w);
	return r == -ENOENT ? store_identity(o, w) : r;
}

static int store_instance_row(struct observer *o, struct watched *w, const struct watched *whole,
			      bool running)
{
	struct tally sum = watchlist_tally(&o->list, w->owner);
	_free_ char *name = rows_instance_name(o, w->owner);
	const struct leaving *left = leave_last(o, w);
	struct store_instance row = {
		.instance = name,
		.workload = w->workload,
		.container = whole->identity.container,
		.pod = whole->identity.pod,
		.path = whole->path,
		.running = running,
		.starts = sum.starts,
		.lost = { .lost_range = sum.loss.range,
			  .lost_full = sum.loss.full,
			  .lost_ring = sum.loss.ring,
			  .lost_task = sum.loss.task,
			  .lost_gaps = sum.gaps,
			  .leaves = sum.leaves },
		.leave_comm = left ? left->comm : NULL,
		.leave_path = left ? left->path : NULL,
	};

	return name ? store_instance(o->o.store, &row, o->now, &w->instance) : -ENOMEM;
}

/* What an engine inside calls it, once. */
static int store_inner_label(struct observer *o, struct watched *w)
{
	int r;

	if (!w->identity.inner || w->inner_stored)
		return 0;
	r = store_inner(o->o.store, w->workload, w->identity.inner, o->now);
	w->inner_stored = r >= 0;
	return r;
}

int rows_store(struct observer *o, struct watched *w, bool last)
{
	struct watched *owner = watchlist_find(&o->list, w->owner);
	const struct watched *whole = owner ? owner : w;
	int r = find_workload(o, w, owner);

	if (r >= 0)
		r = store_instance_row(o, w, whole, !(last && whole->gone));
	/* a container may do all inside, and be removed after it: its end has to be stored */
	if (r >= 0 && owner && !owner->instance) {
		owner->workload = w->workload;
		owner->instance = w->instance;
	}
	if (r >= 0)
		r = store_inner_label(o, w);
	if (r >= 0 && last)
		w->dirty = false;
	return r;
}

int rows_store_dirty(struct observer *o)
{
	for (struct watched *w = o->list.cgroup; w; w = w->hh.next) {
		/* one that never made a call is nobody's history */
		bool worth = w->dirty || (w->gone && w->instance);
		int r = worth && !w->ignored && !w->unknown ? rows_store(o, w, true) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
