/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule speaks for a workload, and what it waits for. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

#include "learn/auto.h"

const struct auto_rule *auto_find(const struct auto_rules *r, const char *key)
{
	for (size_t i = 0; i < r->cnt; i++) {
		if (fnmatch(r->rule[i].pattern, key, 0) == 0)
			return &r->rule[i];
	}
	return NULL;
}

/* What no time heals. */
static const char *never(const struct auto_rule *r, const struct store_row *row)
{
	if (r->mode == MODE_OBSERVE)
		return "opted out by a rule";
	if (row->opted_out)
		return "opted out by a label of its container";
	if (row->why_not)
		return row->why_not;
	if (r->mode == MODE_PROBATION)
		return NULL;
	if (evidence_is_partial(&row->evidence))
		return "partial";
	return row->calls ? NULL : "no calls learned";
}

/* In seconds, without what was slept. A clock that was set back makes nothing due: negative. */
static int64_t watched(const struct auto_when *when, int64_t since)
{
	int64_t slept_ms = when->naps ? naps_slept(when->naps, since, when->now) : 0;

	return when->now - since - (slept_ms + 999) / 1000;
}

bool auto_is_quiet(const struct auto_rule *r, const struct store_row *row,
		   const struct auto_when *when, char *ret_why, size_t room)
{
	int64_t all = watched(when, row->evidence.since), quiet = watched(when, when->last_new);

	if (all < r->observe_s)
		snprintf(ret_why, room, "observed for %" PRId64 " s of %" PRId64, all,
			 r->observe_s);
	else if (quiet < r->quiet_s)
		snprintf(ret_why, room,
			 "a new call %" PRId64 " s ago, quiet for %" PRId64 " wanted", quiet,
			 r->quiet_s);
	else
		return true;
	return false;
}

bool auto_is_due(const struct auto_rule *r, const struct store_row *row,
		 const struct auto_when *when, char *ret_why, size_t room)
{
	const struct evidence *e = &row->evidence;
	const char *why = never(r, row);

	if (why)
		snprintf(ret_why, room, "%s", why);
	else if (e->starts < r->starts)
		snprintf(ret_why, room, "%" PRIu64 " of %" PRIu64 " starts seen", e->starts,
			 r->starts);
	else
		return auto_is_quiet(r, row, when, ret_why, room);
	return false;
}

bool auto_is_covered(const struct auto_rule *r, const struct store_coverage *c, char *ret_why,
		     size_t room)
{
	char percent[UNSEEN_PERCENT_MAX];

	if (r->coverage == 0)
		return true;
	if (!c || !c->is_known)
		snprintf(ret_why, room, "how much of it is known can't be said yet");
	else if (c->low * 100 < r->coverage)
		snprintf(ret_why, room, "coverage is %s %% at the least, %u wanted",
			 unseen_percent(c->low, percent), r->coverage);
	else
		return true;
	return false;
}
