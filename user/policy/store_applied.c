/* SPDX-License-Identifier: Apache-2.0 */
/* What is applied to workloads. One in observe has no row. */
#include <errno.h>
#include <string.h>

#include "policy/generations.h"
#include "policy/store_internal.h"

static int has_generation(struct store *s, int64_t workload, uint32_t number)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_GENERATION_GET, &stmt, "ii", workload, (int64_t)number);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "no such generation");
	return r < 0 ? r : 0;
}

/* Of a column that once said no more than whether it is kept. */
enum new_image { NEW_OBSERVE, NEW_KEEP, NEW_PROBATION };

static enum new_image new_image_of(const struct store_applied *a)
{
	if (a->keep_new_image)
		return NEW_KEEP;
	return a->probe_new_image ? NEW_PROBATION : NEW_OBSERVE;
}

int store_applied_set(struct store *s, int64_t workload, const struct store_applied *a)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)a->mode >= MODE_MAX)
		return store_fail(s, -EINVAL, "a mode out of range");
	if ((unsigned)a->rule >= PROBATION_MAX)
		return store_fail(s, -EINVAL, "a rule out of range");
	if (a->mode == MODE_OBSERVE)
		return store_run(s, SQL_APPLIED_DEL, "i", workload);
	r = has_generation(s, workload, a->generation);
	if (r == 0 && a->good)
		r = has_generation(s, workload, a->good);
	return r < 0 ? r
		     : store_run(s, SQL_APPLIED_SET, "iiiiiiiii", workload, (int64_t)a->mode,
				 (int64_t)a->generation, (int64_t)a->good, (int64_t)a->replace,
				 (int64_t)a->unconfined, (int64_t)new_image_of(a), a->since,
				 (int64_t)a->rule);
}

static int read_applied(struct store *s, sqlite3_stmt *stmt, struct store_applied *ret)
{
	int64_t mode = 0, generation = 0, good = 0, new_image = 0, rule = 0;
	int r = store_column_upto(s, stmt, 0, MODE_MAX - 1, &mode);

	if (r == 0)
		r = store_column_upto(s, stmt, 1, UINT32_MAX, &generation);
	if (r == 0)
		r = store_column_upto(s, stmt, 2, UINT32_MAX, &good);
	if (r == 0)
		r = store_column_upto(s, stmt, 5, NEW_PROBATION, &new_image);
	if (r == 0)
		r = store_column_upto(s, stmt, 7, PROBATION_MAX - 1, &rule);
	if (r < 0)
		return r;
	*ret = (struct store_applied){
		.mode = (enum policy_mode)mode,
		.generation = (uint32_t)generation,
		.good = (uint32_t)good,
		.replace = sqlite3_column_int(stmt, 3) != 0,
		.unconfined = sqlite3_column_int(stmt, 4) != 0,
		.keep_new_image = new_image == NEW_KEEP,
		.probe_new_image = new_image == NEW_PROBATION,
		.rule = (enum probation_rule)rule,
		.since = sqlite3_column_int64(stmt, 6),
	};
	return 0;
}

int store_applied_get(struct store *s, int64_t workload, struct store_applied *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_APPLIED_GET, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		return read_applied(s, stmt, ret);
	if (r == 0)
		*ret = (struct store_applied){ .mode = MODE_OBSERVE };
	return r;
}

int store_applied_list(struct store *s, int64_t **ret_workloads, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	_free_ int64_t *ids = NULL;
	size_t cnt = 0, room = 0;
	int r = store_query(s, SQL_APPLIED_ALL, &stmt, "");

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		if (cnt == room) {
			int64_t *more = reallocarray(ids, room = room * 2 + 16, sizeof(*ids));

			if (!more)
				return -ENOMEM;
			ids = more;
		}
		ids[cnt++] = sqlite3_column_int64(stmt, 0);
		r = 0;
	}
	if (r < 0)
		return r;
	*ret_workloads = TAKE_PTR(ids);
	*ret_cnt = cnt;
	return 0;
}
