/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends that the kernel told of, until the rows of their cgroups are in the store. */
#include "learn/exits.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "learn/observer_internal.h"

#define EXIT_WAITS 5 /* drains for which an end may be here before its cgroup's name */

/* Not of one inside of it: its own cgroup, or what crun makes below. */
static bool is_containers(const struct watched *w)
{
	size_t len = w->identity.owner_len ? w->identity.owner_len : strlen(w->path);
	const char *below = strlen(w->path) >= len ? w->path + len : "";

	return !w->identity.inner && (!*below || !strcmp(below, "/container"));
}

static void tell_start(const struct observer *o, const struct watched *w)
{
	const struct watched *whole = watchlist_whole(&o->list, w);
	struct observed_start told = {
		.key = whole->identity.key,
		.container = whole->identity.container,
		.cgroup = whole->path,
	};

	o->o.started(o->o.arg, &told);
}

void starts_tell(struct observer *o)
{
	for (struct watched *w = o->list.cgroup; o->o.started && w; w = w->hh.next) {
		if (w->begun && w->path && !w->ignored && is_containers(w))
			tell_start(o, w);
		w->begun = false;
	}
}

static void tell(const struct observer *o, const struct watched *w, const struct ended *e)
{
	const struct watched *whole = watchlist_whole(&o->list, w);
	struct observed_exit told = {
		.key = whole->identity.key,
		.container = whole->identity.container,
		.entrypoint = e->entrypoint && is_containers(w),
		.end = WIFEXITED(e->status) ? TRIAL_EXITED : TRIAL_KILLED,
		.code = WIFEXITED(e->status) ? WEXITSTATUS(e->status) : WTERMSIG(e->status),
		.at_ms = e->at_ms,
		.comm = e->comm,
		.pid = e->pid,
		.abi = e->abi,
		.nr = e->nr,
	};

	if (!told.entrypoint && (told.end != TRIAL_KILLED || told.code != SIGSYS))
		return;
	o->o.exited(o->o.arg, &told);
}

void exits_tell(struct observer *o)
{
	size_t left = 0;

	for (size_t i = 0; i < o->exits.cnt; i++) {
		struct ended *e = &o->exits.list[i];
		const struct watched *w = watchlist_find(&o->list, e->cgroup);

		if (w && w->path && !w->ignored)
			tell(o, w, e);
		else if (!(w && w->ignored) && ++e->waited <= EXIT_WAITS)
			o->exits.list[left++] = *e;
	}
	o->exits.cnt = left;
	o->pending |= left > 0;
	if (!left && o->exits.room > 1024)
		ended_done(&o->exits);
}
