/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon writes. Each step leaves alone what would not change: a drain that brings
 * nothing new must not touch the disk. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

/* Several tables change together, so there must be somebody to commit them together. */
static int need_transaction(struct store *s)
{
	if (s->mode == STORE_WRITE && !sqlite3_get_autocommit(s->db))
		return 0;
	return store_fail(s, -EINVAL, "written to outside of a transaction");
}

static int64_t as_int(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* --- workloads --------------------------------------------------------------------------- */

/* 1: *ret_id is there, *ret_same says whether w says anything new; 0: no such workload. */
static int get_workload(struct store *s, const struct store_workload *w, int64_t *ret_id,
			bool *ret_same)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_GET, &stmt, "sssss", w->key, w->engine, w->name,
			    w->image, w->image_digest);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0) {
		*ret_id = sqlite3_column_int64(stmt, 0);
		*ret_same = sqlite3_column_int(stmt, 1) != 0;
	}
	return r;
}

int store_workload(struct store *s, const struct store_workload *w, int64_t now, int64_t *ret_id)
{
	int64_t id = 0;
	bool same = false;
	int r = need_transaction(s);

	if (r < 0)
		return r;
	if (!w->key[0] || strlen(w->key) > STORE_TEXT_MAX)
		return store_fail(s, -ENAMETOOLONG, "a workload's key is empty or too long");
	r = get_workload(s, w, &id, &same);
	if (r == 0) {
		r = store_run(s, SQL_WORKLOAD_ADD, "sssssi", w->key, w->engine, w->name, w->image,
			      w->image_digest, now);
		id = sqlite3_last_insert_rowid(s->db);
	} else if (r > 0 && !same) {
		r = store_run(s, SQL_WORKLOAD_SET, "issss", id, w->engine, w->name, w->image,
			      w->image_digest);
	}
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}

/* --- sets -------------------------------------------------------------------------------- */

/* A set and where it belongs. */
struct place {
	int64_t instance;
	int64_t workload;
	int64_t unit;
	int64_t time; /* when its calls were made, true to the unit */
	enum tamis_stage stage;
	enum tamis_abi abi;
};

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

static int get_learned(struct store *s, const struct place *p, struct sysset *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_LEARNED_GET, &stmt, "iii", p->workload, (int64_t)p->stage,
			    (int64_t)p->abi);

	return r < 0 ? r : take_set(s, stmt, ret);
}

/* Merges calls into what the workload is known to do, with a row for each new one. */
static int learn(struct store *s, const struct place *p, const struct sysset *calls)
{
	struct sysset known, fresh = *calls;
	int r = get_learned(s, p, &known);

	if (r < 0)
		return r;
	sysset_remove(&fresh, &known);
	if (sysset_is_empty(&fresh))
		return 0;
	sysset_merge(&known, calls);
	r = store_run(s, SQL_LEARNED_SET, "iiib", p->workload, (int64_t)p->stage, (int64_t)p->abi,
		      &known);
	for (int nr = sysset_next(&fresh, 0); r == 0 && nr >= 0;
	     nr = sysset_next(&fresh, (unsigned)nr + 1))
		r = store_run(s, SQL_CALL_ADD, "iiiii", p->workload, (int64_t)p->stage,
			      (int64_t)p->abi, (int64_t)nr, p->time);
	return r;
}

static int unit_has_workload(struct store *s, const struct place *p)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_UNIT_HAS_WORKLOAD, &stmt, "ii", p->workload, p->unit);

	return r < 0 ? r : store_step(s, stmt);
}

/* Counts the unit for the workload, unless another set of it was there first. */
static int count_unit(struct store *s, const struct place *p, int64_t last_unit)
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

static int get_observation(struct store *s, const struct place *p, struct sysset *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_OBSERVATION_GET, &stmt, "iiii", p->unit, p->instance,
			    (int64_t)p->stage, (int64_t)p->abi);

	return r < 0 ? r : take_set(s, stmt, ret);
}

/* Fills in the workload and the time; *ret_last_unit is the workload's. */
static int find_place(struct store *s, struct place *p, int64_t *ret_last_unit)
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
	return 0;
}

static int observe(struct store *s, struct place *p, const struct sysset *calls, bool is_new,
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
	return r < 0 ? r : learn(s, p, calls);
}

int store_calls(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		enum tamis_abi abi, const struct sysset *calls, int64_t now)
{
	struct place p = { .instance = instance, .unit = unit, .stage = stage, .abi = abi };
	struct sysset all, fresh = *calls;
	int r = need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)stage >= TAMIS_STAGE_MAX || (unsigned)abi >= TAMIS_ABI_MAX)
		return store_fail(s, -EINVAL, "calls of an unknown stage or ABI");
	r = get_observation(s, &p, &all);
	if (r < 0)
		return r;
	sysset_remove(&fresh, &all);
	if (sysset_is_empty(&fresh))
		return 0;
	sysset_merge(&all, calls);
	return observe(s, &p, &all, r == 0, now);
}

int store_origin(struct store *s, int64_t instance, const struct policy_origin *o)
{
	int r = need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)o->stage >= TAMIS_STAGE_MAX || (unsigned)o->abi >= TAMIS_ABI_MAX ||
	    o->nr >= TAMIS_CALLS)
		return store_fail(s, -EINVAL, "an origin of an unknown call");
	return store_run(s, SQL_CALL_ORIGIN, "iiiiiiss", instance, (int64_t)o->stage,
			 (int64_t)o->abi, (int64_t)o->nr, o->first, (int64_t)o->pid, o->comm,
			 o->exe);
}

/* --- instances --------------------------------------------------------------------------- */

