/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half of watching over what is enforced: what runs under what, what was refused, and
 * whether the syscall program may rest. Logs. */
#pragma once

#include "base/cleanup.h"
#include "cli/daemon.h"
#include "learn/denied.h"
#include "learn/observer.h"
#include "learn/under.h"

struct daemon_under;

struct daemon_under_options {
	const struct daemon_options *daemon;
	struct store *store;
	/* Of a call that was refused, each time its count rises. */
	void (*denied)(void *arg, const char *key, const struct store_denial *d);
	void *arg;
};

/* Borrows all. The sensor and the observer come later: what they tell first is told to this. */
int daemon_under_new(const struct daemon_under_options *o, struct daemon_under **ret);
int daemon_under_attach(struct daemon_under *u, struct sensor *sensor, struct observer *observer);
/* Before the observer and the sensor go: the syscall program is awake again. */
void daemon_under_free(struct daemon_under *u);
CLEANUP_DEFINE(struct daemon_under *, daemon_under_free);

struct under *daemon_under_rows(struct daemon_under *u);

/* Denials are watched while the configuration says so, or somebody needs them. */
void daemon_under_need_denials(struct daemon_under *u, bool needed);

/* What the observer tells. `made` and `executed` from its own thread; `stored`: refused calls are read
 * then. */
void daemon_under_made(struct daemon_under *u);
void daemon_under_executed(struct daemon_under *u);
void daemon_under_news(struct daemon_under *u);
void daemon_under_stored(struct daemon_under *u);
bool daemon_under_filtered(const struct daemon_under *u, const char *key, const char *container);
void daemon_under_started(struct daemon_under *u, const struct observed_start *s);
void daemon_under_exited(struct daemon_under *u, const struct observed_exit *e);
/* After each drain, and after each sampling unit. */
void daemon_under_interval(struct daemon_under *u);
void daemon_under_unit(struct daemon_under *u);
