/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/observer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/observer_internal.h"

#define SWEEP_UNITS 10
#define BOOT_ID	    "/proc/sys/kernel/random/boot_id"
#define META_UNITS  "units" /* "BOOT UNIT ROW ROW_BEFORE": the kernel's units and our rows */

int observer_new(const struct observer_options *options, struct observer **ret)
{
	_cleanup_(observer_free) struct observer *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->o = *options;
	r = file_read(BOOT_ID, 128, &o->boot, NULL);
	if (r < 0)
		return r;
	o->boot[strcspn(o->boot, "\n")] = '\0';
	r = gate_init(o);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}

void observer_free(struct observer *o)
{
	if (!o)
		return;
	herald_free(o->herald);
	notices_free(o->notices);
	gate_drop(o);
	watchlist_done(&o->list);
	origins_done(&o->origins);
	ended_done(&o->exits);
	free(o->boot);
	free(o);
}

/* --- notices ----------------------------------------------------------------------------- */

static void on_made(struct observer *o, struct notice *n)
{
	struct watched *w;

	/* a failure shows again at the drain, which asks the tree */
	if (n->path && attribute_known(o, n->cgroup, n->path, n->identity_r, &n->identity, &w) == 0)
		w->life = n->life;
}

static void on_gone(struct observer *o, const struct notice *n)
{
	struct watched *w;

	if (attribute_cgroup(o, n->cgroup, n->path, &w) == 0)
		w->gone = w->heard = o->pending = true;
}

static void on_news(struct observer *o, const struct notice *n)
{
	const struct watched *w = watchlist_find(&o->list, n->cgroup);

	if (o->o.news && !(w && w->ignored))
		o->o.news(o->o.arg);
}

static void on_first_call(struct observer *o, const struct notice *n)
{
	struct watched *w = watchlist_find(&o->list, n->cgroup);

	if (!(w && w->ignored) && origins_add(&o->origins, &n->origin) == 0)
		o->pending = true;
	on_news(o, n);
}

static void on_ended(struct observer *o, const struct notice *n)
{
	struct watched *w = watchlist_find(&o->list, n->cgroup);

	if (o->o.exited && !(w && w->ignored) && ended_add(&o->exits, &n->ended) == 0)
		o->pending = true;
}

/* A cgroup was made with the id of one that we know: that one is no more, whether or not its
 * removal was heard. What it left is read and forgotten before the new one gets an entry. */
static bool is_another_life(struct observer *o, struct notice *n)
{
	struct watched *w = watchlist_find(&o->list, n->cgroup);

	if (n->kind != NOTICE_MADE || !n->path || !w || !w->path)
		return false;
	if (!w->heard && !strcmp(w->path, n->path))
		return false;
	n->life = w->life + 1;
	w->gone = o->pending = true;
	return true;
}

/* True when it stopped before a notice that has to wait for the drain. */
static bool take_notices(struct observer *o)
{
	if (!o->notices)
		o->notices = herald_take(o->herald);
	while (o->notices && !is_another_life(o, o->notices)) {
		struct notice *n = o->notices;

		o->notices = n->next;
		if (n->kind == NOTICE_MADE)
			on_made(o, n);
		else if (n->kind == NOTICE_GONE)
			on_gone(o, n);
		else if (n->kind == NOTICE_ENDED)
			on_ended(o, n);
		else if (n->kind == NOTICE_EXEC)
			on_news(o, n);
		else
			on_first_call(o, n);
		notice_free(n);
	}
	return o->notices;
}

/* --- drain ------------------------------------------------------------------------------- */

static void forget_gone(struct observer *o)
{
	struct watched *w, *next;

	HASH_ITER(hh, o->list.cgroup, w, next)
	{
		if (!w->gone || (w->unknown && !w->ignored))
			continue;
		sensor_forget(o->o.sensor, w->id);
		watchlist_remove(&o->list, w);
	}
}

/* Nothing of the failed transaction is in the store: begin again from what the kernel has. */
static int drain_failed(struct observer *o, int r)
{
	store_rollback(o->o.store);
	watchlist_forget_kept(&o->list);
	watchlist_forget_rows(&o->list);
	gate_drop(o);
	o->force = true;
	return r;
}

uint64_t observer_worked_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int drain(struct observer *o)
{
	bool force = o->force;
	int r;

	o->now = time(NULL);
	o->drains++;
	r = store_begin(o->o.store);
	if (r < 0)
		return r;
	if (store_changed(o->o.store))
		watchlist_forget_rows(&o->list);
	o->force = o->pending = false;
	r = merge_drain(o, force);
	if (r >= 0)
		r = store_commit(o->o.store);
	if (r < 0)
		return drain_failed(o, r);
	gate_tell(o);
	merge_committed(o);
	starts_tell(o);
	if (o->o.stored)
		o->o.stored(o->o.arg);
	exits_tell(o);
	forget_gone(o);
	return 0;
}

int observer_drain(struct observer *o)
{
	uint64_t began = observer_worked_ns();
	bool more;

	o->cost = (struct drain_cost){ 0 };
	o->pending |= merge_missed(o);
	do {
		int r = 0;

		more = take_notices(o);
		if (o->force || o->pending || sensor_has_news(o->o.sensor))
			r = drain(o);
		if (r < 0)
			return r;
	} while (more);
	o->cost.store_ns = observer_worked_ns() - began - o->cost.walk_ns;
	return 0;
}

/* --- units ------------------------------------------------------------------------------- */

