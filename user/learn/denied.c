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

#include <uthash.h>

#include "apply/note.h"
#include "base/file.h"
#include "base/text.h"
#include "learn/denied_internal.h"

#define BOOT_ID	     "/proc/sys/kernel/random/boot_id"
#define WAITS	     5 /* drains for which a count may be here before its cgroup's name */
/* The keeper's answer to the same call is in the store by then, if it was its. */
#define KEEPER_WAITS 2

/* A count of the kernel's that was looked at. */
struct counted {
	struct tamis_denied_key key;
	uint64_t first_ms, count; /* in the store; 0: nothing of it */
	unsigned waited;
	bool seen; /* by the walk under way */
	UT_hash_handle hh;
};

/* One that grew. Row and texts are filled in on the way. */
struct grown {
	struct tamis_denied_key key;
	struct tamis_denied now;
	uint64_t more;
	const char *workload, *container; /* the observer's */
	char comm[TAMIS_COMM + 1];
	char *exe;
	struct store_denial d;
	bool is_denial;
};

struct denied {
	struct denied_options o;
	char boot[64];
	struct counted *counted;
	bool loaded;
	struct denied_data data;
};

/* --- beginning and end ------------------------------------------------------------------- */

int denied_new(const struct denied_options *o, struct denied **ret)
{
	_free_ char *boot = NULL;
	_free_ struct denied *d = calloc(1, sizeof(*d));
	int r = d ? file_read(BOOT_ID, sizeof(d->boot), &boot, NULL) : -ENOMEM;

	if (r == 0)
		r = denied_data_load(&d->data);
	if (r < 0)
		return r;
	d->o = *o;
	snprintf(d->boot, sizeof(d->boot), "%.*s", (int)strcspn(boot, "\n"), boot);
	*ret = TAKE_PTR(d);
	return 0;
}

static void drop_counted(struct denied *d, struct counted *c)
{
	HASH_DEL(d->counted, c);
	free(c);
}

void denied_free(struct denied *d)
{
	struct counted *c, *next;

	if (!d)
		return;
	HASH_ITER(hh, d->counted, c, next)
	drop_counted(d, c);
	denied_data_done(&d->data);
	free(d);
}

static struct counted *find_counted(const struct denied *d, const struct tamis_denied_key *key)
{
	struct counted *c;

	HASH_FIND(hh, d->counted, key, sizeof(*key), c);
	return c;
}

static struct counted *take_counted(struct denied *d, const struct tamis_denied_key *key)
{
	struct counted *c = find_counted(d, key);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = *key;
	HASH_ADD(hh, d->counted, key, sizeof(c->key), c);
	return c;
}

/* What the daemon before had stored. */
static int load(struct denied *d)
{
	_free_ struct store_counted *list = NULL;
	size_t cnt = 0;
	int r = d->loaded ? 0 : store_counted(d->o.store, d->boot, &list, &cnt);

	for (size_t i = 0; r == 0 && i < cnt; i++) {
		const struct tamis_denied_key key = { list[i].cgroup, list[i].abi, list[i].nr };
		struct counted *c = take_counted(d, &key);

		if (!c)
			return -ENOMEM;
		c->first_ms = list[i].first_ms;
		c->count = list[i].count;
	}
	d->loaded |= r == 0;
	return r;
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

/* Another first time, or a smaller count: another count under the same key. */
static uint64_t gain_of(const struct counted *c, const struct tamis_denied *now)
{
	bool same = c->first_ms == now->first_ms || !c->first_ms || !now->first_ms;

	return same && now->count >= c->count ? now->count - c->count : now->count;
}

static int on_denied(const struct tamis_denied_key *key, const struct tamis_denied *now, void *arg)
{
	struct drain *w = arg;
	struct counted *c;
	struct grown g = { .key = *key, .now = *now };

	if (key->abi >= TAMIS_ABI_MAX || key->nr >= TAMIS_CALLS)
		return 0;
	c = take_counted(w->d, key);
	if (!c)
		return -ENOMEM;
	c->seen = true;
	g.more = gain_of(c, now);
	return g.more ? add_grown(w, &g) : 0;
}

static int walk(struct drain *w)
{
	const struct sensor_walk walk = { .denied = on_denied, .arg = w };
	struct counted *c, *next;

	HASH_ITER(hh, w->d->counted, c, next)
	c->seen = false;
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
	struct counted *c = find_counted(d, &g->key);
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
	return store_counted_set(d->o.store, d->boot, &c);
}

/* The kernel forgot them with their cgroups. */
static int remove_gone(struct denied *d)
{
	int r = 0;

	for (struct counted *c = d->counted; c && r == 0; c = c->hh.next) {
		const struct store_counted was = { .cgroup = c->key.cgroup,
						   .abi = c->key.abi,
						   .nr = c->key.nr };

		if (!c->seen && c->count)
			r = store_counted_remove(d->o.store, d->boot, &was);
	}
	return r;
}

static int store_all(struct drain *w)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->cnt; i++)
		if (w->grown[i].is_denial)
			r = store_one(w->d, &w->grown[i]);
	return r < 0 ? r : remove_gone(w->d);
}

static bool has_work(const struct drain *w)
{
	bool any = false;

	for (size_t i = 0; i < w->cnt; i++)
		any |= w->grown[i].is_denial;
	for (const struct counted *c = w->d->counted; c && !any; c = c->hh.next)
		any = !c->seen && c->count;
	return any;
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
	struct counted *c, *next;

	for (size_t i = 0; i < w->cnt; i++) {
		struct grown *g = &w->grown[i];

		c = find_counted(w->d, &g->key);
		if (!g->is_denial || !c)
			continue;
		c->first_ms = g->now.first_ms;
		c->count = g->now.count;
	}
	HASH_ITER(hh, w->d->counted, c, next)
	if (!c->seen)
		drop_counted(w->d, c);
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
	int r = load(d);

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

int denied_exit(struct denied *d, const struct observed_exit *e, int64_t now)
{
	struct under_row row;
	int r = e->end == TRIAL_KILLED && e->code == SIGSYS
			? under_find(d->o.under, e->key, e->container, &row)
			: -ENOENT;
	struct store_denial denial = {
		.kind = DENIAL_SIGSYS,
		.abi = e->abi,
		.nr = e->nr < TAMIS_CALLS ? e->nr : TAMIS_CALLS,
		.pid = e->pid,
		.comm = e->comm,
		.count = 1,
		.first = time_of((uint64_t)e->at_ms, now),
		.last = time_of((uint64_t)e->at_ms, now),
	};

	if (r == -ENOENT || (r == 0 && row.mode != MODE_ENFORCE && row.mode != MODE_PROBATION))
		return 0;
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
