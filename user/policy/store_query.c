/* SPDX-License-Identifier: Apache-2.0 */
/* How values go in and out of statements, and what their failures mean. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/store_internal.h"

/* --- failures ---------------------------------------------------------------------------- */

/* SQLite keeps the errno of a failed system call beside its own code, though not of one that
 * failed in a COMMIT: then it is still where the system call left it. */
static int errno_of_io(sqlite3 *db, int otherwise)
{
	int left = errno;
	int e = db ? sqlite3_system_errno(db) : 0;

	e = e ? e : left;

	switch (e) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	case EACCES:
	case EPERM:
		return -EACCES;
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EMFILE:
	case ENFILE:
		return -e;
	default:
		return otherwise;
	}
}

static int errno_of_sqlite(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return errno_of_io(db, -EACCES);
	case SQLITE_IOERR:
		return errno_of_io(db, -EIO);
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return -EINVAL;
	default:
		/* CORRUPT, NOTADB; ERROR too: our statements are right, so the schema is not. */
		return -EUCLEAN;
	}
}

int store_fail(struct store *s, int r, const char *fmt, ...)
{
	char why[STORE_ERROR_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	snprintf(s->error, sizeof(s->error), "%.200s: %s", s->path, why);
	return r;
}

int store_fail_sqlite(struct store *s, int rc)
{
	int r = errno_of_sqlite(s->db, rc);
	const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);

	if (r == -EUCLEAN)
		return store_fail(s, r, "not a usable store (%s)", text);
	/* SQLite's text for a failed system call ("disk I/O error") hides which it was. */
	if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN)
		text = strerror(-r);
	return store_fail(s, r, "%s", text);
}

/* --- in ---------------------------------------------------------------------------------- */

static int bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	if (!text)
		return sqlite3_bind_null(stmt, index);
	return sqlite3_bind_text(stmt, index, text, (int)strnlen(text, STORE_TEXT_MAX),
				 SQLITE_STATIC);
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	for (int i = 1; *types && rc == SQLITE_OK; i++, types++) {
		if (*types == 'i')
			rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
		else if (*types == 's')
			rc = bind_text(stmt, i, va_arg(args, const char *));
		else if (*types == 'd')
			rc = sqlite3_bind_double(stmt, i, va_arg(args, double));
		else
			rc = sqlite3_bind_blob(stmt, i, va_arg(args, const struct sysset *),
					       sizeof(struct sysset), SQLITE_STATIC);
	}
	return rc;
}

static int query_args(struct store *s, enum store_sql id, sqlite3_stmt **ret, const char *types,
		      va_list args)
{
	int rc = SQLITE_OK;

	if (!s->stmt[id])
		rc = sqlite3_prepare_v3(s->db, store_sql_text(id), -1, SQLITE_PREPARE_PERSISTENT,
					&s->stmt[id], NULL);
	if (rc == SQLITE_OK)
		rc = bind_all(s->stmt[id], types, args);
	if (rc != SQLITE_OK)
		return store_fail_sqlite(s, rc);
	*ret = s->stmt[id];
	return 0;
}

int store_query(struct store *s, enum store_sql id, sqlite3_stmt **ret, const char *types, ...)
{
	va_list args;
	int r;

	va_start(args, types);
	r = query_args(s, id, ret, types, args);
	va_end(args);
	return r;
}

int store_step(struct store *s, sqlite3_stmt *stmt)
{
	int rc;

	errno = 0;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : store_fail_sqlite(s, rc);
}

int store_run(struct store *s, enum store_sql id, const char *types, ...)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	va_list args;
	int r;

	va_start(args, types);
	r = query_args(s, id, &stmt, types, args);
	va_end(args);
	return r < 0 ? r : store_step(s, stmt);
}

/* --- out --------------------------------------------------------------------------------- */

int store_column_set(struct store *s, sqlite3_stmt *stmt, int col, struct sysset *ret)
{
	const void *blob = sqlite3_column_blob(stmt, col);
	int len = sqlite3_column_bytes(stmt, col);

	if (!blob || len != (int)sizeof(*ret))
		return store_fail(s, -EUCLEAN, "a set of calls has %d bytes instead of %zu", len,
				  sizeof(*ret));
	memcpy(ret, blob, sizeof(*ret));
	return 0;
}

int store_column_stage(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_stage *ret)
{
	int64_t value = sqlite3_column_int64(stmt, col);

	if (value < 0 || value >= TAMIS_STAGE_MAX)
		return store_fail(s, -EUCLEAN, "a stage is out of range");
	*ret = (enum tamis_stage)value;
	return 0;
}

int store_column_abi(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_abi *ret)
{
	int64_t value = sqlite3_column_int64(stmt, col);

	if (value < 0 || value >= TAMIS_ABI_MAX)
		return store_fail(s, -EUCLEAN, "an ABI is out of range");
	*ret = (enum tamis_abi)value;
	return 0;
}

int store_column_upto(struct store *s, sqlite3_stmt *stmt, int col, int64_t max, int64_t *ret)
{
	int64_t value = sqlite3_column_int64(stmt, col);

	if (value < 0 || value > max)
		return store_fail(s, -EUCLEAN, "a number is out of range");
	*ret = value;
	return 0;
}

int store_column_errno(struct store *s, sqlite3_stmt *stmt, int col, int64_t *ret)
{
	int64_t value = sqlite3_column_int64(stmt, col);

	if (value != 0 && value != ENOSYS && value != EPERM)
		return store_fail(s, -EUCLEAN, "an errno that refuses no call");
	*ret = value;
	return 0;
}

uint64_t store_column_u64(sqlite3_stmt *stmt, int col)
{
	int64_t value = sqlite3_column_int64(stmt, col);

	return value > 0 ? (uint64_t)value : 0;
}

int store_column_text(sqlite3_stmt *stmt, int col, char **ret)
{
	const unsigned char *text = sqlite3_column_text(stmt, col);
	char *copy = text ? strdup((const char *)text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}
