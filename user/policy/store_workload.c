/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads as the daemon says them: found by key or alias, at most so many of an owner. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

/* 1: *ret_id is there, *ret_same says whether w says anything new; 0: no such workload. */
static int get_workload(struct store *s, const struct store_workload *w, int64_t *ret_id,
			bool *ret_same)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_GET, &stmt, "ssssssssi", w->key, w->owner, w->engine,
			    w->name, w->image, w->image_digest, w->namespace, w->why_not,
			    (int64_t)w->opted_out);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0) {
		*ret_id = sqlite3_column_int64(stmt, 0);
		*ret_same = sqlite3_column_int(stmt, 1) != 0;
	}
	return r;
}

/* 1: the key is an alias of the workload that has *ret_key. */
static int get_alias(struct store *s, const char *key, char **ret_key)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_ALIAS_GET, &stmt, "s", key);

	if (r == 0)
		r = store_step(s, stmt);
	if (r <= 0)
		return r;
	r = store_column_text(stmt, 1, ret_key);
	if (r == 0 && !*ret_key)
		return store_fail(s, -EUCLEAN, "a workload has no key");
	return r < 0 ? r : 1;
}

/* Whom it was merged into keeps what tells it from others. */
static int get_by_alias(struct store *s, struct store_workload *w, char **ret_key, int64_t *ret_id,
			bool *ret_same)
{
	int r = get_alias(s, w->key, ret_key);

	if (r <= 0)
		return r;
	w->key = *ret_key;
	w->owner = w->engine = w->name = NULL;
	return get_workload(s, w, ret_id, ret_same);
}

/* --- at most so many --------------------------------------------------------------------- */

/* An owner that had more than that running for a while comes down to it with each new one. */
#define DROPS_MAX 2

static int count_of_owner(struct store *s, int64_t workload, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_COUNT, &stmt, "ii", workload,
			    (int64_t)STORE_OWNER_MAX + DROPS_MAX);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

/* 1 when there was one to drop. */
static int drop_oldest(struct store *s, int64_t added)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t oldest;
	int r = store_query(s, SQL_WORKLOAD_OLDEST, &stmt, "i", added);

	if (r == 0)
		r = store_step(s, stmt);
	if (r <= 0)
		return r;
	oldest = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_reset(stmt);
	r = store_drop_workload(s, oldest);
	return r < 0 ? r : 1;
}

static int make_room(struct store *s, int64_t added)
{
	int64_t cnt = 0;
	int r = count_of_owner(s, added, &cnt);

	for (r = r < 0 ? r : 1; r > 0 && cnt > STORE_OWNER_MAX; cnt--)
		r = drop_oldest(s, added);
	return r < 0 ? r : 0;
}

static int add_workload(struct store *s, const struct store_workload *w, int64_t now,
			int64_t *ret_id)
{
	int r = store_run(s, SQL_WORKLOAD_ADD, "ssssssssii", w->key, w->owner, w->engine, w->name,
			  w->image, w->image_digest, w->namespace, w->why_not, now,
			  (int64_t)w->opted_out);

	*ret_id = sqlite3_last_insert_rowid(s->db);
	return r < 0 ? r : make_room(s, *ret_id);
}

int store_workload(struct store *s, const struct store_workload *w, int64_t now, int64_t *ret_id)
{
	struct store_workload said = *w;
	_free_ char *key = NULL;
	int64_t id = 0;
	bool same = false;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (!said.key[0] || strlen(said.key) > STORE_TEXT_MAX)
		return store_fail(s, -ENAMETOOLONG, "a workload's key is empty or too long");
	r = get_workload(s, &said, &id, &same);
	if (r == 0)
		r = get_by_alias(s, &said, &key, &id, &same);
	if (r == 0)
		r = add_workload(s, &said, now, &id);
	else if (r > 0 && !same)
		r = store_run(s, SQL_WORKLOAD_SET, "isssssssi", id, said.owner, said.engine,
			      said.name, said.image, said.image_digest, said.namespace,
			      said.why_not, (int64_t)said.opted_out);
	/* With what changes nothing (r > 0) it was seen before. */
	if (r == 0 && said.image_digest)
		r = store_image(s, id, said.image_digest, now);
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}
