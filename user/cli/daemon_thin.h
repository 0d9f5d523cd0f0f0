/* SPDX-License-Identifier: Apache-2.0 */
/* What the store needs no more, once an hour. */
#pragma once

#include <time.h>

#include "cli/daemon.h"
#include "policy/store.h"

/* Folds old sampling units and drops what is long gone, as the configuration says. `last` begins as 0;
 * a store that has more to fold is asked again with the next call. Negative errno: rolled back. */
int daemon_thin(const struct daemon_options *o, struct store *s, time_t *last);
