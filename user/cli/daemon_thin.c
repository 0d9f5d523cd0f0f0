/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_thin.h"

#include <inttypes.h>

#include "base/log.h"

#define EVERY_S 3600

/* 1: there may be more. */
static int thin(const struct daemon_options *o, struct store *s, time_t now)
{
	struct store_prune what = {
		.fold_before = o->fold_s ? now - o->fold_s : 0,
		.gone_before = o->gone_s ? now - o->gone_s : 0,
	};
	struct store_pruned pruned = { 0 };
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = store_prune(s, &what, NULL, NULL, &pruned);
	if (r >= 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	else if (pruned.workloads || pruned.units)
		log_debug("%" PRIu64 " workloads dropped, %" PRIu64 " sampling units folded",
			  pruned.workloads, pruned.units);
	return r < 0 ? r : pruned.units > 0;
}

int daemon_thin(const struct daemon_options *o, struct store *s, time_t *last)
{
	time_t now = time(NULL);
	int r;

	if (now - *last < EVERY_S && now >= *last)
		return 0;
	r = thin(o, s, now);
	if (r <= 0) /* a store folds so much at a time: the next unit's end goes on */
		*last = now;
	return r;
}
