/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/ended.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENDED_MAX 65536 /* waiting for a drain: 4 MiB */

/* The event has the low half of the time; it is told within days. */
static int64_t whole_ms(uint32_t low)
{
	struct timespec t;
	int64_t now;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return now - (int32_t)((uint32_t)now - low);
}

int ended_read(const struct tamis_event *e, struct ended *ret)
{
	if (e->stage != TAMIS_WORKLOAD && e->stage != TAMIS_SESSION)
		return -EINVAL;
	*ret = (struct ended){
		.cgroup = e->cgroup,
		.entrypoint = e->stage == TAMIS_WORKLOAD,
		.status = (int)(e->nr & 0xffff),
		.at_ms = whole_ms(e->at_ms),
		.pid = e->pid,
		.abi = e->abi < TAMIS_ABI_MAX ? e->abi : 0,
		.nr = e->abi < TAMIS_ABI_MAX && e->call < TAMIS_CALLS ? e->call : TAMIS_CALLS,
	};
	memcpy(ret->comm, e->comm, TAMIS_COMM);
	return 0;
}

int ended_add(struct ended_list *l, const struct ended *e)
{
	struct ended *grown;

	if (l->cnt >= ENDED_MAX)
		return -ENOSPC;
	if (l->cnt == l->room) {
		size_t room = l->room ? l->room * 2 : 64;

		grown = reallocarray(l->list, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->list = grown;
		l->room = room;
	}
	l->list[l->cnt++] = *e;
	return 0;
}

void ended_done(struct ended_list *l)
{
	free(l->list);
	*l = (struct ended_list){ 0 };
}
