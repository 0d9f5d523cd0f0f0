/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands read: workloads and their sets. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

#define CANDIDATES_MAX 8

static int read_set_of(struct store *s, sqlite3_stmt *stmt, struct learned *into)
{
	enum tamis_stage stage = 0;
	enum tamis_abi abi = 0;
	struct sysset calls;
	int r = store_column_stage(s, stmt, 0, &stage);

	if (r == 0)
		r = store_column_abi(s, stmt, 1, &abi);
	if (r == 0)
		r = store_column_set(s, stmt, 2, &calls);
	if (r == 0)
		sysset_merge(&into->set[stage][abi], &calls);
	return r;
}

int store_learned(struct store *s, int64_t workload, struct learned *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct learned l = { 0 };
	int r = store_query(s, SQL_LEARNED_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = read_set_of(s, stmt, &l);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}

/* --- workloads --------------------------------------------------------------------------- */

void store_row_done(struct store_row *r)
{
	char *const text[] = { r->key,	 r->owner,	  r->engine,	 r->name,
			       r->image, r->image_digest, r->namespace,	 r->why_not,
			       r->pod,	 r->container,	  r->leave_comm, r->leave_path };

	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		free(text[i]);
	memset(r, 0, sizeof(*r));
}

/* The calls a policy is made of. */
static int count_calls(struct store *s, int64_t workload, uint64_t *ret)
{
	struct learned l;
	uint64_t cnt = 0;
	int r = store_learned(s, workload, &l);

	if (r < 0)
		return r;
	for (int abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset both = l.set[TAMIS_WORKLOAD][abi];

		sysset_merge(&both, &l.set[TAMIS_SESSION][abi]);
		cnt += sysset_count(&both);
	}
	*ret = cnt;
	return 0;
}

/* In the order of ROW_COLUMNS. */
static int read_row_text(sqlite3_stmt *stmt, struct store_row *row)
{
	char **const text[] = { &row->key,   &row->owner,	 &row->engine,	  &row->name,
				&row->image, &row->image_digest, &row->namespace, &row->why_not };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(text); i++)
		r = store_column_text(stmt, (int)i + 1, text[i]);
	return r == 0 && !row->key ? -EUCLEAN : r;
}

static void read_row_numbers(sqlite3_stmt *stmt, struct store_row *row)
{
	struct evidence *e = &row->evidence;
	uint64_t *const lost[] = { &e->lost_range, &e->lost_full, &e->lost_ring,
				   &e->lost_task,  &e->lost_gaps, &e->leaves };
	int col = 9;

	row->id = sqlite3_column_int64(stmt, 0);
	e->units = store_column_u64(stmt, col++);
	row->replicas = store_column_u64(stmt, col++);
	row->containers = store_column_u64(stmt, col++);
	row->running = sqlite3_column_int(stmt, col++) != 0;
	e->starts = store_column_u64(stmt, col++);
	e->since = sqlite3_column_int64(stmt, col++);
	e->last = sqlite3_column_int64(stmt, col++);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		*lost[i] = store_column_u64(stmt, col++);
	e->lost_gaps += store_column_u64(stmt, col);
}

/* What is applied to it, after the numbers. */
static int read_row_applied(struct store *s, sqlite3_stmt *stmt, struct store_row *row)
{
	const int col = 23;
	int64_t mode = 0, number = 0, state = 0;
	int r = store_column_upto(s, stmt, col + 1, MODE_MAX - 1, &mode);

	if (r == 0)
		r = store_column_upto(s, stmt, col + 2, UINT32_MAX, &number);
	if (r == 0)
		r = store_column_upto(s, stmt, col + 3, GENERATION_STATE_MAX - 1, &state);
	row->opted_out = sqlite3_column_int(stmt, col) != 0;
	row->mode = (enum policy_mode)mode;
	row->generation = (uint32_t)number;
	row->generation_state = (enum generation_state)state;
	return r;
}

/* Two texts of one of its instances. */
static int read_of_instance(struct store *s, enum store_sql which, int64_t workload, char **ret_a,
			    char **ret_b)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, which, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r <= 0)
		return r;
	r = store_column_text(stmt, 0, ret_a);
	return r < 0 ? r : store_column_text(stmt, 1, ret_b);
}

