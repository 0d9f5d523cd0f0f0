/* SPDX-License-Identifier: Apache-2.0 */
/* Who made a call first: what the ring brought, bounded. Dropping some loses no call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define ORIGIN_EXE_MAX (TAMIS_TEXT_CALL + 2)

struct origin {
	struct tamis_key key;
	uint32_t nr;
	uint32_t pid;
	unsigned waited; /* drains that knew nothing of its cgroup yet */
	char comm[TAMIS_COMM + 1];
	char exe[ORIGIN_EXE_MAX]; /* path inside its mount, "" when not known */
};

struct origins {
	struct origin *list;
	size_t cnt, room;
};

/* Reads a TAMIS_EV_CALL. -EINVAL for one that makes no sense. */
int origin_read(const struct tamis_event *e, const char *text, struct origin *ret);
/* Adds a copy. -ENOSPC when 65,536 wait already. */
int origins_add(struct origins *o, const struct origin *new);
/* Gives back what a burst took, once the list is empty. */
void origins_shrink(struct origins *o);
void origins_done(struct origins *o);

/* "redis-server/bin/usr/", as the kernel half walks it, to "/usr/bin/redis-server". */
void origin_exe(const char *reversed, char ret[ORIGIN_EXE_MAX]);
