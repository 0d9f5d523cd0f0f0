/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's counts only grow, and go on while no daemon runs. How far each is in the store is there
 * too (store_counted), written with what it added: none counts twice, none is lost, whenever a daemon
 * is killed. So a count that is a denial's stays in the kernel until its cgroup goes.
 */
#include "learn/denied.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "apply/note.h"
#include "base/file.h"
#include "base/text.h"
#include "learn/denied_counted.h"
#include "learn/denied_internal.h"

#define WAITS	     5 /* drains for which a count may be here before its cgroup's name */
/* The keeper's answer to the same call is in the store by then, if it was its. */
#define KEEPER_WAITS 2

/* One that grew. Row and texts are filled in on the way. */
struct grown {
	struct tamis_denied_key key;
	struct tamis_denied now;
	uint64_t more;
	const char *workload, *container; /* the observer's */
	char comm[TAMIS_COMM + 1];
	char *exe;
	struct store_denial d;
	bool is_denial, is_stored;
};

struct denied {
	struct denied_options o;
	struct counted_map counted;
	struct denied_data data;
};

/* --- beginning and end ------------------------------------------------------------------- */

int denied_new(const struct denied_options *o, struct denied **ret)
{
	_free_ struct denied *d = calloc(1, sizeof(*d));
	int r = d ? counted_init(&d->counted) : -ENOMEM;

	if (r == 0)
		r = denied_data_load(&d->data);
	if (r < 0)
		return r;
	d->o = *o;
	*ret = TAKE_PTR(d);
	return 0;
}

void denied_free(struct denied *d)
{
	if (!d)
		return;
	counted_done(&d->counted);
	denied_data_done(&d->data);
	free(d);
}

/* --- reading ----------------------------------------------------------------------------- */

struct drain {
	struct denied *d;
	struct grown *grown;
	size_t cnt, room;
};

static void drain_done(struct drain *w)
{
	for (size_t i = 0; i < w->cnt; i++)
		free(w->grown[i].exe);
	free(w->grown);
}
#define _drain_ __attribute__((cleanup(drain_done)))

static int add_grown(struct drain *w, const struct grown *g)
{
	if (w->cnt == w->room) {
		size_t room = w->room * 2 + 64;
		struct grown *more = reallocarray(w->grown, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		w->grown = more;
		w->room = room;
	}
	w->grown[w->cnt++] = *g;
	return 0;
}

static int on_denied(const struct tamis_denied_key *key, const struct tamis_denied *now, void *arg)
{
	struct drain *w = arg;
	struct counted *c;
	struct grown g = { .key = *key, .now = *now };

	if (key->abi >= TAMIS_ABI_MAX || key->nr >= TAMIS_CALLS)
		return 0;
	c = counted_take(&w->d->counted, key);
	if (!c)
		return -ENOMEM;
	c->seen = true;
	g.more = counted_gain(c, now);
	return g.more ? add_grown(w, &g) : 0;
}

static int walk(struct drain *w)
{
	const struct sensor_walk walk = { .denied = on_denied, .arg = w };

	counted_begin(&w->d->counted);
	return sensor_denials(w->d->o.sensor, &walk);
}

/* --- whether it is one ------------------------------------------------------------------- */

/* The path that it was begun with, while it is there and still the same. */
static char *exe_of(uint32_t pid, const char *comm)
{
	_free_ char *name = text_format("/proc/%" PRIu32 "/comm", pid);
	_free_ char *link = text_format("/proc/%" PRIu32 "/exe", pid);
	_free_ char *is = NULL;
	char path[4096];
	ssize_t len;

	if (!name || !link || file_read(name, 64, &is, NULL) < 0 ||
	    strncmp(is, comm, strlen(comm)) != 0 || is[strlen(comm)] != '\n')
		return NULL;
	len = readlink(link, path, sizeof(path) - 1);
	return len > 0 ? strndup(path, (size_t)len) : NULL;
}

/* Now, and how long ago, to seconds since the epoch. */
static int64_t time_of(uint64_t ms, int64_t now)
{
	int64_t ago = note_now_ms() - (int64_t)ms;

	return ago > 0 && (uint64_t)ago < INT64_MAX / 2 ? now - ago / 1000 : now;
}

static void fill(struct grown *g, const struct under_row *row, int64_t now)
{
	snprintf(g->comm, sizeof(g->comm), "%.*s", TAMIS_COMM, g->now.comm);
	g->exe = exe_of(g->now.pid, g->comm);
	g->d = (struct store_denial){
		.kind = DENIAL_ERRNO,
		.abi = g->key.abi,
		.nr = g->key.nr,
		.generation = row->generation,
		.pid = g->now.pid,
		.exe = g->exe,
		.count = g->more,
		.first = time_of(g->now.first_ms, now),
		.last = time_of(g->now.last_ms, now),
	};
	if (g->d.first > g->d.last)
		g->d.first = g->d.last;
	g->is_denial = true;
}

/* In probation an errno may be the keeper's, whose journal says more of it, or the kernel's own answer
 * to a call that the keeper let go on. */
static int is_keepers(const struct denied *d, const char *key, const struct tamis_denied_key *at)
{
	struct store_denial row = { .abi = at->abi, .nr = at->nr };
	static const enum denial_kind kinds[] = { DENIAL_ASKED, DENIAL_DENIED };
	struct learned l;
	int r = store_workload_id(d->o.store, key, &row.workload);

	if (r == 0)
		r = store_learned(d->o.store, row.workload, &l);
	if (r < 0)
		return r;
	r = sysset_has(&l.set[TAMIS_WORKLOAD][at->abi], at->nr);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		row.kind = kinds[i];
		r = store_denial_sum(d->o.store, &row);
		r = r == -ENOENT ? 0 : r < 0 ? r : 1;
	}
	return r;
}

