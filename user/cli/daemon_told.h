/* SPDX-License-Identifier: Apache-2.0 */
/* What could not be recorded, in the daemon's log: a line for each kind, once a minute at most. */
#pragma once

#include <time.h>

#include "learn/observer.h"

struct daemon_told {
	struct tamis_loss lost; /* what was said of */
	uint64_t unattributed, missed;
	time_t at; /* when; 0: never */
};

/* What grew since it was told last, if that is a minute ago. `missed`: sensor_missed(). `now` 0: the last
 * chance, whenever it was. */
void daemon_told_tell(struct daemon_told *t, const struct observer_stats *stats, uint64_t missed,
		      time_t now);

/* Calls of a container's gate that no runtime that we know of makes: observer_options.gate_unknown. */
void daemon_told_gate(void *arg, const char *key, enum tamis_abi abi, const struct sysset *calls);
