/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half of oracles: the loops, and the configuration's rules. Logs. */
#pragma once

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "cli/daemon.h"
#include "learn/exits.h"
#include "policy/oracles.h"

struct daemon_oracle;

/* Borrows all. */
int daemon_oracle_new(const struct daemon_options *o, struct store *store,
		      struct daemon_oracle **ret);
void daemon_oracle_free(struct daemon_oracle *d);
CLEANUP_DEFINE(struct daemon_oracle *, daemon_oracle_free);

/* A timer of its own, for what happens between drains. */
int daemon_oracle_attach(struct daemon_oracle *d, sd_event *event);

/* Whether denials are to be watched: asked after each of the following. */
bool daemon_oracle_needs_denials(const struct daemon_oracle *d);
/* Of learn/denied.h. */
void daemon_oracle_denied(struct daemon_oracle *d, const char *key,
			  const struct store_denial *denial);
/* Of the observer: `began_ms` as of learn/under.h; ends of what was under a filter of ours. */
void daemon_oracle_started(struct daemon_oracle *d, const struct observed_start *s);
void daemon_oracle_ended(struct daemon_oracle *d, const struct observed_exit *e, int64_t began_ms);
/* After each drain; `drained`: all is in the store. */
void daemon_oracle_interval(struct daemon_oracle *d, bool drained);
/* At the beginning, and after each sampling unit: rules. */
void daemon_oracle_unit(struct daemon_oracle *d);
/* The daemon stops: production comes back where a loop is under way, within half a minute. */
void daemon_oracle_end(struct daemon_oracle *d);
