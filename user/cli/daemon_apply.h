/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half of applying: trials settled, rules followed, shadows told of. Logs. */
#pragma once

#include "base/cleanup.h"
#include "cli/daemon.h"
#include "learn/exits.h"

struct daemon_apply;

/* Borrows all. -ENOMEM. */
int daemon_apply_new(const struct daemon_options *o, struct store *store, const char *mount,
		     struct daemon_apply **ret);
void daemon_apply_free(struct daemon_apply *a);
CLEANUP_DEFINE(struct daemon_apply *, daemon_apply_free);

/* Writes again what is applied and isn't in place; settles what was tried meanwhile. */
void daemon_apply_begin(struct daemon_apply *a);
void daemon_apply_started(struct daemon_apply *a, const struct observed_start *s);
void daemon_apply_exited(struct daemon_apply *a, const struct observed_exit *e);
/* After each drain, and after each sampling unit. */
void daemon_apply_interval(struct daemon_apply *a);
void daemon_apply_unit(struct daemon_apply *a);
