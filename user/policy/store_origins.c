/* SPDX-License-Identifier: Apache-2.0 */
/* When each call was seen, and who made it first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/store_internal.h"

/* First and last of every call, as the observations have it; 0: not seen. */
struct seen {
	struct {
		int64_t first, last;
	} at[TAMIS_STAGE_MAX][TAMIS_ABI_MAX][TAMIS_CALLS];
};

static int add_seen(struct store *s, sqlite3_stmt *stmt, struct seen *seen)
{
	enum tamis_stage stage = 0;
	enum tamis_abi abi = 0;
	struct sysset calls;
	int64_t time = sqlite3_column_int64(stmt, 3);
	int r = store_column_stage(s, stmt, 0, &stage);

	if (r == 0)
		r = store_column_abi(s, stmt, 1, &abi);
	if (r == 0)
		r = store_column_set(s, stmt, 2, &calls);
	if (r < 0)
		return r;
	for (int nr = sysset_next(&calls, 0); nr >= 0; nr = sysset_next(&calls, (unsigned)nr + 1)) {
		int64_t *first = &seen->at[stage][abi][nr].first;
		int64_t *last = &seen->at[stage][abi][nr].last;

		if (*first == 0 || time < *first)
			*first = time;
		if (time > *last)
			*last = time;
	}
	return 0;
}

static int read_seen(struct store *s, int64_t workload, struct seen *seen)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_OBSERVED_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_seen(s, stmt, seen);
	return r;
}

/* Origins and their strings while they grow; the strings are offsets until they are done. */
struct origins {
	struct policy_origin *o;
	size_t cnt, room;
	size_t (*text)[2]; /* of comm and exe, in `texts` */
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
	size_t(*more_text)[2];

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

static size_t add_text(struct origins *o, sqlite3_stmt *stmt, int col)
{
	const char *text = (const char *)sqlite3_column_text(stmt, col);
	long at = ftell(o->texts);

	fputs(text ? text : "", o->texts);
	fputc('\0', o->texts);
	return at < 0 ? 0 : (size_t)at;
}

/* A row of SQL_CALL_ALL; one that is not learned (yet) is left out. */
static int add_origin(struct store *s, sqlite3_stmt *stmt, const struct learned *l,
		      const struct seen *seen, struct origins *to)
{
	struct policy_origin o = { 0 };
	int64_t nr = sqlite3_column_int64(stmt, 1);
	int64_t first;
	int r = store_column_abi(s, stmt, 0, &o.abi);

	if (r == 0)
		r = store_column_stage(s, stmt, 2, &o.stage);
	if (r == 0)
		r = origins_room(to);
	if (r < 0 || nr < 0 || nr >= TAMIS_CALLS ||
	    !sysset_has(&l->set[o.stage][o.abi], (unsigned)nr))
		return r;
	o.nr = (uint32_t)nr;
	o.first = sqlite3_column_int64(stmt, 3);
	first = seen->at[o.stage][o.abi][nr].first;
	if (first && first < o.first)
		o.first = first;
	o.last = seen->at[o.stage][o.abi][nr].last;
	if (o.last < o.first)
		o.last = o.first;
	o.pid = (uint32_t)store_column_u64(stmt, 4);
	to->text[to->cnt][0] = add_text(to, stmt, 5);
	to->text[to->cnt][1] = add_text(to, stmt, 6);
	to->o[to->cnt++] = o;
	return 0;
}

static int collect_origins(struct store *s, int64_t workload, const struct seen *seen,
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
	}
	*ret = block;
	return 0;
}

int store_origins(struct store *s, int64_t workload, struct policy_origin **ret, size_t *ret_cnt)
{
	_free_ struct seen *seen = calloc(1, sizeof(*seen));
	struct origins o = { 0 };
	int r;

	if (!seen)
		return -ENOMEM;
	o.texts = open_memstream(&o.text_data, &o.text_len);
	r = o.texts ? read_seen(s, workload, seen) : -ENOMEM;
	if (r == 0)
		r = collect_origins(s, workload, seen, &o);
	if (r == 0)
		r = pack_origins(&o, ret);
	if (r == 0)
		*ret_cnt = o.cnt;
	origins_done(&o);
	return r;
}

void store_origins_free(struct policy_origin *o, size_t cnt)
{
	free(o);
}
