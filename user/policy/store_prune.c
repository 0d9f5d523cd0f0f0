/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes too much: workloads that are long gone, units of days long past. */
#include <errno.h>
#include <string.h>

#include "policy/mines.h"
#include "policy/store_internal.h"

/* --- workloads --------------------------------------------------------------------------- */

struct gone {
	int64_t *id;
	char **key;
	size_t cnt, room;
};

static void gone_done(struct gone *g)
{
	for (size_t i = 0; i < g->cnt; i++)
		free(g->key[i]);
	free(g->key);
	free(g->id);
}

static int gone_room(struct gone *g)
{
	size_t room = g->room ? g->room * 2 : 64;
	int64_t *id;
	char **key;

	if (g->cnt < g->room)
		return 0;
	id = reallocarray(g->id, room, sizeof(*id));
	if (!id)
		return -ENOMEM;
	g->id = id;
	key = reallocarray(g->key, room, sizeof(*key));
	if (!key)
		return -ENOMEM;
	g->key = key;
	g->room = room;
	return 0;
}

static int find_gone(struct store *s, int64_t before, struct gone *g)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_GONE, &stmt, "i", before);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		r = gone_room(g);
		if (r == 0)
			r = store_column_text(stmt, 1, &g->key[g->cnt]);
		if (r == 0)
			g->id[g->cnt++] = sqlite3_column_int64(stmt, 0);
	}
	return r;
}

static int drop_gone(struct store *s, int64_t before, void (*fn)(void *ctx, const char *key),
		     void *ctx, uint64_t *ret)
{
	struct gone gone = { 0 };
	int r = find_gone(s, before, &gone);

	for (size_t i = 0; r == 0 && i < gone.cnt; i++) {
		r = store_drop_workload(s, gone.id[i]);
		if (r == 0 && fn)
			fn(ctx, gone.key[i] ? gone.key[i] : "");
	}
	*ret = gone.cnt;
	gone_done(&gone);
	return r;
}

/* --- units ------------------------------------------------------------------------------- */

/* A step: so many units of one day. In one call the daemon, which has calls to drain, stops
 * after so many sets; a command goes on until nothing is left. */
#define FOLD_UNITS 256
#define FOLD_SETS  200000

struct fold {
	int64_t unit[FOLD_UNITS];
	size_t cnt;
	int64_t began; /* of the last of them */
	int64_t sets;  /* folded */
	uint64_t units;
};

/* The oldest day that has more than one unit, and those of it. 0: there is none. */
static int find_units(struct store *s, int64_t before, struct fold *f)
{
	_stmt_ sqlite3_stmt *group = NULL, *units = NULL;
	const char *label;
	int r = store_query(s, SQL_FOLD_GROUP, &group, "i", before);

	if (r == 0)
		r = store_step(s, group);
	if (r <= 0)
		return r;
	label = (const char *)sqlite3_column_text(group, 1);
	r = store_query(s, SQL_FOLD_UNITS, &units, "iisii", before, sqlite3_column_int64(group, 0),
			label, (int64_t)FOLD_UNITS,
			(int64_t)(sqlite3_column_type(group, 2) == SQLITE_NULL));
	f->cnt = 0;
	f->began = INT64_MIN;
	while (r == 0 && (r = store_step(s, units)) > 0) {
		int64_t began = sqlite3_column_int64(units, 1);

		r = 0;
		if (f->cnt == FOLD_UNITS)
			break;
		f->unit[f->cnt++] = sqlite3_column_int64(units, 0);
		f->began = began > f->began ? began : f->began;
	}
	return r < 0 ? r : f->cnt > 1;
}

static int fold_unit(struct store *s, int64_t unit, int64_t into, int64_t *sets)
{
	int r = store_run(s, SQL_FOLD_COUNT, "ii", unit, into);

	if (r == 0)
		r = store_run(s, SQL_FOLD_SETS, "ii", unit, into);
	if (r == 0)
		r = store_run(s, SQL_FOLD_DEL_SETS, "i", unit);
	*sets += sqlite3_changes(s->db);
	return r < 0 ? r : store_run(s, SQL_FOLD_DEL_UNIT, "i", unit);
}

/* All into the last one, which began last: a call's last is never earlier than it was. Its first
 * doesn't need units any more, `call` has it. */
static int fold_step(struct store *s, struct fold *f)
{
	int64_t into = f->unit[f->cnt - 1];
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->cnt - 1; i++)
		r = fold_unit(s, f->unit[i], into, &f->sets);
	if (r == 0)
		r = store_run(s, SQL_FOLD_UNIT, "ii", into, f->began);
	if (r == 0)
		r = store_run(s, SQL_FOLD_INSTANCES, "i", into);
	if (r == 0)
		r = store_run(s, SQL_FOLD_WORKLOADS, "i", into);
	f->units += f->cnt - 1;
	return r;
}

static int fold(struct store *s, int64_t before, uint64_t *ret)
{
	_free_ struct fold *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	while ((r = find_units(s, before, f)) > 0) {
		r = fold_step(s, f);
		if (r < 0 || (s->mode == STORE_WRITE && f->sets >= FOLD_SETS))
			break;
	}
	*ret = f->units;
	return r < 0 ? r : 0;
}

int store_prune(struct store *s, const struct store_prune *what,
		void (*fn)(void *ctx, const char *key), void *ctx, struct store_pruned *ret)
{
	struct store_pruned pruned = { 0 };
	int r = store_need_transaction(s);

	if (r == 0 && what->gone_before)
		r = drop_gone(s, what->gone_before, fn, ctx, &pruned.workloads);
	if (r == 0 && what->fold_before)
		r = store_run(s, SQL_MINE_DEL_OLD, "ii", what->fold_before,
			      (int64_t)STORE_MINE_DONE);
	if (r == 0 && what->fold_before)
		r = fold(s, what->fold_before, &pruned.units);
	if (r == 0)
		*ret = pruned;
	return r;
}
