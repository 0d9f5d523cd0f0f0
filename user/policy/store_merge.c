/* SPDX-License-Identifier: Apache-2.0 */
/* One workload of several, and other names for one. */
#include <errno.h>
#include <string.h>

#include "policy/oracles.h"
#include "policy/store_internal.h"

static int run_pairs(struct store *s, const enum store_sql *which, size_t cnt, int64_t into,
		     int64_t from)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cnt; i++)
		r = store_run(s, which[i], "ii", into, from);
	return r;
}

int store_absorb(struct store *s, int64_t into, int64_t from)
{
	static const enum store_sql steps[] = {
		SQL_MERGE_LEARNED,	SQL_MERGE_CALLS,    SQL_MERGE_FIRSTS,	SQL_MERGE_INNER,
		SQL_MERGE_IMAGES,	SQL_MERGE_VERDICTS, SQL_MERGE_WORKLOAD, SQL_MERGE_DENIALS,
		SQL_MERGE_ORACLE_CALLS, SQL_MERGE_MINES,
	};
	int r = run_pairs(s, steps, ARRAY_SIZE(steps), into, from);

	if (r == 0)
		r = store_image_trim(s, into);
	if (r == 0)
		r = store_denial_trim(s, into);
	if (r == 0)
		r = store_run(s, SQL_COVERAGE_DEL, "i", into);
	return r < 0 ? r
		     : store_run(s, SQL_INNER_TRIM, "isi", into, NULL, (int64_t)STORE_INNER_MAX);
}

/* A row's key; -ENOENT. */
static int key_of(struct store *s, int64_t workload, char **ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	char *key = NULL;
	int r = store_query(s, SQL_WORKLOAD_KEY, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		r = store_column_text(stmt, 0, &key) < 0 ? -ENOMEM : 1;
	if (r < 0)
		return r;
	if (!key) {
		r = r ? -EUCLEAN : -ENOENT;
		(void)store_fail(s, r, "no such workload");
		return r;
	}
	*ret = key;
	return 0;
}

/* One that stopped production has to bring it back first. */
static int check_oracle(struct store *s, int64_t workload)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_ORACLE_AT_WORK, &stmt, "iii", workload, (int64_t)ORACLE_WATCH,
			    (int64_t)ORACLE_REST);

	if (r == 0)
		r = store_step(s, stmt);
	return r > 0 ? store_fail(s, -EBUSY, "its oracle is at work") : r;
}

static int merge_one(struct store *s, int64_t into, int64_t from)
{
	static const enum store_sql moves[] = { SQL_MERGE_TEXTS, SQL_MERGE_INSTANCES,
						SQL_MERGE_ALIASES };
	_free_ char *key = NULL;
	int r = key_of(s, from, &key);

	if (r == 0)
		r = check_oracle(s, from);
	if (r == 0)
		r = store_absorb(s, into, from);
	if (r == 0)
		r = run_pairs(s, moves, ARRAY_SIZE(moves), into, from);
	if (r == 0)
		r = store_run(s, SQL_WORKLOAD_DEL, "i", from);
	return r < 0 ? r : store_run(s, SQL_ALIAS_ADD, "si", key, into);
}

static bool is_among(const int64_t *ids, size_t cnt, int64_t id)
{
	for (size_t i = 0; i < cnt; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

int store_merge(struct store *s, int64_t into, const int64_t *from, size_t cnt)
{
	_free_ char *key = NULL;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (is_among(from, cnt, into))
		return store_fail(s, -EINVAL, "a workload can't be merged into itself");
	r = key_of(s, into, &key);
	for (size_t i = 0; r == 0 && i < cnt; i++) {
		if (!is_among(from, i, from[i]))
			r = merge_one(s, into, from[i]);
	}
	return r < 0 ? r : store_run(s, SQL_INSTANCE_UNITS, "i", into);
}

/* --- renaming ---------------------------------------------------------------------------- */

/* Whose key or alias it is; 0 when nobody's. */
static int whose_key(struct store *s, const char *key, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_FIND_KEY, &stmt, "s", key);

	if (r == 0)
		r = store_step(s, stmt);
	*ret = r > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	return r < 0 ? r : 0;
}

static int change_key(struct store *s, int64_t workload, const char *old, const char *key)
{
	int r;

	if (strcmp(old, key) == 0)
		return 0;
	r = store_run(s, SQL_ALIAS_DEL, "s", key);
	return r < 0 ? r : store_run(s, SQL_ALIAS_ADD, "si", old, workload);
}

int store_rename(struct store *s, int64_t workload, const char *key, const char *name)
{
	_free_ char *old = NULL;
	int64_t whose = 0;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (!key[0] || strlen(key) > STORE_TEXT_MAX)
		return store_fail(s, -ENAMETOOLONG, "a workload's key is empty or too long");
	r = key_of(s, workload, &old);
	if (r == 0)
		r = whose_key(s, key, &whose);
	if (r == 0 && whose && whose != workload)
		return store_fail(s, -EEXIST, "another workload is called that");
	if (r == 0)
		r = change_key(s, workload, old, key);
	return r < 0 ? r : store_run(s, SQL_WORKLOAD_RENAME, "iss", workload, key, name);
}
