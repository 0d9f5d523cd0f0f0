/* SPDX-License-Identifier: Apache-2.0 */
/* Whose cgroup it is: asked once, when it is made, while the engine's files are still there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/observer_internal.h"

/* The last cgroup that was made there, for one that is gone by now. */
static uint64_t id_of_path(const struct observer *o, const char *path, uint64_t otherwise)
{
	for (const struct watched *w = o->list.cgroup; w; w = w->hh.next)
		if (w->path && !w->ignored && !strcmp(w->path, path))
			otherwise = w->id;
	return otherwise;
}

/* The cgroup that owns the calls: the container's, when `path` is one inside of it. */
static uint64_t owner_of(struct observer *o, uint64_t id, const char *path,
			 const struct identity *identity)
{
	_free_ char *owner = NULL;
	uint64_t ret;

	if (identity->owner_len == 0 || identity->owner_len >= strlen(path))
		return id;
	owner = strndup(path, identity->owner_len);
	if (!owner)
		return id;
	return cgroups_id(o->o.mount, owner, &ret) == 0 ? ret : id_of_path(o, owner, id);
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
	w->ignored = r == -ENOENT || (o->o.wanted && !o->o.wanted(o->o.arg, path));
	if (w->ignored)
		sensor_path_drop(o->o.sensor, id);
	w->identity = *identity;
	*identity = IDENTITY_INIT;
	return w->ignored ? 0 : watchlist_own(&o->list, w, owner_of(o, id, w->path, &w->identity));
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

	if (o->o.wanted || c->starts == 0 || c->mnt_ns == c->starter_mnt_ns ||
	    c->pid_ns == c->starter_pid_ns || !is_plain_id(id))
		return 0;
	w->identity.engine = strdup("oci");
	w->identity.owner = strdup("oci");
	w->identity.key = text_format("oci/%s", id);
	w->identity.name = strdup(id);
	w->identity.container = strdup(id);
	if (!w->identity.engine || !w->identity.owner || !w->identity.key || !w->identity.name ||
	    !w->identity.container) {
		identity_done(&w->identity);
		w->identity = IDENTITY_INIT;
		return -ENOMEM;
	}
	w->identity.enforceable = true;
	w->ignored = false;
	return 0;
}

void attribute_again(struct observer *o, struct watched *w)
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
