/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that were refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/stream.h"
#include "policy/denials.h"
#include "policy/store_internal.h"

static const char *const kinds[] = {
	[DENIAL_ERRNO] = "errno",   [DENIAL_SIGSYS] = "sigsys",	    [DENIAL_ASKED] = "asked",
	[DENIAL_DENIED] = "denied", [DENIAL_REJECTED] = "rejected",
};
_Static_assert(ARRAY_SIZE(kinds) == DENIAL_MAX, "a name for each kind");

const char *denial_kind_name(enum denial_kind k)
{
	return (unsigned)k < DENIAL_MAX ? kinds[k] : "?";
}

int store_denial_trim(struct store *s, int64_t workload)
{
	return store_run(s, SQL_DENIAL_TRIM, "ii", workload, (int64_t)STORE_DENIALS_MAX);
}

/* 1: there is such a row. */
static int has_denial(struct store *s, const struct store_denial *d)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_DENIAL_HAS, &stmt, "iiii", d->workload, (int64_t)d->kind,
			    (int64_t)d->abi, (int64_t)d->nr);

	return r < 0 ? r : store_step(s, stmt);
}

int store_denial_add(struct store *s, const struct store_denial *d, bool *ret_new)
{
	bool is_new;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)d->kind >= DENIAL_MAX || (unsigned)d->abi >= TAMIS_ABI_MAX ||
	    d->nr > TAMIS_CALLS)
		return store_fail(s, -EINVAL, "a denial of an unknown call");
	r = has_denial(s, d);
	if (r < 0)
		return r;
	is_new = r == 0;
	r = store_run(s, SQL_DENIAL_ADD, "iiiiiissiii", d->workload, (int64_t)d->kind,
		      (int64_t)d->abi, (int64_t)d->nr, (int64_t)d->generation, (int64_t)d->pid,
		      d->comm, d->exe, store_int(d->count), d->first, d->last);
	if (r == 0 && is_new)
		r = store_denial_trim(s, d->workload);
	if (r == 0 && ret_new)
		*ret_new = is_new;
	return r;
}

int store_denial_sum(struct store *s, struct store_denial *d)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_DENIAL_SUM, &stmt, "iiii", d->workload, (int64_t)d->kind,
			    (int64_t)d->abi, (int64_t)d->nr);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "no such denial");
	if (r < 0)
		return r;
	d->count = store_column_u64(stmt, 0);
	d->first = sqlite3_column_int64(stmt, 1);
	d->last = sqlite3_column_int64(stmt, 2);
	return 0;
}

/* --- reading ----------------------------------------------------------------------------- */

/* Denials while they grow; their strings are offsets until they are done, 0: NULL. */
struct denials {
	struct store_denial *d;
	size_t (*text)[3]; /* of comm, exe and key, in `texts` */
	size_t cnt, room;
	FILE *texts;
	char *text_data;
	size_t text_len;
};

static void denials_done(struct denials *l)
{
	if (l->texts)
		fclose(l->texts);
	free(l->d);
	free(l->text);
	free(l->text_data);
}

