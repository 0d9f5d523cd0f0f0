/* SPDX-License-Identifier: Apache-2.0 */
/* How a process ended, as the kernel told it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct ended {
	uint64_t cgroup;
	bool entrypoint;
	int status;	 /* as wait(2) has it */
	unsigned waited; /* drains that knew nothing of its cgroup yet */
	int64_t at_ms;	 /* CLOCK_BOOTTIME */
	char comm[TAMIS_COMM + 1];
	uint32_t pid;
	enum tamis_abi abi; /* of the call that SIGSYS was for, */
	uint32_t nr;	    /* TAMIS_CALLS: not known */
};

struct ended_list {
	struct ended *list;
	size_t cnt, room;
};

/* Reads a TAMIS_EV_EXIT. -EINVAL for one that makes no sense. */
int ended_read(const struct tamis_event *e, struct ended *ret);
/* Adds a copy. -ENOSPC when 65,536 wait already. */
int ended_add(struct ended_list *l, const struct ended *e);
void ended_done(struct ended_list *l);
