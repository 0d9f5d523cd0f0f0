/* SPDX-License-Identifier: Apache-2.0 */
/* What others than the sensor learned: calls of an instance that is none (`source` is set). */
#include <errno.h>
#include <string.h>

#include "policy/denials.h"
#include "policy/store_internal.h"

static int find_source(struct store *s, int64_t workload, const char *source, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_SOURCE_GET, &stmt, "is", workload, source);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	return r;
}

static int take_source(struct store *s, int64_t workload, const char *source, int64_t now,
		       int64_t *ret)
{
	int r = find_source(s, workload, source, ret);

	if (r != 0)
		return r < 0 ? r : 0;
	r = store_run(s, SQL_SOURCE_ADD, "isi", workload, source, now);
	if (r == 0)
		*ret = sqlite3_last_insert_rowid(s->db);
	return r;
}

/* 1: there is one. */
static int find_unit(struct store *s, int64_t workload, int64_t now, int64_t *ret, bool *ret_forgot)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_SOURCE_UNIT, &stmt, "ii", workload, now);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0) {
		*ret = sqlite3_column_int64(stmt, 0);
		*ret_forgot = sqlite3_column_int(stmt, 1) != 0;
	}
	return r;
}

static int has_workload(struct store *s, int64_t workload)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_KEY, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "no such workload");
	return r < 0 ? r : 0;
}

/* The unit of that moment: begun here when nobody has yet. */
static int take_unit(struct store *s, int64_t workload, int64_t now, int64_t *ret, bool *ret_forgot)
{
	int r = has_workload(s, workload);

	if (r == 0)
		r = find_unit(s, workload, now, ret, ret_forgot);
	if (r != 0)
		return r < 0 ? r : 0;
	*ret_forgot = false;
	return store_unit_begin(s, now, NULL, ret);
}

/* Of each call that has no origin yet; `o` may be NULL. */
static int add_origins(struct store *s, int64_t instance, enum tamis_abi abi,
		       const struct sysset *calls, const struct policy_origin *o, int64_t now)
{
	struct policy_origin each = o ? *o : (struct policy_origin){ 0 };
	int r = 0;

	each.abi = abi;
	each.stage = TAMIS_WORKLOAD;
	each.first = now;
	for (int nr = sysset_next(calls, 0); r == 0 && nr >= 0;
	     nr = sysset_next(calls, (unsigned)nr + 1)) {
		each.nr = (uint32_t)nr;
		r = store_origin(s, instance, &each);
	}
	return r;
}

/* Without those that were forgotten in that unit: they are not learned, so they have no origin. */
static int keep_learned(struct store *s, int64_t workload, enum tamis_abi abi, struct sysset *calls)
{
	struct learned l;
	struct sysset fresh = *calls;
	int r = store_learned(s, workload, &l);

	if (r < 0)
		return r;
	sysset_remove(&fresh, &l.set[TAMIS_WORKLOAD][abi]);
	sysset_remove(calls, &fresh);
	return 0;
}

int store_learn(struct store *s, int64_t workload, const char *source, enum tamis_abi abi,
		const struct sysset *calls, const struct policy_origin *origin, int64_t now)
{
	struct sysset kept = *calls;
	int64_t unit = 0, instance = 0;
	bool forgot = false;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)abi >= TAMIS_ABI_MAX || !source[0])
		return store_fail(s, -EINVAL, "calls of an unknown ABI or source");
	r = take_unit(s, workload, now, &unit, &forgot);
	if (r < 0 || forgot || sysset_is_empty(calls))
		return r;
	r = take_source(s, workload, source, now, &instance);
	if (r == 0)
		r = store_calls(s, instance, unit, TAMIS_WORKLOAD, abi, calls, now);
	if (r == 0)
		r = keep_learned(s, workload, abi, &kept);
	return r < 0 ? r : add_origins(s, instance, abi, &kept, origin, now);
}
