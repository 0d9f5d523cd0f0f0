/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs under what: each running container and unit that is watched, with the mode and the
 * generation that it was really started under (apply/started.h; for units, what was applied when
 * their start was seen).
 */
#pragma once

#include "apply/started.h"
#include "learn/exits.h"

struct under;

struct under_row {
	const char *key, *container;
	enum policy_mode mode; /* MODE_OBSERVE: the engine's own profile */
	uint32_t generation;
	int64_t began_ms; /* CLOCK_BOOTTIME; a moment that it was seen running at, if not known */
};

int under_new(const char *state, struct under **ret);
void under_free(struct under *u);

/* A start that the observer told of, and an end of a container's first process. Units' generation is
 * asked of the store. */
int under_started(struct under *u, struct store *s, const struct observed_start *e);
void under_ended(struct under *u, const struct observed_exit *e);
/* All that runs now, from the store's running instances: at the daemon's start, and once a unit. */
int under_look(struct under *u, struct store *s);
/* -ENOENT: nothing is known of it. */
int under_find(struct under *u, const char *key, const char *container, struct under_row *ret);
/* Whether something runs, and all of it in probation or enforce. */
bool under_all_filtered(const struct under *u);
/* The workload's key of each that runs and isn't; fn's first non-zero value ends it and is returned. */
int under_each_free(const struct under *u, int (*fn)(const char *key, void *arg), void *arg);
