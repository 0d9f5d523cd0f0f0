/* SPDX-License-Identifier: Apache-2.0 */
/* What ran before us: entries for all cgroups, and what the kernel half should know of them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/observer_internal.h"

static uint32_t ns_of(pid_t pid, const char *ns)
{
	_free_ char *path = text_format("/proc/%d/ns/%s", pid, ns);
	struct stat st;

	return path && stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Nobody makes namespaces for these. */
static bool is_plain(const struct watched *w)
{
	return !strcmp(w->identity.engine, "systemd") || !strcmp(w->identity.engine, "cgroup");
}

/* The namespaces by which exec sessions are told from starts. False: there is nothing to say. */
static bool container_of(const struct observer *o, const struct watched *w,
			 struct tamis_cgroup *ret)
{
	pid_t pid;

	if (cgroups_first_pid(o->o.mount, w->path, &pid) < 0)
		return false;
	ret->pid_ns = ns_of(pid, "pid");
	ret->mnt_ns = ns_of(pid, "mnt");
	ret->starter_pid_ns = ns_of(1, "pid");
	ret->starter_mnt_ns = ns_of(1, "mnt");
	return ret->mnt_ns != 0;
}

/* Of units and plain cgroups it is enough to know that their leaves count. A full map is no
 * reason not to start: only what is told here goes without. */
static int seed(struct observer *o, const struct watched *w)
{
	struct tamis_cgroup c = { 0 };
	bool worth = is_plain(w) ? w->owner == w->id : container_of(o, w, &c);
	int r = worth ? sensor_seed(o->o.sensor, w->id, &c) : 0;

	return r == -E2BIG ? 0 : r;
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
	return seed(o, w);
}

int existing_add(struct observer *o)
{
	return cgroups_walk(o->o.mount, add_existing, o);
}

static int count_gap(struct observer *o, const struct watched *w)
{
	_free_ char *name = rows_instance_name(o, w->id);

	return name ? store_instance_gap(o->o.store, name) : -ENOMEM;
}

/* A daemon that was killed in a nap left nobody to end it: what has no filter ran unobserved. */
int existing_gaps(struct observer *o)
{
	bool pinned = sensor_was_pinned(o->o.sensor);
	int r = 0;

	if (pinned && !sensor_was_napping(o->o.sensor))
		return 0;
	for (const struct watched *w = o->list.cgroup; w && r >= 0; w = w->hh.next)
		if (!w->ignored && w->owner == w->id && !(pinned && merge_was_filtered(o, w)))
			r = count_gap(o, w);
	return r;
}
