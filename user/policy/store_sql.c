/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of the store, and how values go in and out of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/store_internal.h"

/* Sets are stored as they are in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "call sets are little-endian words");

#define ROW_COLUMNS                                                                 \
	"SELECT w.id, w.key, w.engine, w.name, w.image, w.image_digest, w.units,"   \
	" count(i.id), max(i.running), sum(i.starts), min(i.first), max(i.last),"   \
	" sum(i.lost_range), sum(i.lost_full), sum(i.lost_ring), sum(i.lost_task)," \
	" sum(i.lost_gaps)"                                                         \
	" FROM workload w LEFT JOIN instance i ON i.workload = w.id"

static const char *const sql[SQL_MAX] = {
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",

	[SQL_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
			 " ON CONFLICT DO UPDATE SET value = ?2 WHERE value IS NOT ?2",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",

	/* The second column: nothing would change. Unknown (NULL) never replaces known. */
	[SQL_WORKLOAD_GET] = "SELECT id, ifnull(?2, engine) IS engine AND ifnull(?3, name) IS name"
			     " AND ifnull(?4, image) IS image"
			     " AND ifnull(?5, image_digest) IS image_digest"
			     " FROM workload WHERE key = ?1",
	[SQL_WORKLOAD_ADD] = "INSERT INTO workload (key, engine, name, image, image_digest, first)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_WORKLOAD_SET] = "UPDATE workload SET engine = ifnull(?2, engine),"
			     " name = ifnull(?3, name), image = ifnull(?4, image),"
			     " image_digest = ifnull(?5, image_digest) WHERE id = ?1",
	[SQL_WORKLOAD_UNIT] = "UPDATE workload SET units = units + 1,"
			      " last_unit = max(last_unit, ?2) WHERE id = ?1",
	[SQL_WORKLOAD_DEL_EMPTY] = "DELETE FROM workload WHERE id = ?1 AND NOT EXISTS"
				   " (SELECT 1 FROM instance WHERE workload = ?1)",

	[SQL_INSTANCE_GET] =
		"SELECT id, workload, workload = ?2 AND ifnull(?3, container) IS container"
		" AND ifnull(?4, path) IS path AND running = ?5 AND starts >= ?6"
		" AND lost_range >= ?7 AND lost_full >= ?8 AND lost_ring >= ?9"
		" AND lost_task >= ?10 AND lost_gaps >= ?11"
		" FROM instance WHERE instance = ?1",
	[SQL_INSTANCE_ADD] =
		"INSERT INTO instance (instance, workload, container, path, running, starts,"
		" lost_range, lost_full, lost_ring, lost_task, lost_gaps, first)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[SQL_INSTANCE_SET] =
		"UPDATE instance SET workload = ?2, container = ifnull(?3, container),"
		" path = ifnull(?4, path), running = ?5, starts = max(starts, ?6),"
		" lost_range = max(lost_range, ?7), lost_full = max(lost_full, ?8),"
		" lost_ring = max(lost_ring, ?9), lost_task = max(lost_task, ?10),"
		" lost_gaps = max(lost_gaps, ?11), gone = iif(?5, NULL, ifnull(gone, ?12))"
		" WHERE id = ?1",
	[SQL_INSTANCE_SEEN] = "UPDATE instance SET last = max(ifnull(last, ?2), ?2),"
			      " first_unit = min(ifnull(first_unit, ?3), ?3),"
			      " last_unit = max(ifnull(last_unit, ?3), ?3) WHERE id = ?1",
	[SQL_INSTANCE_RUNNING] = "SELECT id FROM instance WHERE running",
	[SQL_INSTANCE_GONE] = "UPDATE instance SET running = 0, gone = ?2 WHERE id = ?1",
	[SQL_INSTANCE_GAP] = "UPDATE instance SET lost_gaps = lost_gaps + 1 WHERE instance = ?1",
	/* When its calls of that unit were made: in the unit, and not before it was there. */
	[SQL_INSTANCE_IN_UNIT] = "SELECT i.workload, w.last_unit, max(i.first, u.began)"
				 " FROM instance i, workload w, unit u"
				 " WHERE i.id = ?1 AND w.id = i.workload AND u.id = ?2",
	[SQL_INSTANCE_SETS] = "SELECT o.stage, o.abi, o.calls, max(i.first, u.began)"
			      " FROM instance i CROSS JOIN unit u CROSS JOIN observation o"
			      " WHERE i.id = ?1 AND u.id BETWEEN i.first_unit AND i.last_unit"
			      " AND o.unit = u.id AND o.instance = i.id",
	[SQL_INSTANCE_UNITS] =
		"UPDATE workload SET (units, last_unit) = (SELECT count(DISTINCT o.unit),"
		" ifnull(max(o.unit), 0) FROM instance i CROSS JOIN unit u CROSS JOIN observation o"
		" WHERE i.workload = ?1 AND u.id BETWEEN i.first_unit AND i.last_unit"
		" AND o.unit = u.id AND o.instance = i.id) WHERE id = ?1",

	[SQL_UNIT_ADD] = "INSERT INTO unit (began, label) VALUES (?1, ?2)",
	[SQL_UNIT_HAS_WORKLOAD] =
		"SELECT 1 FROM instance i CROSS JOIN observation o WHERE i.workload = ?1"
		" AND o.unit = ?2 AND o.instance = i.id LIMIT 1",

	[SQL_OBSERVATION_GET] = "SELECT calls FROM observation"
				" WHERE unit = ?1 AND instance = ?2 AND stage = ?3 AND abi = ?4",
	[SQL_OBSERVATION_SET] = "INSERT INTO observation (unit, instance, stage, abi, calls)"
				" VALUES (?1, ?2, ?3, ?4, ?5)"
				" ON CONFLICT DO UPDATE SET calls = ?5",
	[SQL_LEARNED_GET] = "SELECT calls FROM learned"
			    " WHERE workload = ?1 AND stage = ?2 AND abi = ?3",
	[SQL_LEARNED_SET] = "INSERT INTO learned (workload, stage, abi, calls)"
			    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET calls = ?4",
	[SQL_LEARNED_ALL] = "SELECT stage, abi, calls FROM learned WHERE workload = ?1",

	[SQL_CALL_ADD] = "INSERT INTO call (workload, stage, abi, nr, first)"
			 " VALUES (?1, ?2, ?3, ?4, ?5)"
			 " ON CONFLICT DO UPDATE SET first = ?5 WHERE first > ?5",
	[SQL_CALL_ORIGIN] =
		"INSERT INTO call (workload, stage, abi, nr, first, instance, pid, comm, exe)"
		" SELECT workload, ?2, ?3, ?4, ?5, ?1, ?6, ?7, ?8 FROM instance"
		" WHERE id = ?1"
		" ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
		" instance = ?1, pid = ?6, comm = ?7, exe = ?8 WHERE instance IS NULL",
	[SQL_CALL_COPY] =
		"INSERT OR IGNORE INTO call (workload, stage, abi, nr, first, instance, pid,"
		" comm, exe) SELECT ?1, stage, abi, nr, first, instance, pid, comm, exe FROM call"
		" WHERE workload = ?2 AND instance = ?3",
	[SQL_CALL_ALL] = "SELECT abi, nr, stage, first, pid, comm, exe FROM call"
			 " WHERE workload = ?1 ORDER BY abi, nr, stage",
	[SQL_OBSERVED_ALL] = "SELECT o.stage, o.abi, o.calls, max(i.first, u.began)"
			     " FROM instance i CROSS JOIN unit u CROSS JOIN observation o"
			     " WHERE i.workload = ?1 AND u.id BETWEEN i.first_unit AND i.last_unit"
			     " AND o.unit = u.id AND o.instance = i.id",

	[SQL_FIND_KEY] = "SELECT id, key FROM workload WHERE key = ?1",
	[SQL_FIND_NAME] = "SELECT id, key FROM workload WHERE name = ?1 ORDER BY key LIMIT 9",
	[SQL_FIND_PART] = "SELECT id, key FROM workload WHERE instr(key, ?1) > 0"
			  " OR instr(name, ?1) > 0 ORDER BY key LIMIT 9",
	[SQL_LIST] = ROW_COLUMNS " GROUP BY w.id ORDER BY w.key",
	[SQL_LIST_ONE] = ROW_COLUMNS " WHERE w.id = ?1 GROUP BY w.id",
};

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
		rc = sqlite3_prepare_v3(s->db, sql[id], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[id],
					NULL);
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