static int save_units(struct observer *o, uint32_t unit, int64_t row, int64_t before)
{
	_free_ char *value = NULL;

	if (o->o.wanted)
		return 0;
	value = text_format("%s %" PRIu32 " %" PRId64 " %" PRId64, o->boot, unit, row, before);
	return value ? store_meta_set(o->o.store, META_UNITS, value) : -ENOMEM;
}

/* The rows of the units that pinned maps may still hold; a fresh row where that isn't known. */
static int load_units(struct observer *o)
{
	_free_ char *value = NULL;
	char boot[64];
	uint32_t unit;
	int r = o->o.wanted ? 0 : store_meta_get(o->o.store, META_UNITS, &value);

	if (r < 0)
		return r;
	o->unit[0] = sensor_unit(o->o.sensor);
	o->unit[1] = o->unit[0] - 1;
	o->unit_end = o->now;
	if (value && sensor_was_pinned(o->o.sensor) &&
	    sscanf(value, "%63s %" SCNu32 " %" SCNd64 " %" SCNd64, boot, &unit, &o->row[0],
		   &o->row[1]) == 4 &&
	    !strcmp(boot, o->boot) && unit == o->unit[0])
		return 0;
	r = store_unit_begin(o->o.store, o->now, "before", &o->row[0]);
	o->row[1] = o->row[0];
	return r;
}

static int unit_row(struct observer *o, int64_t *ret)
{
	if (o->o.unit)
		return o->o.unit(o->o.arg, o->o.store, o->now, ret);
	return store_unit_begin(o->o.store, o->now, NULL, ret);
}

/* The row first, then the kernel's unit: one that the store doesn't know would be nobody's. */
static int begin_unit(struct observer *o)
{
	int64_t row;
	int r = store_begin(o->o.store);

	if (r < 0)
		return r;
	o->now = time(NULL);
	r = unit_row(o, &row);
	if (r >= 0)
		r = save_units(o, o->unit[0] + 1, row, o->row[0]);
	if (r >= 0)
		r = store_commit(o->o.store);
	if (r < 0) {
		store_rollback(o->o.store);
		return r;
	}
	sensor_unit_next(o->o.sensor);
	o->unit[1] = o->unit[0]++;
	o->row[1] = o->row[0];
	o->row[0] = row;
	o->unit_end = o->now;
	return 0;
}

int observer_start(struct observer *o)
{
	const struct herald_options herald = {
		.sensor = o->o.sensor,
		.identity = o->o.identity,
		.made = o->o.made,
		.executed = o->o.executed,
		.arg = o->o.arg,
	};
	int r = herald_new(&herald, &o->herald);

	/* seconds, where there are many thousands: nobody has to wait for the store meanwhile */
	if (r >= 0 && !o->o.wanted)
		r = existing_add(o);
	if (r >= 0)
		r = store_begin(o->o.store);
	if (r < 0)
		return r;
	o->now = time(NULL);
	r = load_units(o);
	if (r >= 0)
		r = existing_gaps(o);
	/* those that still run are said to by the drain that follows */
	if (r >= 0 && !o->o.wanted)
		r = store_instances_gone(o->o.store, NULL, 0, o->now);
	if (r >= 0)
		r = store_commit(o->o.store);
	if (r < 0) {
		store_rollback(o->o.store);
		return r;
	}
	o->force = true;
	r = observer_drain(o);
	return r < 0 ? r : begin_unit(o);
}

static int on_path(uint64_t id, void *arg)
{
	struct observer *o = arg;
	struct watched *w = watchlist_find(&o->list, id);

	return w ? 0 : attribute_cgroup(o, id, NULL, &w);
}

/* What the ring had no room for: a cgroup that was made gets its entry by the path that the kernel
 * half keeps, one that was removed is not in the tree. Nobody else loses an event, but who can
 * know: the tree is looked at now and then all the same. */
static int sweep(struct observer *o)
{
	const struct sensor_walk walk = { .path = on_path, .arg = o };
	uint64_t lost = sensor_lost(o->o.sensor).ring;
	int r;

	if (lost == o->ring_lost && o->unit[0] % SWEEP_UNITS)
		return 0;
	r = sensor_paths(o->o.sensor, &walk);
	if (r < 0)
		return r;
	o->ring_lost = lost;
	for (struct watched *w = o->list.cgroup; w; w = w->hh.next) {
		_free_ char *path = NULL;

		r = cgroups_path(o->o.mount, w->id, &path);
		if (r == -ENOENT || r == -ESTALE)
			w->gone = o->pending = true;
	}
	return 0;
}

int observer_unit(struct observer *o)
{
	int r = sweep(o);

	if (r >= 0)
		r = observer_drain(o);
	return r < 0 ? r : begin_unit(o);
}

int observer_whose(const struct observer *o, uint64_t cgroup, int64_t *ret_workload,
		   const char **ret_key, const char **ret_container)
{
	const struct watched *w = watchlist_find(&o->list, cgroup), *whole;

	if (!w || w->ignored || w->unknown || !w->workload)
		return -ENOENT;
	whole = watchlist_whole(&o->list, w);
	*ret_workload = w->workload;
	*ret_key = whole->identity.key;
	*ret_container = whole->identity.container;
	return 0;
}

struct observer_stats observer_stats(const struct observer *o)
{
	struct observer_stats stats = {
		.unattributed = o->unattributed,
		.lost = sensor_lost(o->o.sensor),
	};

	for (const struct watched *w = o->list.cgroup; w; w = w->hh.next)
		stats.workload_cgroups += !w->ignored;
	return stats;
}

struct drain_cost observer_cost(const struct observer *o)
{
	return o->cost;
}
