/* SPDX-License-Identifier: Apache-2.0 */
/* How complete each workload is, as it was computed last. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "policy/mines.h"
#include "policy/store_internal.h"

static bool is_share(double d)
{
	return d >= 0 && d <= 1;
}

/* Comparisons with what is no number are false. */
static bool in_range(const struct store_coverage *c)
{
	return is_share(c->coverage) && is_share(c->low) && is_share(c->high) &&
	       isfinite(c->next_hour);
}

int store_coverage_set(struct store *s, int64_t workload, const struct store_coverage *c)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (!in_range(c))
		return store_fail(s, -EINVAL, "a coverage out of range");
	return store_run(s, SQL_COVERAGE_SET, "iiiidddd", workload, c->at, (int64_t)c->units,
			 (int64_t)c->is_known, c->coverage, c->low, c->high, c->next_hour);
}

int store_coverage_get(struct store *s, int64_t workload, struct store_coverage *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct store_coverage c;
	int64_t units = 0;
	int r = store_query(s, SQL_COVERAGE_GET, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "nothing was estimated yet");
	if (r > 0)
		r = store_column_upto(s, stmt, 1, UINT32_MAX, &units);
	if (r < 0)
		return r;
	c = (struct store_coverage){
		.at = sqlite3_column_int64(stmt, 0),
		.units = (uint32_t)units,
		.is_known = sqlite3_column_int(stmt, 2) != 0,
		.coverage = sqlite3_column_double(stmt, 3),
		.low = sqlite3_column_double(stmt, 4),
		.high = sqlite3_column_double(stmt, 5),
		.next_hour = sqlite3_column_double(stmt, 6),
	};
	if (!in_range(&c))
		return store_fail(s, -EUCLEAN, "a coverage is out of range");
	*ret = c;
	return 0;
}
