/* SPDX-License-Identifier: Apache-2.0 */
/* Instances of workloads: refreshed, moved to another workload, gone. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

static int64_t as_int(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* What its sets hold becomes the new workload's too. */
static int learn_moved(struct store *s, int64_t instance, int64_t workload)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_SETS, &stmt, "i", instance);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_place p = { .instance = instance, .workload = workload, .late = true };
		struct sysset calls;

		p.time = sqlite3_column_int64(stmt, 3);
		r = store_column_stage(s, stmt, 0, &p.stage);
		if (r == 0)
			r = store_column_abi(s, stmt, 1, &p.abi);
		if (r == 0)
			r = store_column_set(s, stmt, 2, &calls);
		if (r == 0)
			r = store_know(s, &p, &calls);
	}
	return r;
}

static int learn_what_it_showed(struct store *s, int64_t id, int64_t from, int64_t to)
{
	int r = store_run(s, SQL_CALL_COPY, "iii", to, from, id);

	return r < 0 ? r : learn_moved(s, id, to);
}

static int has_other(struct store *s, int64_t workload, int64_t instance)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_OTHER, &stmt, "ii", workload, instance);

	return r < 0 ? r : store_step(s, stmt);
}

/* An instance turned out to be of another workload (its engine wrote its name late). The old
 * one keeps what it has, as sets only grow, unless nothing else was ever seen of it. */
static int move_instance(struct store *s, int64_t id, int64_t from, int64_t to)
{
	int r = has_other(s, from, id);

	if (r >= 0)
		r = r ? learn_what_it_showed(s, id, from, to) : store_absorb(s, to, from);
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
	int r = store_query(s, SQL_INSTANCE_GET, &stmt, "sisssiiiiiiiiss", i->instance, i->workload,
			    i->container, i->pod, i->path, (int64_t)i->running, as_int(i->starts),
			    as_int(e->lost_range), as_int(e->lost_full), as_int(e->lost_ring),
			    as_int(e->lost_task), as_int(e->lost_gaps), as_int(e->leaves),
			    i->leave_comm, i->leave_path);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0) {
		ret->id = sqlite3_column_int64(stmt, 0);
		ret->workload = sqlite3_column_int64(stmt, 1);
		ret->same = sqlite3_column_int(stmt, 2) != 0;
	}
	return r;
}

int store_instance_workload(struct store *s, const char *instance, int64_t *ret)
{
	const struct store_instance i = { .instance = instance };
	struct found_instance found = { 0 };
	int r = get_instance(s, &i, &found);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = found.workload;
	return 0;
}

static int add_instance(struct store *s, const struct store_instance *i, int64_t now)
{
	const struct evidence *e = &i->lost;

	return store_run(s, SQL_INSTANCE_ADD, "sisssiiiiiiiissi", i->instance, i->workload,
			 i->container, i->pod, i->path, (int64_t)i->running, as_int(i->starts),
			 as_int(e->lost_range), as_int(e->lost_full), as_int(e->lost_ring),
			 as_int(e->lost_task), as_int(e->lost_gaps), as_int(e->leaves),
			 i->leave_comm, i->leave_path, now);
}

static int set_instance(struct store *s, const struct found_instance *found,
			const struct store_instance *i, int64_t now)
{
	const struct evidence *e = &i->lost;
	int r = store_run(s, SQL_INSTANCE_SET, "iisssiiiiiiiissi", found->id, i->workload,
			  i->container, i->pod, i->path, (int64_t)i->running, as_int(i->starts),
			  as_int(e->lost_range), as_int(e->lost_full), as_int(e->lost_ring),
			  as_int(e->lost_task), as_int(e->lost_gaps), as_int(e->leaves),
			  i->leave_comm, i->leave_path, now);

	if (r == 0 && found->workload != i->workload)
		r = move_instance(s, found->id, found->workload, i->workload);
	return r;
}

int store_instance(struct store *s, const struct store_instance *i, int64_t now, int64_t *ret_id)
{
	struct found_instance found = { 0 };
	int r = store_need_transaction(s);

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
	int r = store_need_transaction(s);

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
