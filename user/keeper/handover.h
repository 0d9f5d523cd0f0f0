/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime calls while it hands a filter's descriptor over is its own, and no rule is for it. runc
 * calls nothing that its gate lacks (policies/runtime/). crun has a helper send the descriptor, and waits for
 * it under the filter already: wait4, kill, munmap. Refused the first one, it gives the start up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/abi.h"

#define HANDOVER_MAX 8 /* runtimes */

struct handover {
	int64_t looked; /* ms */
	size_t cnt;
	struct {
		dev_t dev;
		ino_t ino;
	} runtime[HANDOVER_MAX];
};

/* A binary that is such a runtime; what isn't there is left out. */
void handover_add(struct handover *h, const char *path);
/* One of these calls, and the thread's program is such a runtime of this host: by the file itself, as a
 * name is anybody's. Looks for them anew where that was over HANDOVER_MS ago. */
#define HANDOVER_MS 10000
bool handover_is(struct handover *h, int64_t now, enum tamis_abi abi, uint32_t nr, pid_t tid);
