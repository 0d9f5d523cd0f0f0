/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workloads in probation go on learning: what the keeper let pass is to be free at the next start. So
 * when more was learned, a generation of it is made and applied in the same mode, at most once in
 * PROBATION_EVERY_S for a workload.
 */
#pragma once

#include "apply/ways.h"

#define PROBATION_EVERY_S 10

struct probation_options {
	struct store *store;
	const struct ways *ways;
	int64_t every_s; /* 0: PROBATION_EVERY_S */
	void (*say)(void *arg, const char *key, const char *line);
	void *arg;
};
struct probation;
int probation_new(const struct probation_options *o, struct probation **ret);
void probation_free(struct probation *p);
/* After the journal was taken. Negative errno: of the first workload that has to wait. */
int probation_follow(struct probation *p, int64_t now);

/* Rules of the configuration: [probation PATTERN] rule = learn|ask|deny, the first that matches. */
struct probation_rules {
	struct probation_pattern {
		char *pattern;
		enum probation_rule rule;
	} * list;
	size_t cnt;
};
enum probation_rule probation_rule_of(const struct probation_rules *r, const char *key);
