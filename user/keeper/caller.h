/* SPDX-License-Identifier: Apache-2.0 */
/* Who made a call, for the journal. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct caller {
	uint32_t pid;	  /* process of the thread */
	char *comm, *exe; /* hostile; NULL: not known */
};

/* Of a thread; what can't be read isn't known, and a thread that is gone is its own process. */
void caller_read(pid_t tid, struct caller *ret);
void caller_done(struct caller *c);
static inline void caller_donep(struct caller *c)
{
	caller_done(c);
}
#define _caller_ __attribute__((cleanup(caller_donep)))
