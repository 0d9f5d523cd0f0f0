/* SPDX-License-Identifier: Apache-2.0 */
/* The service, until it may be tested. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/mine_internal.h"

#define STATUS_MAX (64u << 10)

/* What grows with every new call. */
static uint64_t seen(void *arg)
{
	struct mine *m = arg;

	if (mine_drain(m) < 0)
		return 0;
	if (m->ret->run.workload == 0 && mine_find_row(m) == 0)
		m->ret->run.workload = m->ret->row.id;
	return mine_calls(m);
}

/* What an engine was told and what it did are two things: an option or another drop-in may have taken the
 * filter away, and everything would pass. proc(5): Seccomp is 2 under a filter. */
static int check_filter(struct mine *m, char **ret_why)
{
	_free_ char *path = NULL, *text = NULL;
	struct target_facts facts = { 0 };
	int r = target_look(m->o->target, &facts);

	if (r < 0 || facts.pid <= 0)
		return 0;
	path = text_format("/proc/%lld/status", (long long)facts.pid);
	if (!path)
		return -ENOMEM;
	if (file_read(path, STATUS_MAX, &text, NULL) < 0 || strstr(text, "\nSeccomp:\t2"))
		return 0;
	*ret_why = strdup("it runs without the policy: something else decides on its filter");
	return *ret_why ? -EIO : -ENOMEM;
}

int mine_start(struct mine *m, const char *profile, char **ret_why)
{
	struct ready_options ready = m->o->ready;
	int r = target_start(m->o->target, profile, ret_why);

	if (r < 0)
		return r;
	ready.stop_fd = m->o->stop_fd;
	ready.seen = seen;
	ready.arg = m;
	r = ready_wait(m->o->target, &ready, ret_why);
	if (r >= 0 && profile)
		r = check_filter(m, ret_why);
	return r < 0 ? r : mine_drain(m);
}

int mine_revive(struct mine *m, char **ret_why)
{
	struct ready_options ready = m->o->ready;
	int r;

	if (target_runs(m->o->target, NULL) != 0)
		return 0;
	r = target_restart(m->o->target, ret_why);
	if (r < 0)
		return r;
	ready.stop_fd = m->o->stop_fd;
	ready.seen = seen;
	ready.arg = m;
	return ready_wait(m->o->target, &ready, ret_why);
}
