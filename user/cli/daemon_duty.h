/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half of the duty cycle (learn/duty.h): whether what runs is known well enough, and what
 * was slept, into the store. Logs what changes. */
#pragma once

#include "base/cleanup.h"
#include "cli/daemon.h"
#include "learn/rest.h"
#include "policy/store.h"

struct daemon_duty;

/* Borrows all. */
int daemon_duty_new(const struct daemon_options *o, struct store *store, const struct under *under,
		    struct rest *rest, struct daemon_duty **ret);
void daemon_duty_free(struct daemon_duty *d);
CLEANUP_DEFINE(struct daemon_duty *, daemon_duty_free);

/* Something was new in what runs, or began to. */
void daemon_duty_news(struct daemon_duty *d, bool started);
/* Before and after each look at whether the syscall program may rest (rest_look). */
int daemon_duty_before(struct daemon_duty *d);
int daemon_duty_after(struct daemon_duty *d, int64_t now_ms);
/* With each sampling unit, and at the end: what was slept so far is stored. */
int daemon_duty_unit(struct daemon_duty *d, int64_t now_ms);
