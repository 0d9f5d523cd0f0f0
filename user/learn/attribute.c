/* SPDX-License-Identifier: Apache-2.0 */
/* Whose cgroup it is: asked once, when it is made, while the engine's files are still there. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/observer_internal.h"

/* The cgroup that owns the calls: the container's, when `path` is one inside of it. */
static uint64_t owner_of(struct observer *o, uint64_t id, const char *path,
			 const struct identity *identity)
{
	_free_ char *owner = NULL;
	uint64_t ret;

	if (identity->owner_len == 0 || identity->owner_len >= strlen(path))
		return id;
	owner = strndup(path, identity->owner_len);
	return owner && cgroups_id(o->o.mount, owner, &ret) == 0 ? ret : id;
}

int attribute_known(struct observer *o, uint64_t id, const char *path, int r,
		    struct identity *identity, struct watched **ret)
{
	struct watched *w = watchlist_find(&o->list, id);

	if (r < 0 && r != -ENOENT)
		return r;
	if (!w)
		w = watchlist_add(&o->list, id);
	if (!w)
		return -ENOMEM;
	*ret = w;
	if (w->path)
		return 0;
	w->path = strdup(path);
	if (!w->path)
		return -ENOMEM;
	w->unknown = 0;
	w->ignored = r == -ENOENT;
	if (w->ignored)
		sensor_path_drop(o->o.sensor, id);
	w->owner = w->ignored ? id : owner_of(o, id, path, identity);
	w->identity = *identity;
	*identity = IDENTITY_INIT;
	return 0;
}

static int attribute_unknown(struct observer *o, uint64_t id, struct watched **ret)
{
	struct watched *w = watchlist_find(&o->list, id);

	if (!w)
		w = watchlist_add(&o->list, id);
	if (!w)
		return -ENOMEM;
	if (!w->unknown || w->unknown_in != o->drains)
		w->unknown++;
	w->unknown_in = o->drains;
	*ret = w;
	return 0;
}

int attribute_cgroup(struct observer *o, uint64_t id, const char *path, struct watched **ret)
{
	struct watched *w = watchlist_find(&o->list, id);
	struct identity identity = IDENTITY_INIT;
	_free_ char *asked = NULL;
	int r;

	if (w && w->path) {
		*ret = w;
		return 0;
	}
	if (!path && sensor_path(o->o.sensor, id, &asked) < 0 &&
	    cgroups_path(o->o.mount, id, &asked) < 0)
		return attribute_unknown(o, id, ret);
	path = path ? path : asked;
	r = identity_of_path(o->o.identity, path, &identity);
	r = attribute_known(o, id, path, r, &identity, ret);
	identity_done(&identity);
	return r;
}

/* What bare runc and crun call a container: letters that need no escape in a key, and not the
 * name of one of systemd's units. */
static bool is_plain_id(const char *id)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	static const char *const units[] = { ".slice", ".scope",  ".service",
					     ".mount", ".socket", ".swap" };
	size_t len = strspn(id, plain);

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t end = strlen(units[i]);

		if (len >= end && !strcmp(id + len - end, units[i]))
			return false;
	}
	return len > 0 && len < 256 && !id[len];
}

int attribute_by_kernel(struct observer *o, struct watched *w, const struct tamis_cgroup *c)
{
	const char *id = w->path + 1;

	if (c->starts == 0 || c->mnt_ns == c->starter_mnt_ns || c->pid_ns == c->starter_pid_ns ||
	    !is_plain_id(id))
		return 0;
	w->identity.engine = strdup("oci");
	w->identity.key = text_format("oci/%s", id);
	w->identity.name = strdup(id);
	w->identity.container = strdup(id);
	if (!w->identity.engine || !w->identity.key || !w->identity.name ||
	    !w->identity.container) {
		identity_done(&w->identity);
		w->identity = IDENTITY_INIT;
		return -ENOMEM;
	}
	w->ignored = false;
	return 0;
}

static uint32_t ns_of(pid_t pid, const char *ns)
{
	_free_ char *path = text_format("/proc/%d/ns/%s", pid, ns);
	struct stat st;

	return path && stat(path, &st) == 0 ? st.st_ino : 0;
}

