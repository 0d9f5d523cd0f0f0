/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From trials to generations: what tamis-start and the daemon noted in STATE/trial becomes the state
 * of a generation, and what is applied follows. Also heals: an applied file that is missing or isn't
 * what the store says is written again.
 */
#pragma once

#include "apply/ways.h"
#include "learn/exits.h"

struct settle_options {
	struct store *store;
	const struct ways *ways;
	const char *mount; /* cgroup2 */
	/* One line each: "podman/web: generation 3 is good", "... failed: ...". */
	void (*say)(void *arg, bool bad, const char *key, const char *line);
	void *arg;
};

/* Looks at every open trial; a verdict is a transaction of its own. Negative errno: of the first
 * trial that has to wait for the next time. */
int settle_trials(const struct settle_options *o, int64_t now);
/* All applied files against the store; at the daemon's start. */
int settle_files(const struct settle_options *o);
/* Notes a start in the trial of its workload where nobody else would: pods under the kubelet's
 * directory. */
int settle_start(const struct settle_options *o, const struct observed_start *s);
/* Notes an exit in the trial of its workload, when it has one. */
int settle_exit(const struct settle_options *o, const struct observed_exit *e);
