/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half of probation: what the keeper answered is taken from its journal, and what was
 * learned so is free at the next start. Logs. */
#pragma once

#include "base/cleanup.h"
#include "cli/daemon.h"

struct daemon_probation;

/* Borrows all. */
int daemon_probation_new(const struct daemon_options *o, struct store *store,
			 struct daemon_probation **ret);
void daemon_probation_free(struct daemon_probation *p);
CLEANUP_DEFINE(struct daemon_probation *, daemon_probation_free);

/* After each drain. */
void daemon_probation_interval(struct daemon_probation *p);