enum answer { WAIT, NONE, DENIAL };

/* Negative errno, or the answer. */
static int ask(struct denied *d, struct grown *g, struct counted *c, struct under_row *row)
{
	int64_t workload;
	int r = observer_whose(d->o.observer, g->key.cgroup, &workload, &g->workload,
			       &g->container);

	if (r == -ENOENT)
		return ++c->waited > WAITS ? NONE : WAIT;
	if (r == 0)
		r = under_find(d->o.under, g->workload, g->container, row);
	if (r == -ENOENT || (r == 0 && row->mode != MODE_ENFORCE && row->mode != MODE_PROBATION))
		return NONE;
	if (r == 0)
		r = denied_data_asks(&d->data, d->o.store, row, g->key.abi, g->key.nr,
				     g->now.errno_ret);
	if (r <= 0)
		return r < 0 ? r : NONE;
	if (row->mode != MODE_PROBATION)
		return DENIAL;
	if (++c->waited <= KEEPER_WAITS)
		return WAIT;
	r = is_keepers(d, g->workload, &g->key);
	return r < 0 ? r : r ? NONE : DENIAL;
}

/* What is none goes from the kernel too: it makes room, and counts anew. */
static int sift(struct denied *d, struct grown *g, int64_t now)
{
	struct counted *c = counted_find(&d->counted, &g->key);
	struct under_row row = { 0 };
	int r = ask(d, g, c, &row);

	if (r == DENIAL)
		fill(g, &row, now);
	if (r != NONE)
		return r < 0 && r != -ENOENT ? r : 0;
	sensor_denial_drop(d->o.sensor, &g->key);
	return 0;
}

/* --- storing ----------------------------------------------------------------------------- */

static int add(struct denied *d, struct store_denial *row, const char *key)
{
	int r = store_workload_id(d->o.store, key, &row->workload);

	if (r == 0)
		r = store_denial_add(d->o.store, row, NULL);
	return r == 0 ? store_denial_sum(d->o.store, row) : r;
}

static int store_one(struct denied *d, struct grown *g)
{
	const struct store_counted c = { .cgroup = g->key.cgroup,
					 .abi = g->key.abi,
					 .nr = g->key.nr,
					 .first_ms = g->now.first_ms,
					 .count = g->now.count };
	int r;

	g->d.comm = g->comm;
	r = add(d, &g->d, g->workload);
	/* a command took the workload away meanwhile, or the row is one too many */
	if (r == -ENOENT)
		g->is_denial = false;
	if (r < 0 && r != -ENOENT)
		return r;
	g->is_stored = true;
	return store_counted_set(d->o.store, d->counted.boot, &c);
}

