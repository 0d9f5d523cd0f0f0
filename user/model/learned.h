/* SPDX-License-Identifier: Apache-2.0 */
/* What was learned of one workload: its calls by stage and ABI, and how far that can be
 * trusted. A plain value: no pointers owned, safe to copy. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/sysset.h"

struct learned {
	struct sysset set[TAMIS_STAGE_MAX][TAMIS_ABI_MAX];
};

/* How a workload was observed. Times are seconds since the epoch (UTC), 0 = never. */
struct evidence {
	uint64_t starts;     /* entrypoint execs seen */
	int64_t since;	     /* observed since */
	int64_t last;	     /* last drain that brought something */
	uint64_t units;	     /* sampling units with at least one call */
	uint64_t lost_range; /* numbers out of range: not representable */
	uint64_t lost_full;  /* calls dropped: kernel map full */
	uint64_t lost_ring;  /* provenance events dropped */
	uint64_t lost_task;  /* tasks whose stage could not be kept */
	uint64_t lost_gaps;  /* intervals in which nobody observed it while it may have run */
	uint64_t leaves; /* processes that left for another cgroup: a filter would follow them */
};

/* Partial: no entrypoint's exec was seen, or a loss that may have hidden a call was counted
 * (full, gaps). Can't be enforced without --force. */
bool evidence_is_partial(const struct evidence *e);
