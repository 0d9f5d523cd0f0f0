/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX 65536 /* waiting for a drain: 16 MiB at most */

void origin_exe(const char *reversed, char ret[ORIGIN_EXE_MAX])
{
	size_t end = strnlen(reversed, ORIGIN_EXE_MAX - 2), at = 0;

	while (end > 0) {
		size_t start = reversed[end - 1] == '/' ? --end : end;

		while (start > 0 && reversed[start - 1] != '/')
			start--;
		ret[at++] = '/';
		memcpy(ret + at, reversed + start, end - start);
		at += end - start;
		end = start;
	}
	ret[at] = '\0';
}

static struct origin *origin_new(struct origins *o)
{
	size_t room = o->room ? o->room * 2 : 256;
	struct origin *grown;

	if (o->cnt < o->room)
		return &o->list[o->cnt++];
	grown = room <= ORIGINS_MAX ? reallocarray(o->list, room, sizeof(*grown)) : NULL;
	if (!grown)
		return NULL;
	o->list = grown;
	o->room = room;
	return &o->list[o->cnt++];
}

int origins_add(struct origins *o, const struct tamis_event *e, const char *text)
{
	struct origin *new;

	if (e->abi >= TAMIS_ABI_MAX || e->stage >= TAMIS_STAGE_MAX || e->nr >= TAMIS_CALLS)
		return -EINVAL;
	new = origin_new(o);
	if (!new)
		return -ENOSPC;
	memset(new, 0, sizeof(*new));
	new->key = (struct tamis_key){ e->cgroup, e->abi, e->stage };
	new->nr = e->nr;
	new->pid = e->pid;
	memcpy(new->comm, e->comm, TAMIS_COMM);
	origin_exe(text, new->exe);
	return 0;
}

void origins_done(struct origins *o)
{
	free(o->list);
	*o = (struct origins){ 0 };
}
