/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says about oracles:
 *
 *	[oracle podman/web*]
 *	hardened = localhost/web-asan            an image, or a command
 *	production = container:web               default: what the workload's key says
 *	window = 15s
 *	replay = /usr/local/bin/replay           default: none
 *	bootstrap = yes|no                       default: no
 *	per-hour = 60
 *	[oracle]
 *	trace = FILE                             for tests
 */
#pragma once

#include "learn/oracle.h"

struct oracle_rule {
	char *pattern;			      /* fnmatch(3) on the key, without FNM_PATHNAME */
	char *hardened, *production, *replay; /* NULL: not said */
	bool bootstrap;
	uint32_t window_s, per_hour;
};

#define ORACLE_RULES_MAX    64
#define ORACLE_PER_HOUR_MAX 3600
#define ORACLE_WINDOW_MAX_S 3600

struct oracle_config {
	struct oracle_rule *rule;
	size_t cnt;
	char *trace;
};

/* One line of such a section; 1: it is none of ours. Errors as in cli/apply_config.h. */
int oracle_config_line(struct oracle_config *c, const char *section, const char *key,
		       const char *value);
void oracle_config_done(struct oracle_config *c);
/* The first that matches, if it says which twin; NULL: none. Twins have none. */
const struct oracle_rule *oracle_config_find(const struct oracle_config *c, const char *key);

/* "15s": 1 s to an hour. "60": at least one, at most ORACLE_PER_HOUR_MAX. -EINVAL. */
int oracle_config_window(const char *value, uint32_t *ret);
int oracle_config_per_hour(const char *value, uint32_t *ret);
