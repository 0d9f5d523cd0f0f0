/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which unit made which calls. First the units, then the sets of each instance between the first and
 * the last of them: what a life of an instance is long, not how many there ever were.
 */
#include <errno.h>
#include <string.h>

#include "policy/mines.h"
#include "policy/store_internal.h"

struct reading {
	struct matrix matrix;
	int64_t *id; /* of its units, growing */
	size_t room;
};

static void reading_done(struct reading *r)
{
	matrix_done(&r->matrix);
	free(r->id);
}
#define _reading_ __attribute__((cleanup(reading_done)))

static void reading_empty(struct reading *r)
{
	matrix_done(&r->matrix);
	r->matrix = (struct matrix){ 0 };
}

/* --- units ------------------------------------------------------------------------------- */

static int reading_room(struct reading *r)
{
	size_t room = r->room ? r->room * 2 : 64;
	int64_t *more;

	if (r->matrix.cnt < r->room)
		return 0;
	more = reallocarray(r->id, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->id = more;
	r->room = room;
	return 0;
}

/* None of ours is longer: another label would have us allocate a megabyte a unit. */
static int check_label(struct store *s, sqlite3_stmt *stmt, int col)
{
	return sqlite3_column_bytes(stmt, col) <= STORE_TEXT_MAX
		       ? 0
		       : store_fail(s, -EUCLEAN, "a sampling unit's label is too long");
}

static int read_unit(struct store *s, sqlite3_stmt *stmt, struct reading *into)
{
	struct matrix_unit *unit = NULL;
	int64_t outcome = 0;
	int r = check_label(s, stmt, 2);

	if (r == 0)
		r = store_column_upto(s, stmt, 3, MATRIX_OUTCOME_MAX - 1, &outcome);
	if (r == 0)
		r = reading_room(into);
	if (r)
		return r;
	into->id[into->matrix.cnt] = sqlite3_column_int64(stmt, 0);
	r = matrix_add(&into->matrix, (const char *)sqlite3_column_text(stmt, 2),
		       sqlite3_column_int64(stmt, 1), &unit);
	if (r == 0)
		unit->outcome = (enum matrix_outcome)outcome;
	return r;
}

static int read_units(struct store *s, sqlite3_stmt *stmt, struct reading *into)
{
	int r = 0;

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = read_unit(s, stmt, into);
	return r;
}

static int units_of_run(struct store *s, int64_t mine, struct reading *into)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_MATRIX_MINE_UNITS, &stmt, "ii", mine, (int64_t)STORE_MATRIX_MAX);

	return r < 0 ? r : read_units(s, stmt, into);
}

/* The unit before which there are so many newer ones; 0: none. */
static int nth_newest(struct store *s, int64_t n, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_MATRIX_NTH, &stmt, "i", n);

	if (r == 0)
		r = store_step(s, stmt);
	if (r < 0)
		return r;
	*ret = r ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

static int units_since(struct store *s, int64_t workload, int64_t since, struct reading *into)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_MATRIX_UNITS, &stmt, "iiiii", workload, since,
			    (int64_t)TAMIS_WORKLOAD, (int64_t)TAMIS_SESSION,
			    (int64_t)STORE_MATRIX_MAX);

	return r < 0 ? r : read_units(s, stmt, into);
}

/* Who runs all the time is in all of the newest; for who seldom runs it is looked further back. */
static int units_of_workload(struct store *s, int64_t workload, struct reading *into)
{
	int64_t since = 1;
	int r = 0;

	for (int64_t n = STORE_MATRIX_MAX; r == 0 && since && into->matrix.cnt < STORE_MATRIX_MAX;
	     n *= 4) {
		reading_empty(into);
		r = nth_newest(s, n, &since);
		if (r == 0)
			r = units_since(s, workload, since, into);
	}
	return r;
}

/* --- sets -------------------------------------------------------------------------------- */

static struct matrix_unit *find_unit(const struct reading *in, int64_t id)
{
	size_t low = 0, high = in->matrix.cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (in->id[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < in->matrix.cnt && in->id[low] == id ? &in->matrix.unit[low] : NULL;
}

static int read_set(struct store *s, sqlite3_stmt *stmt, struct reading *into)
{
	struct matrix_unit *unit = find_unit(into, sqlite3_column_int64(stmt, 0));
	enum tamis_abi abi = 0;
	struct sysset calls;
	int r = store_column_abi(s, stmt, 1, &abi);

	if (r == 0)
		r = store_column_set(s, stmt, 2, &calls);
	if (r == 0 && unit)
		sysset_merge(&unit->set[abi], &calls);
	return r;
}

static int read_sets(struct store *s, int64_t workload, int64_t mine, struct reading *into)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	size_t cnt = into->matrix.cnt;
	int r;

	if (cnt == 0)
		return 0;
	r = store_query(s, SQL_MATRIX_SETS, &stmt, "iiiiii", workload, into->id[0],
			(int64_t)TAMIS_WORKLOAD, (int64_t)TAMIS_SESSION, into->id[cnt - 1], mine);
	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = read_set(s, stmt, into);
	return r;
}

int store_matrix(struct store *s, int64_t workload, int64_t mine, struct matrix *ret)
{
	_reading_ struct reading in = { 0 };
	int r = mine ? units_of_run(s, mine, &in) : units_of_workload(s, workload, &in);

	if (r == 0)
		r = read_sets(s, workload, mine, &in);
	if (r < 0)
		return r;
	*ret = in.matrix;
	in.matrix = (struct matrix){ 0 };
	return 0;
}
