/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that left for another cgroup: a filter would follow them there. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/observer_internal.h"

static char *path_of(const struct observer *o, uint64_t cgroup)
{
	const struct watched *w = watchlist_find(&o->list, cgroup);
	char *path = NULL;

	if (w && w->path)
		return strdup(w->path);
	if (sensor_path(o->o.sensor, cgroup, &path) == 0 ||
	    cgroups_path(o->o.mount, cgroup, &path) == 0)
		return path;
	return text_format("cgroup %" PRIu64, cgroup);
}

/* Whether a path is one of the cgroups that w's owner has. */
static bool is_owners(const struct watched *w, const char *path)
{
	size_t len = w->identity.owner_len ? w->identity.owner_len : strlen(w->path);

	return !strncmp(path, w->path, len) && (path[len] == '/' || path[len] == '\0');
}

int leave_note(struct observer *o, struct watched *w, const struct tamis_leave *leave)
{
	struct leaving *l = &w->leaving;
	uint64_t more = leave->count - l->heard;
	_free_ char *path = NULL;

	if (leave->count <= l->heard)
		return 0;
	path = path_of(o, leave->to);
	if (!path)
		return -ENOMEM;
	l->heard = leave->count;
	if (is_owners(w, path))
		return 0;
	free(l->path);
	l->path = TAKE_PTR(path);
	memcpy(l->comm, leave->comm, TAMIS_COMM);
	w->tally.leaves += more;
	w->dirty = true;
	return 0;
}

const struct leaving *leave_last(const struct observer *o, const struct watched *w)
{
	const struct watched *i = watchlist_find(&o->list, w->owner);

	if (i && i->leaving.path)
		return &i->leaving;
	for (i = watchlist_inside(&o->list, w->owner); i; i = i->next)
		if (i->leaving.path)
			return &i->leaving;
	return w->leaving.path ? &w->leaving : NULL;
}