/* What its sets hold becomes the new workload's too. */
static int learn_moved(struct store *s, int64_t instance, int64_t workload)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_SETS, &stmt, "i", instance);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct place p = { .instance = instance, .workload = workload };
		struct sysset calls;

		p.time = sqlite3_column_int64(stmt, 3);
		r = store_column_stage(s, stmt, 0, &p.stage);
		if (r == 0)
			r = store_column_abi(s, stmt, 1, &p.abi);
		if (r == 0)
			r = store_column_set(s, stmt, 2, &calls);
		if (r == 0)
			r = learn(s, &p, &calls);
	}
	return r;
}

/* An instance turned out to be of another workload (its engine wrote its name late). The old
 * one keeps what it has, as sets only grow, unless nothing else was ever seen of it. */
static int move_instance(struct store *s, int64_t id, int64_t from, int64_t to)
{
	int r = store_run(s, SQL_CALL_COPY, "iii", to, from, id);

	if (r == 0)
		r = learn_moved(s, id, to);
	if (r == 0)
		r = store_run(s, SQL_INSTANCE_UNITS, "i", to);
	if (r == 0)
		r = store_run(s, SQL_INSTANCE_UNITS, "i", from);
	return r < 0 ? r : store_run(s, SQL_WORKLOAD_DEL_EMPTY, "i", from);
}

struct found_instance {
	int64_t id;
	int64_t workload;
	bool same;
};

/* 1 when it is there. */
static int get_instance(struct store *s, const struct store_instance *i, struct found_instance *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	const struct evidence *e = &i->lost;
	int r = store_query(s, SQL_INSTANCE_GET, &stmt, "sissiiiiiii", i->instance, i->workload,
			    i->container, i->path, (int64_t)i->running, as_int(i->starts),
			    as_int(e->lost_range), as_int(e->lost_full), as_int(e->lost_ring),
			    as_int(e->lost_task), as_int(e->lost_gaps));

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0) {
		ret->id = sqlite3_column_int64(stmt, 0);
		ret->workload = sqlite3_column_int64(stmt, 1);
		ret->same = sqlite3_column_int(stmt, 2) != 0;
	}
	return r;
}

static int add_instance(struct store *s, const struct store_instance *i, int64_t now)
{
	const struct evidence *e = &i->lost;

	return store_run(s, SQL_INSTANCE_ADD, "sissiiiiiiii", i->instance, i->workload,
			 i->container, i->path, (int64_t)i->running, as_int(i->starts),
			 as_int(e->lost_range), as_int(e->lost_full), as_int(e->lost_ring),
			 as_int(e->lost_task), as_int(e->lost_gaps), now);
}

static int set_instance(struct store *s, const struct found_instance *found,
			const struct store_instance *i, int64_t now)
{
	const struct evidence *e = &i->lost;
	int r = store_run(s, SQL_INSTANCE_SET, "iissiiiiiiii", found->id, i->workload, i->container,
			  i->path, (int64_t)i->running, as_int(i->starts), as_int(e->lost_range),
			  as_int(e->lost_full), as_int(e->lost_ring), as_int(e->lost_task),
			  as_int(e->lost_gaps), now);

	if (r == 0 && found->workload != i->workload)
		r = move_instance(s, found->id, found->workload, i->workload);
	return r;
}

int store_instance(struct store *s, const struct store_instance *i, int64_t now, int64_t *ret_id)
{
	struct found_instance found = { 0 };
	int r = need_transaction(s);

	if (r < 0)
		return r;
	r = get_instance(s, i, &found);
	if (r == 0) {
		r = add_instance(s, i, now);
		found.id = sqlite3_last_insert_rowid(s->db);
	} else if (r > 0 && !found.same) {
		r = set_instance(s, &found, i, now);
	}
	if (r < 0)
		return r;
	*ret_id = found.id;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The running ones that are not in `keep` (sorted). */
static int find_gone(struct store *s, const int64_t *keep, size_t cnt, int64_t **ret,
		     size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	_free_ int64_t *gone = NULL;
	size_t gone_cnt = 0;
	int r = store_query(s, SQL_INSTANCE_RUNNING, &stmt, "");

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		int64_t *more;

		r = 0;
		if (cnt && bsearch(&id, keep, cnt, sizeof(id), compare_ids))
			continue;
		more = reallocarray(gone, gone_cnt + 1, sizeof(*gone));
		if (!more)
			return -ENOMEM;
		gone = more;
		gone[gone_cnt++] = id;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(gone);
	*ret_cnt = gone_cnt;
	return 0;
}

int store_instances_gone(struct store *s, const int64_t *keep, size_t cnt, int64_t now)
{
	_free_ int64_t *sorted = calloc(cnt ? cnt : 1, sizeof(*sorted));
	_free_ int64_t *gone = NULL;
	size_t gone_cnt = 0;
	int r = need_transaction(s);

	if (r < 0)
		return r;
	if (!sorted)
		return -ENOMEM;
	if (cnt) {
		memcpy(sorted, keep, cnt * sizeof(*sorted));
		qsort(sorted, cnt, sizeof(*sorted), compare_ids);
	}
	r = find_gone(s, sorted, cnt, &gone, &gone_cnt);
	for (size_t i = 0; r == 0 && i < gone_cnt; i++)
		r = store_run(s, SQL_INSTANCE_GONE, "ii", gone[i], now);
	return r;
}

int store_instance_gap(struct store *s, const char *instance)
{
	return store_run(s, SQL_INSTANCE_GAP, "s", instance);
}

int store_unit_begin(struct store *s, int64_t now, const char *label, int64_t *ret_id)
{
	int r = need_transaction(s);

	if (r == 0)
		r = store_run(s, SQL_UNIT_ADD, "is", now, label);
	if (r < 0)
		return r;
	*ret_id = sqlite3_last_insert_rowid(s->db);
	return 0;
}