static int store_all(struct drain *w)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->cnt; i++)
		if (w->grown[i].is_denial)
			r = store_one(w->d, &w->grown[i]);
	return r < 0 ? r : counted_store_gone(&w->d->counted, w->d->o.store);
}

static bool has_work(const struct drain *w)
{
	bool any = false;

	for (size_t i = 0; i < w->cnt; i++)
		any |= w->grown[i].is_denial;
	return any || counted_has_gone(&w->d->counted);
}

static int store_drain(struct drain *w)
{
	struct store *s = w->d->o.store;
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = store_all(w);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

/* It is in the store. */
static void committed(struct drain *w)
{
	for (size_t i = 0; i < w->cnt; i++) {
		const struct grown *g = &w->grown[i];
		struct counted *c = counted_find(&w->d->counted, &g->key);

		if (!g->is_stored || !c)
			continue;
		c->first_ms = g->now.first_ms;
		c->count = g->now.count;
	}
	counted_drop_gone(&w->d->counted);
}

static void tell(const struct drain *w)
{
	const struct denied_options *o = &w->d->o;

	for (size_t i = 0; o->denied && i < w->cnt; i++) {
		const struct grown *g = &w->grown[i];

		if (g->is_denial && g->d.count)
			o->denied(o->arg, g->workload, g->container, &g->d, g->more);
	}
}

int denied_drain(struct denied *d, int64_t now)
{
	_drain_ struct drain w = { .d = d };
	int r = counted_load(&d->counted, d->o.store);

	denied_data_forget(&d->data);
	if (r == 0)
		r = walk(&w);
	for (size_t i = 0; r == 0 && i < w.cnt; i++)
		r = sift(d, &w.grown[i], now);
	if (r == 0 && has_work(&w))
		r = store_drain(&w);
	if (r < 0)
		return r;
	committed(&w);
	tell(&w);
	return 0;
}

/* --- deaths ------------------------------------------------------------------------------ */

static int store_death(struct denied *d, struct store_denial *row, const char *key)
{
	int r = store_begin(d->o.store);

	if (r < 0)
		return r;
	r = add(d, row, key);
	if (r == 0)
		r = store_commit(d->o.store);
	if (r < 0)
		store_rollback(d->o.store);
	return r;
}

/* One that passes wasn't killed: somebody sent that signal. */
static int find_call(struct denied *d, const struct under_row *row, const struct observed_exit *e,
		     uint32_t *ret)
{
	int r;

	*ret = TAMIS_CALLS;
	if (e->nr >= TAMIS_CALLS || (unsigned)e->abi >= TAMIS_ABI_MAX)
		return 0;
	denied_data_forget(&d->data);
	r = denied_data_asks(&d->data, d->o.store, row, e->abi, e->nr, 0);
	if (r > 0)
		*ret = e->nr;
	return r < 0 ? r : 0;
}

int denied_exit(struct denied *d, const struct observed_exit *e, int64_t now)
{
	struct under_row row;
	int r = e->end == TRIAL_KILLED && e->code == SIGSYS
			? under_find(d->o.under, e->key, e->container, &row)
			: -ENOENT;
	struct store_denial denial = {
		.kind = DENIAL_SIGSYS,
		.abi = e->abi,
		.pid = e->pid,
		.comm = e->comm,
		.count = 1,
		.first = time_of((uint64_t)e->at_ms, now),
		.last = time_of((uint64_t)e->at_ms, now),
	};

	if (r == -ENOENT || (r == 0 && row.mode != MODE_ENFORCE && row.mode != MODE_PROBATION))
		return 0;
	if (r == 0)
		r = find_call(d, &row, e, &denial.nr);
	if (r < 0)
		return r;
	denial.generation = row.generation;
	r = store_death(d, &denial, e->key);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (d->o.denied)
		d->o.denied(d->o.arg, e->key, e->container, &denial, 1);
	return 0;
}
