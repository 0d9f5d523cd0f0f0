/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of calls as they are drained, and who made each call first. Each step leaves alone what
 * would not change: a drain that brings nothing new must not touch the disk. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

/* The set in the first row, or the empty one. 1 when there was a row. */
static int take_set(struct store *s, sqlite3_stmt *stmt, struct sysset *ret)
{
	int r = store_step(s, stmt);

	memset(ret, 0, sizeof(*ret));
	if (r <= 0)
		return r;
	r = store_column_set(s, stmt, 0, ret);
	return r < 0 ? r : 1;
}

/* --- of the workload --------------------------------------------------------------------- */

static int get_learned(struct store *s, const struct store_place *p, struct sysset *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_LEARNED_GET, &stmt, "iii", p->workload, (int64_t)p->stage,
			    (int64_t)p->abi);

	return r < 0 ? r : take_set(s, stmt, ret);
}

static int add_calls(struct store *s, const struct store_place *p, const struct sysset *fresh)
{
	int r = 0;

	for (int nr = sysset_next(fresh, 0); r == 0 && nr >= 0;
	     nr = sysset_next(fresh, (unsigned)nr + 1))
		r = store_run(s, SQL_CALL_ADD, "iiiii", p->workload, (int64_t)p->stage,
			      (int64_t)p->abi, (int64_t)nr, p->time);
	return r;
}

int store_know(struct store *s, const struct store_place *p, const struct sysset *calls)
{
	struct sysset known, fresh = *calls;
	int r = get_learned(s, p, &known);

	/* What units say is kept in `call` too: units are folded one day. */
	if (r >= 0 && p->late)
		r = store_run(s, SQL_CALL_LOWER, "iiibi", p->workload, (int64_t)p->stage,
			      (int64_t)p->abi, calls, p->time);
	if (r < 0)
		return r;
	sysset_remove(&fresh, &known);
	if (sysset_is_empty(&fresh))
		return 0;
	sysset_merge(&known, calls);
	r = store_run(s, SQL_LEARNED_SET, "iiib", p->workload, (int64_t)p->stage, (int64_t)p->abi,
		      &known);
	return r < 0 ? r : add_calls(s, p, &fresh);
}

/* --- of a unit --------------------------------------------------------------------------- */

static int unit_has_workload(struct store *s, const struct store_place *p)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_UNIT_HAS_WORKLOAD, &stmt, "ii", p->workload, p->unit);

	return r < 0 ? r : store_step(s, stmt);
}

/* Counts the unit for the workload, unless another set of it was there first. */
static int count_unit(struct store *s, const struct store_place *p, int64_t last_unit)
{
	int r = 0;

	if (p->unit == last_unit)
		return 0;
	if (p->unit < last_unit)
		r = unit_has_workload(s, p);
	if (r != 0)
		return r < 0 ? r : 0;
	return store_run(s, SQL_WORKLOAD_UNIT, "ii", p->workload, p->unit);
}

static int get_observation(struct store *s, const struct store_place *p, struct sysset *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_OBSERVATION_GET, &stmt, "iiii", p->unit, p->instance,
			    (int64_t)p->stage, (int64_t)p->abi);

	return r < 0 ? r : take_set(s, stmt, ret);
}

/* Fills in the workload and the time; *ret_last_unit is the workload's. */
static int find_place(struct store *s, struct store_place *p, int64_t *ret_last_unit)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_IN_UNIT, &stmt, "ii", p->instance, p->unit);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -EINVAL, "calls of an unknown instance or unit");
	if (r < 0)
		return r;
	p->workload = sqlite3_column_int64(stmt, 0);
	*ret_last_unit = sqlite3_column_int64(stmt, 1);
	p->time = sqlite3_column_int64(stmt, 2);
	p->late = p->unit <= *ret_last_unit;
	return 0;
}

static int observe(struct store *s, struct store_place *p, const struct sysset *calls, bool is_new,
		   int64_t now)
{
	int64_t last_unit = 0;
	int r = find_place(s, p, &last_unit);

	/* Counting looks at the rows of the unit: before there is one more. */
	if (r == 0 && is_new)
		r = count_unit(s, p, last_unit);
	if (r == 0)
		r = store_run(s, SQL_OBSERVATION_SET, "iiiib", p->unit, p->instance,
			      (int64_t)p->stage, (int64_t)p->abi, calls);
	if (r == 0)
		r = store_run(s, SQL_INSTANCE_SEEN, "iii", p->instance, now, p->unit);
	return r < 0 ? r : store_know(s, p, calls);
}

/* Takes out what was forgotten in unit `since` or later. */
static int remove_forgotten(struct store *s, const struct store_place *p, int64_t since,
			    struct sysset *from)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct sysset forgotten;
	int r = store_query(s, SQL_FORGOTTEN_GET, &stmt, "iiii", p->instance, (int64_t)p->stage,
			    (int64_t)p->abi, since);

	if (r < 0)
		return r;
	while ((r = take_set(s, stmt, &forgotten)) > 0)
		sysset_remove(from, &forgotten);
	return r;
}

/* `since`: the unit they were made in, or 0 when nobody knows. */
static int merge_calls(struct store *s, struct store_place *p, int64_t since,
		       const struct sysset *calls, int64_t now)
{
	struct sysset all, fresh = *calls;
	bool is_new;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)p->stage >= TAMIS_STAGE_MAX || (unsigned)p->abi >= TAMIS_ABI_MAX)
		return store_fail(s, -EINVAL, "calls of an unknown stage or ABI");
	r = get_observation(s, p, &all);
	if (r < 0)
		return r;
	is_new = r == 0;
	sysset_remove(&fresh, &all);
	if (sysset_is_empty(&fresh))
		return 0;
	r = remove_forgotten(s, p, since, &fresh);
	if (r < 0 || sysset_is_empty(&fresh))
		return r;
	sysset_merge(&all, &fresh);
	return observe(s, p, &all, is_new, now);
}

int store_calls(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		enum tamis_abi abi, const struct sysset *calls, int64_t now)
{
	struct store_place p = { .instance = instance, .unit = unit, .stage = stage, .abi = abi };

	return merge_calls(s, &p, unit, calls, now);
}

int store_calls_before(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		       enum tamis_abi abi, const struct sysset *calls, int64_t now)
{
	struct store_place p = { .instance = instance, .unit = unit, .stage = stage, .abi = abi };

	return merge_calls(s, &p, 0, calls, now);
}

int store_origin(struct store *s, int64_t instance, const struct policy_origin *o)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)o->stage >= TAMIS_STAGE_MAX || (unsigned)o->abi >= TAMIS_ABI_MAX ||
	    o->nr >= TAMIS_CALLS)
		return store_fail(s, -EINVAL, "an origin of an unknown call");
	return store_run(s, SQL_CALL_ORIGIN, "iiiiiiss", instance, (int64_t)o->stage,
			 (int64_t)o->abi, (int64_t)o->nr, o->first, (int64_t)o->pid, o->comm,
			 o->exe);
}

int store_unit_begin(struct store *s, int64_t now, const char *label, int64_t *ret_id)
{
	int r = store_need_transaction(s);

	if (r == 0)
		r = store_drop_forgotten(s);
	if (r == 0)
		r = store_run(s, SQL_UNIT_ADD, "is", now, label);
	if (r < 0)
		return r;
	*ret_id = sqlite3_last_insert_rowid(s->db);
	/* pages that the unit's bursts left in the cache */
	(void)sqlite3_db_release_memory(s->db);
	return 0;
}