static int denials_room(struct denials *l)
{
	size_t room = l->room ? l->room * 2 : 64;
	struct store_denial *more;
	size_t(*more_text)[3];

	if (l->cnt < l->room)
		return 0;
	more = reallocarray(l->d, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->d = more;
	more_text = reallocarray(l->text, room, sizeof(*more_text));
	if (!more_text)
		return -ENOMEM;
	l->text = more_text;
	l->room = room;
	return 0;
}

static size_t add_text(struct denials *l, sqlite3_stmt *stmt, int col)
{
	const char *text = (const char *)sqlite3_column_text(stmt, col);
	long at = ftell(l->texts);

	if (!text || at < 0)
		return 0;
	fputs(text, l->texts);
	fputc('\0', l->texts);
	return (size_t)at;
}

static int read_call(struct store *s, sqlite3_stmt *stmt, struct store_denial *d)
{
	int64_t kind = 0, nr = 0, generation = 0, pid = 0;
	int r = store_column_upto(s, stmt, 1, DENIAL_MAX - 1, &kind);

	if (r == 0)
		r = store_column_abi(s, stmt, 2, &d->abi);
	if (r == 0)
		r = store_column_upto(s, stmt, 3, TAMIS_CALLS, &nr);
	if (r == 0)
		r = store_column_upto(s, stmt, 4, UINT32_MAX, &generation);
	if (r == 0)
		r = store_column_upto(s, stmt, 5, UINT32_MAX, &pid);
	d->kind = (enum denial_kind)kind;
	d->nr = (uint32_t)nr;
	d->generation = (uint32_t)generation;
	d->pid = (uint32_t)pid;
	return r;
}

static int read_denial(struct store *s, sqlite3_stmt *stmt, struct denials *l)
{
	struct store_denial d = { .workload = sqlite3_column_int64(stmt, 0) };
	int r = read_call(s, stmt, &d);

	if (r == 0)
		r = denials_room(l);
	if (r < 0)
		return r;
	d.count = store_column_u64(stmt, 8);
	d.first = sqlite3_column_int64(stmt, 9);
	d.last = sqlite3_column_int64(stmt, 10);
	l->text[l->cnt][0] = add_text(l, stmt, 6);
	l->text[l->cnt][1] = add_text(l, stmt, 7);
	l->text[l->cnt][2] = add_text(l, stmt, 11);
	l->d[l->cnt++] = d;
	return 0;
}

static int read_denials(struct store *s, int64_t workload, struct denials *l)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	l->texts = stream_open(&l->text_data, &l->text_len);
	if (!l->texts)
		return -ENOMEM;
	fputc('\0', l->texts); /* so that nothing is at 0 */
	r = store_query(s, SQL_DENIAL_ALL, &stmt, "i", workload);
	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = read_denial(s, stmt, l);
	return r;
}

/* Array and strings in one block. */
static int pack(struct denials *l, struct store_denial **ret)
{
	size_t size = l->cnt * sizeof(*l->d);
	bool failed = ferror(l->texts) != 0;
	struct store_denial *block;
	char *texts;

	if (fclose(TAKE_PTR(l->texts)) != 0 || failed)
		return -ENOMEM;
	block = malloc(size + l->text_len + 1);
	if (!block)
		return -ENOMEM;
	texts = (char *)block + size;
	if (l->cnt)
		memcpy(block, l->d, size);
	memcpy(texts, l->text_data, l->text_len);
	for (size_t i = 0; i < l->cnt; i++) {
		block[i].comm = l->text[i][0] ? texts + l->text[i][0] : NULL;
		block[i].exe = l->text[i][1] ? texts + l->text[i][1] : NULL;
		block[i].key = l->text[i][2] ? texts + l->text[i][2] : "";
	}
	*ret = block;
	return 0;
}

int store_denials(struct store *s, int64_t workload, struct store_denial **ret, size_t *ret_cnt)
{
	struct denials l = { 0 };
	int r = read_denials(s, workload, &l);

	if (r == 0)
		r = pack(&l, ret);
	if (r == 0)
		*ret_cnt = l.cnt;
	denials_done(&l);
	return r;
}

void store_denials_free(struct store_denial *d, size_t cnt)
{
	(void)cnt;
	free(d);
}

int store_asked(struct store *s, int64_t workload, struct sysset *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct sysset asked[TAMIS_ABI_MAX] = { 0 };
	int r = store_query(s, SQL_DENIAL_ASKED, &stmt, "iii", workload, (int64_t)DENIAL_ASKED,
			    (int64_t)TAMIS_CALLS);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		enum tamis_abi abi = 0;
		int64_t nr = 0;

		r = store_column_abi(s, stmt, 0, &abi);
		if (r == 0)
			r = store_column_upto(s, stmt, 1, TAMIS_CALLS - 1, &nr);
		if (r == 0)
			sysset_add(&asked[abi], (unsigned)nr);
	}
	if (r < 0)
		return r;
	memcpy(ret, asked, sizeof(asked));
	return 0;
}
