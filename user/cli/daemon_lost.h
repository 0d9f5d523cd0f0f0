/* SPDX-License-Identifier: Apache-2.0 */
/* Refused calls that the kernel's map had no room for: said in the log, and kept for `tamis denials`. */
#pragma once

#include <time.h>

#include "policy/store.h"

struct daemon_lost {
	uint64_t told;
	time_t at;
	bool is_known; /* what a daemon before this one told */
};

/* `lost`: how many there are since the sensor's maps were made. Told when it grew, once a minute at
 * most. Negative errno: the store's. Logs. */
int daemon_lost_tell(struct daemon_lost *l, struct store *s, uint64_t lost, time_t now);
/* As of the last daemon. */
int daemon_lost_get(struct store *s, uint64_t *ret);
