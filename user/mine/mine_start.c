/* SPDX-License-Identifier: Apache-2.0 */
/* The service, until it may be tested. */
#include "mine/mine_internal.h"

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
