/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How complete what was learned of a workload is, over time, replicas and restarts: estimated from its
 * sampling units (model/unseen.h) and kept in the store, so that `tamis list` and rules need no more
 * than a row. What an epoch is to the estimate, and why, is said at the function.
 */
#pragma once

#include "policy/mines.h"

struct coverage;

/* The daemon's: which workloads are due. */
int coverage_new(struct coverage **ret);
void coverage_free(struct coverage *c);
CLEANUP_DEFINE(struct coverage *, coverage_free);

/* Computes and stores those that changed since, or have grown by many units; at most `budget_ms` of
 * processor time, and five times that in all, a call (and one workload more), going on with the next one at
 * the next call; looks for what changed no more than every ten minutes. In transactions of its own. */
int coverage_update(struct coverage *c, struct store *s, int64_t now, unsigned budget_ms);

/* One workload, now. Writes nothing. */
int coverage_of(struct store *s, int64_t workload, struct store_coverage *ret);
/* The same with all that it is made of: its calls, and those that the next hour will bring. */
int coverage_estimate(struct store *s, int64_t workload, struct unseen *ret,
		      struct unseen_next *ret_hour);
