/* SPDX-License-Identifier: Apache-2.0 */
/* Mining runs, their units, and what minimising decided. */
#include <errno.h>
#include <string.h>

#include "policy/mines.h"
#include "policy/store_internal.h"

void store_mine_done(struct store_mine *m)
{
	free(m->target);
	free(m->tests);
	free(m->why);
	memset(m, 0, sizeof(*m));
}

/* --- runs -------------------------------------------------------------------------------- */

int store_mine_add(struct store *s, const struct store_mine *m, int64_t *ret_id)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (!m->target)
		return store_fail(s, -EINVAL, "a mining run of nothing");
	r = store_run(s, SQL_MINE_ADD, "iss", m->began, m->target, m->tests);
	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return r;
}

/* A person forgets a workload while its run goes on, and the run with it. */
static int check_changed(struct store *s)
{
	return sqlite3_changes(s->db) > 0 ? 0
					  : store_fail(s, -ENOENT, "the mining run was forgotten");
}

int store_mine_set(struct store *s, const struct store_mine *m)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)m->state >= STORE_MINE_STATE_MAX)
		return store_fail(s, -EINVAL, "a mining run's state out of range");
	r = store_run(s, SQL_MINE_SET, "iiiiiis", m->id, m->workload, m->ended, (int64_t)m->state,
		      (int64_t)m->generation, (int64_t)m->minimised, m->why);
	if (r == 0)
		r = check_changed(s);
	return r < 0 ? r : store_run(s, SQL_MINE_INSTANCES, "iii", m->workload, m->id, m->ended);
}

static int read_numbers(struct store *s, sqlite3_stmt *stmt, struct store_mine *m)
{
	int64_t state = 0, generation = 0, minimised = 0;
	int r = store_column_upto(s, stmt, 4, STORE_MINE_STATE_MAX - 1, &state);

	if (r == 0)
		r = store_column_upto(s, stmt, 5, UINT32_MAX, &generation);
	if (r == 0)
		r = store_column_upto(s, stmt, 6, UINT32_MAX, &minimised);
	m->id = sqlite3_column_int64(stmt, 0);
	m->workload = sqlite3_column_int64(stmt, 1);
	m->began = sqlite3_column_int64(stmt, 2);
	m->ended = sqlite3_column_int64(stmt, 3);
	m->state = (enum store_mine_state)state;
	m->generation = (uint32_t)generation;
	m->minimised = (uint32_t)minimised;
	return r;
}

static int read_mine(struct store *s, sqlite3_stmt *stmt, struct store_mine *ret)
{
	struct store_mine m = { 0 };
	int r = read_numbers(s, stmt, &m);

	if (r == 0)
		r = store_column_text(stmt, 7, &m.target);
	if (r == 0)
		r = store_column_text(stmt, 8, &m.tests);
	if (r == 0)
		r = store_column_text(stmt, 9, &m.why);
	if (r < 0)
		store_mine_done(&m);
	else
		*ret = m;
	return r;
}

int store_mine_last(struct store *s, int64_t workload, struct store_mine *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_MINE_LAST, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "it was never mined");
	return r < 0 ? r : read_mine(s, stmt, ret);
}

int store_mine_minimised(struct store *s, int64_t workload, const char *tests,
			 struct store_mine *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_MINE_MINIMISED, &stmt, "is", workload, tests);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "it was never minimised by these tests");
	return r < 0 ? r : read_mine(s, stmt, ret);
}

/* --- units ------------------------------------------------------------------------------- */

int store_mine_unit(struct store *s, int64_t mine, int64_t now, const char *label,
		    int64_t *ret_unit)
{
	int r = store_need_transaction(s);

	if (r == 0)
		r = store_drop_forgotten(s);
	if (r == 0)
		r = store_run(s, SQL_MINE_UNIT_ADD, "isi", now, label, mine);
	if (r == 0)
		r = check_changed(s);
	if (r < 0)
		return r;
	*ret_unit = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_mine_outcome(struct store *s, int64_t unit, enum matrix_outcome o)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)o >= MATRIX_OUTCOME_MAX)
		return store_fail(s, -EINVAL, "a test's outcome out of range");
	r = store_run(s, SQL_MINE_OUTCOME, "ii", unit, (int64_t)o);
	return r < 0 ? r : check_changed(s);
}

/* --- minimising -------------------------------------------------------------------------- */

static bool is_errno(int64_t errno_ret)
{
	return errno_ret == 0 || errno_ret == ENOSYS || errno_ret == EPERM;
}

int store_minimised_set(struct store *s, int64_t mine, const struct store_minimised *m)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)m->abi >= TAMIS_ABI_MAX || m->nr >= TAMIS_CALLS ||
	    m->state >= STORE_MINIMISED_STATE_MAX || !is_errno(m->errno_ret))
		return store_fail(s, -EINVAL, "what minimising decided is out of range");
	return store_run(s, SQL_MINIMISED_SET, "iiiiis", mine, (int64_t)m->abi, (int64_t)m->nr,
			 (int64_t)m->state, (int64_t)m->errno_ret, m->why);
}

static int read_minimised(struct store *s, sqlite3_stmt *stmt, struct store_minimised *ret)
{
	struct store_minimised m = { 0 };
	int64_t nr = 0, state = 0, errno_ret = 0;
	int r = store_column_abi(s, stmt, 0, &m.abi);

	if (r == 0)
		r = store_column_upto(s, stmt, 1, TAMIS_CALLS - 1, &nr);
	if (r == 0)
		r = store_column_upto(s, stmt, 2, STORE_MINIMISED_STATE_MAX - 1, &state);
	if (r == 0)
		r = store_column_errno(s, stmt, 3, &errno_ret);
	if (r == 0)
		r = store_column_text(stmt, 4, &m.why);
	if (r < 0)
		return r;
	m.nr = (uint32_t)nr;
	m.state = (uint32_t)state;
	m.errno_ret = (uint32_t)errno_ret;
	*ret = m;
	return 0;
}

void store_minimised_free(struct store_minimised *m, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		free(m[i].why);
	free(m);
}

int store_minimised(struct store *s, int64_t mine, struct store_minimised **ret, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct store_minimised *list = NULL;
	size_t cnt = 0;
	int r = store_query(s, SQL_MINIMISED_ALL, &stmt, "i", mine);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_minimised *more = reallocarray(list, cnt + 1, sizeof(*list));

		r = more ? 0 : -ENOMEM;
		list = more ? more : list;
		if (r == 0)
			r = read_minimised(s, stmt, &list[cnt]);
		cnt += r == 0;
	}
	if (r < 0) {
		store_minimised_free(list, cnt);
		return r;
	}
	*ret = list;
	*ret_cnt = cnt;
	return 0;
}