/* A container that ran before us: its exec sessions are told from starts by its namespaces. */
static int seed(struct observer *o, const struct watched *w)
{
	struct tamis_cgroup c = { 0 };
	pid_t pid;

	if (cgroups_first_pid(o->o.mount, w->path, &pid) < 0)
		return 0;
	if (!strcmp(w->identity.engine, "systemd") || !strcmp(w->identity.engine, "cgroup"))
		return 0;
	c.pid_ns = ns_of(pid, "pid");
	c.mnt_ns = ns_of(pid, "mnt");
	c.starter_pid_ns = ns_of(1, "pid");
	c.starter_mnt_ns = ns_of(1, "mnt");
	return c.mnt_ns ? sensor_seed(o->o.sensor, w->id, &c) : 0;
}

static char *instance_name(const struct observer *o, uint64_t cgroup)
{
	return text_format("%s/%" PRIu64, o->boot, cgroup);
}

/* Without pins nobody watched between the last daemon and us. */
static int count_gap(struct observer *o, const struct watched *w)
{
	_free_ char *name = instance_name(o, w->id);

	if (!name)
		return -ENOMEM;
	return store_instance_gap(o->o.store, name);
}

static int add_existing(const char *path, uint64_t id, void *arg)
{
	struct observer *o = arg;
	struct watched *w;
	int r = attribute_cgroup(o, id, path, &w);

	if (r < 0)
		return r;
	if (w->ignored)
		return 0;
	w->dirty = true; /* it runs: to be said even if it never calls again */
	if (w->owner == w->id && !sensor_was_pinned(o->o.sensor))
		r = count_gap(o, w);
	return r < 0 ? r : seed(o, w);
}

int attribute_existing(struct observer *o)
{
	return cgroups_walk(o->o.mount, add_existing, o);
}

static int store_identity(struct observer *o, struct watched *w)
{
	struct store_workload row = {
		.key = w->identity.key,
		.engine = w->identity.engine,
		.name = w->identity.name,
		.image = w->identity.image,
		.image_digest = w->identity.image_digest,
	};

	return store_workload(o->o.store, &row, o->now, &w->workload);
}

/* At the cgroup's creation an engine may not have written all its files. */
static void identity_again(struct observer *o, struct watched *w)
{
	struct identity again = IDENTITY_INIT;

	if (w->identity.name || identity_of_path(o->o.identity, w->path, &again) < 0)
		return;
	if (again.name) {
		struct identity old = w->identity;

		w->identity = again;
		again = old;
	}
	identity_done(&again);
}

/* A container's inner cgroups add to its own starts and losses. */
static void sum_instance(const struct observer *o, const struct watched *w,
			 struct store_instance *row)
{
	for (const struct watched *i = o->list.cgroup; i; i = i->hh.next) {
		if (i->owner != w->owner || i->ignored)
			continue;
		row->starts += i->starts;
		row->lost.lost_range += i->loss.range;
		row->lost.lost_full += i->loss.full;
		row->lost.lost_ring += i->loss.ring;
		row->lost.lost_task += i->loss.task;
	}
}

/* An inner cgroup is of its container's workload. */
static int find_workload(struct observer *o, struct watched *w, const struct watched *owner)
{
	if (w->workload)
		return 0;
	if (owner && owner->workload) {
		w->workload = owner->workload;
		return 0;
	}
	identity_again(o, w);
	return store_identity(o, w);
}

int attribute_store(struct observer *o, struct watched *w)
{
	struct watched *owner = watchlist_find(&o->list, w->owner);
	const struct watched *whole = owner ? owner : w;
	_free_ char *name = instance_name(o, w->owner);
	struct store_instance row = {
		.instance = name,
		.container = whole->identity.container,
		.path = whole->path,
		.running = !whole->gone,
	};
	int r;

	if (!name)
		return -ENOMEM;
	r = find_workload(o, w, owner);
	if (r < 0)
		return r;
	row.workload = w->workload;
	sum_instance(o, w, &row);
	r = store_instance(o->o.store, &row, o->now, &w->instance);
	if (r >= 0)
		w->dirty = false;
	return r;
}
