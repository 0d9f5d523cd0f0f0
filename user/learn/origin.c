/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX  65536 /* waiting for a drain: 16 MiB at most */
#define ORIGINS_KEPT 1024  /* room that an empty list keeps */

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

int origin_read(const struct tamis_event *e, const char *text, struct origin *ret)
{
	if (e->abi >= TAMIS_ABI_MAX || e->stage >= TAMIS_STAGE_MAX || e->nr >= TAMIS_CALLS)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->key = (struct tamis_key){ e->cgroup, e->abi, e->stage };
	ret->nr = e->nr;
	ret->pid = e->pid;
	memcpy(ret->comm, e->comm, TAMIS_COMM);
	origin_exe(text, ret->exe);
	return 0;
}

int origins_add(struct origins *o, const struct origin *new)
{
	struct origin *room = origin_new(o);

	if (!room)
		return -ENOSPC;
	*room = *new;
	return 0;
}

void origins_shrink(struct origins *o)
{
	if (o->cnt == 0 && o->room > ORIGINS_KEPT)
		origins_done(o);
}

void origins_done(struct origins *o)
{
	free(o->list);
	*o = (struct origins){ 0 };
}