static int read_row(struct store *s, sqlite3_stmt *stmt, struct store_row *ret)
{
	struct store_row row = { 0 };
	int r;

	read_row_numbers(stmt, &row);
	r = read_row_text(stmt, &row);
	if (r == 0)
		r = read_row_applied(s, stmt, &row);
	if (r == 0)
		r = read_of_instance(s, SQL_INSTANCE_LAST, row.id, &row.pod, &row.container);
	if (r == 0)
		r = read_of_instance(s, SQL_INSTANCE_LEFT, row.id, &row.leave_comm,
				     &row.leave_path);
	if (r == 0)
		r = count_calls(s, row.id, &row.calls);
	if (r < 0) {
		store_row_done(&row);
		return r;
	}
	*ret = row;
	return 0;
}

struct row_list {
	struct store_row *row;
	size_t cnt, room;
};

static void row_list_done(struct row_list *l)
{
	for (size_t i = 0; i < l->cnt; i++)
		store_row_done(&l->row[i]);
	free(l->row);
}

static int row_list_room(struct row_list *l)
{
	size_t room = l->room ? l->room * 2 : 16;
	struct store_row *more;

	if (l->cnt < l->room)
		return 0;
	more = reallocarray(l->row, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->row = more;
	l->room = room;
	return 0;
}

static int list_rows(struct store *s, sqlite3_stmt *stmt, struct store_row **ret, size_t *ret_cnt)
{
	struct row_list list = { 0 };
	int r = 0;

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		r = row_list_room(&list);
		if (r == 0)
			r = read_row(s, stmt, &list.row[list.cnt]);
		list.cnt += r == 0;
	}
	if (r < 0) {
		row_list_done(&list);
		return r;
	}
	*ret = list.row;
	*ret_cnt = list.cnt;
	return 0;
}

int store_list(struct store *s, struct store_row **ret, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_LIST, &stmt, "");

	return r < 0 ? r : list_rows(s, stmt, ret, ret_cnt);
}

int store_list_applied(struct store *s, enum policy_mode mode, struct store_row **ret,
		       size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_LIST_APPLIED, &stmt, "i", (int64_t)mode);

	return r < 0 ? r : list_rows(s, stmt, ret, ret_cnt);
}

/* --- finding ----------------------------------------------------------------------------- */

struct found {
	int64_t id;
	size_t cnt;
	char *keys; /* with more than one: the first of them, ", " between */
};

static int add_candidate(struct found *f, const char *key)
{
	char *more;

	if (f->cnt > CANDIDATES_MAX)
		return 0;
	if (asprintf(&more, "%s%s%s", f->keys ? f->keys : "", f->keys ? ", " : "",
		     f->cnt == CANDIDATES_MAX ? "..." : key) < 0)
		return -ENOMEM;
	free(f->keys);
	f->keys = more;
	return 0;
}

static int find_by(struct store *s, enum store_sql how, const char *name, struct found *f)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, how, &stmt, "s", name);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		const char *key = (const char *)sqlite3_column_text(stmt, 1);

		f->id = sqlite3_column_int64(stmt, 0);
		r = key ? add_candidate(f, key) : -ENOMEM;
		f->cnt++;
	}
	return r;
}

static int load_one(struct store *s, int64_t id, struct store_row *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_LIST_ONE, &stmt, "i", id);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "the workload is gone");
	return r < 0 ? r : read_row(s, stmt, ret);
}

int store_find(struct store *s, const char *name, struct store_row *ret, char **ret_candidates)
{
	static const enum store_sql ways[] = { SQL_FIND_KEY, SQL_FIND_NAME, SQL_FIND_PART };
	struct found f = { 0 };
	_free_ char *keys = NULL;
	int r = 0;

	for (size_t i = 0; *name && r == 0 && f.cnt == 0 && i < ARRAY_SIZE(ways); i++)
		r = find_by(s, ways[i], name, &f);
	keys = f.keys;
	if (r < 0)
		return r;
	if (f.cnt == 1)
		return load_one(s, f.id, ret);
	if (f.cnt == 0)
		return store_fail(s, -ENOENT, "no workload is called that");
	if (ret_candidates)
		*ret_candidates = TAKE_PTR(keys);
	return store_fail(s, -ENOTUNIQ, "several workloads are called that");
}
