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

/* A clock that was set back makes nothing due. */
static bool is_past(int64_t since, int64_t now, int64_t wanted)
{
	return since <= now && now - since >= wanted;
}

bool auto_is_due(const struct auto_rule *r, const struct store_row *row, int64_t last_new,
		 int64_t now, char *ret_why, size_t room)
{
	const struct evidence *e = &row->evidence;
	const char *why = never(r, row);

	if (why)
		snprintf(ret_why, room, "%s", why);
	else if (!is_past(e->since, now, r->observe_s))
		snprintf(ret_why, room, "observed for %" PRId64 " s of %" PRId64, now - e->since,
			 r->observe_s);
	else if (e->starts < r->starts)
		snprintf(ret_why, room, "%" PRIu64 " of %" PRIu64 " starts seen", e->starts,
			 r->starts);
	else if (!is_past(last_new, now, r->quiet_s))
		snprintf(ret_why, room,
			 "a new call %" PRId64 " s ago, quiet for %" PRId64 " wanted",
			 now - last_new, r->quiet_s);
	else
		return true;
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
