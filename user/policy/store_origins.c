/* SPDX-License-Identifier: Apache-2.0 */
/* Who made each call first, and since when it is made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/stream.h"
#include "policy/store_internal.h"

/* Origins and their strings while they grow; the strings are offsets until they are done. */
struct origins {
	struct policy_origin *o;
	size_t cnt, room;
	size_t (*text)[4]; /* of comm, exe, replica and source, in `texts` */
	FILE *texts;
	char *text_data;
	size_t text_len;
};

static void origins_done(struct origins *o)
{
	if (o->texts)
		fclose(o->texts);
	free(o->o);
	free(o->text);
	free(o->text_data);
}

static int origins_room(struct origins *o)
{
	size_t room = o->room ? o->room * 2 : 128;
	struct policy_origin *more;
	size_t(*more_text)[4];

	if (o->cnt < o->room)
		return 0;
	more = reallocarray(o->o, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	o->o = more;
	more_text = reallocarray(o->text, room, sizeof(*more_text));
	if (!more_text)
		return -ENOMEM;
	o->text = more_text;
	o->room = room;
	return 0;
}

/* "" for NULL. */
static size_t add_text(struct origins *o, const char *text)
{
	long at = ftell(o->texts);

	fputs(text ? text : "", o->texts);
	fputc('\0', o->texts);
	return at < 0 ? 0 : (size_t)at;
}

static const char *column_text(sqlite3_stmt *stmt, int col)
{
	return (const char *)sqlite3_column_text(stmt, col);
}

/* The container of the process that made it first, else of the instance. */
static const char *replica_of(sqlite3_stmt *stmt, const struct store_sightings *seen,
			      const struct store_seen *at)
{
	if (sqlite3_column_type(stmt, 7) != SQLITE_NULL)
		return column_text(stmt, 8);
	return at->first ? seen->instance[at->by_index].container : NULL;
}

static void fill_times(const struct store_seen *at, struct policy_origin *o)
{
	if (at->first && at->first < o->first)
		o->first = at->first;
	o->last = at->last > o->first ? at->last : o->first;
	o->replicas = at->replicas;
}

/* A row of SQL_CALL_ALL; one that is not learned (yet) is left out. */
static int add_origin(struct store *s, sqlite3_stmt *stmt, const struct learned *l,
		      const struct store_sightings *seen, struct origins *to)
{
	struct policy_origin o = { 0 };
	const struct store_seen *at;
	int64_t nr = sqlite3_column_int64(stmt, 1);
	int r = store_column_abi(s, stmt, 0, &o.abi);

	if (r == 0)
		r = store_column_stage(s, stmt, 2, &o.stage);
	if (r == 0)
		r = origins_room(to);
	if (r < 0 || nr < 0 || nr >= TAMIS_CALLS ||
	    !sysset_has(&l->set[o.stage][o.abi], (unsigned)nr))
		return r;
	at = &seen->at[o.stage][o.abi][nr];
	o.nr = (uint32_t)nr;
	o.first = sqlite3_column_int64(stmt, 3);
	fill_times(at, &o);
	o.pid = (uint32_t)store_column_u64(stmt, 4);
	o.replica = replica_of(stmt, seen, at);
	o.source = column_text(stmt, 9);
	to->text[to->cnt][0] = add_text(to, column_text(stmt, 5));
	to->text[to->cnt][1] = add_text(to, column_text(stmt, 6));
	to->text[to->cnt][2] = add_text(to, o.replica);
	to->text[to->cnt][3] = add_text(to, o.source);
	to->o[to->cnt++] = o;
	return 0;
}

static int collect_origins(struct store *s, int64_t workload, const struct store_sightings *seen,
			   struct origins *to)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct learned l;
	int r = store_learned(s, workload, &l);

	if (r == 0)
		r = store_query(s, SQL_CALL_ALL, &stmt, "i", workload);
	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_origin(s, stmt, &l, seen, to);
	return r;
}

/* Array and strings in one block. */
static int pack_origins(struct origins *o, struct policy_origin **ret)
{
	size_t size = o->cnt * sizeof(*o->o);
	struct policy_origin *block;
	char *texts;
	bool failed = ferror(o->texts) != 0;

	if (fclose(TAKE_PTR(o->texts)) != 0 || failed)
		return -ENOMEM;
	block = malloc(size + o->text_len + 1);
	if (!block)
		return -ENOMEM;
	texts = (char *)block + size;
	if (o->cnt)
		memcpy(block, o->o, size);
	memcpy(texts, o->text_data, o->text_len);
	for (size_t i = 0; i < o->cnt; i++) {
		block[i].comm = texts + o->text[i][0];
		block[i].exe = texts + o->text[i][1];
		if (block[i].replica)
			block[i].replica = texts + o->text[i][2];
		if (block[i].source)
			block[i].source = texts + o->text[i][3];
	}
	*ret = block;
	return 0;
}

static int read_origins(struct store *s, int64_t workload, struct store_sightings *seen,
			struct origins *o)
{
	int r = store_sightings(s, workload, seen);

	if (r < 0)
		return r;
	o->texts = stream_open(&o->text_data, &o->text_len);
	return o->texts ? collect_origins(s, workload, seen, o) : -ENOMEM;
}

int store_origins(struct store *s, int64_t workload, struct policy_origin **ret, size_t *ret_cnt)
{
	struct store_sightings *seen = calloc(1, sizeof(*seen));
	struct origins o = { 0 };
	int r;

	if (!seen)
		return -ENOMEM;
	r = read_origins(s, workload, seen, &o);
	if (r == 0)
		r = pack_origins(&o, ret);
	if (r == 0)
		*ret_cnt = o.cnt;
	origins_done(&o);
	store_sightings_done(seen);
	free(seen);
	return r;
}

void store_origins_free(struct policy_origin *o, size_t cnt)
{
	free(o);
}
