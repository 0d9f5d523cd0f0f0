/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share; nobody else includes it. */
#pragma once

#include <sqlite3.h>

#include "policy/store.h"

#define STORE_APPLICATION_ID TAMIS_MAGIC
#define STORE_VERSION	     1 /* of the schema */
#define STORE_ERROR_MAX	     512
/* Strings from outside are cut at this length; a key that is longer is refused. */
#define STORE_TEXT_MAX	     4096

/* Every statement, prepared once per store when it is first used: store_sql.c has the text. */
enum store_sql {
	SQL_BEGIN_WRITE,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_META_SET,
	SQL_META_GET,
	SQL_WORKLOAD_GET,
	SQL_WORKLOAD_ADD,
	SQL_WORKLOAD_SET,
	SQL_WORKLOAD_UNIT,
	SQL_WORKLOAD_DEL_EMPTY,
	SQL_INSTANCE_GET,
	SQL_INSTANCE_ADD,
	SQL_INSTANCE_SET,
	SQL_INSTANCE_SEEN,
	SQL_INSTANCE_RUNNING,
	SQL_INSTANCE_GONE,
	SQL_INSTANCE_GAP,
	SQL_INSTANCE_IN_UNIT,
	SQL_INSTANCE_SETS,
	SQL_INSTANCE_UNITS,
	SQL_UNIT_ADD,
	SQL_UNIT_HAS_WORKLOAD,
	SQL_OBSERVATION_GET,
	SQL_OBSERVATION_SET,
	SQL_LEARNED_GET,
	SQL_LEARNED_SET,
	SQL_LEARNED_ALL,
	SQL_CALL_ADD,
	SQL_CALL_ORIGIN,
	SQL_CALL_COPY,
	SQL_CALL_ALL,
	SQL_OBSERVED_ALL,
	SQL_FIND_KEY,
	SQL_FIND_NAME,
	SQL_FIND_PART,
	SQL_LIST,
	SQL_LIST_ONE,
	SQL_MAX,
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	sqlite3_stmt *stmt[SQL_MAX];
	char error[STORE_ERROR_MAX];
};

/* The version of an open database; 0 when it holds nothing yet. -EPROTO, -EUCLEAN. */
int store_version(struct store *s, int *ret);
/* Brings it to STORE_VERSION, in one transaction. */
int store_migrate(struct store *s);
/* Whether a log waits to be merged into the file. */
bool store_has_log(const struct store *s);

/* A statement in use; reset when its scope ends, so that no read transaction outlives it. */
static inline void stmt_resetp(sqlite3_stmt **p)
{
	if (*p) {
		(void)sqlite3_reset(*p);
		(void)sqlite3_clear_bindings(*p);
	}
}

#define _stmt_ __attribute__((cleanup(stmt_resetp)))

/* Notes why and returns the errno that says the same as SQLite's result `rc`. */
int store_fail_sqlite(struct store *s, int rc);
/* Notes a reason of our own and returns r. */
int store_fail(struct store *s, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Binds by `types`, one letter a parameter: i int64_t, s const char * (NULL: unknown),
 * b const struct sysset *. What is bound must live until the statement is reset. */
int store_query(struct store *s, enum store_sql id, sqlite3_stmt **ret, const char *types, ...);
/* 1: a row is there; 0: no more. */
int store_step(struct store *s, sqlite3_stmt *stmt);
/* Statements that are used once, without rows. */
int store_exec(struct store *s, const char *text);
/* A statement without rows. */
int store_run(struct store *s, enum store_sql id, const char *types, ...);

/* Columns are bounded: what does not fit is -EUCLEAN. */
int store_column_set(struct store *s, sqlite3_stmt *stmt, int col, struct sysset *ret);
int store_column_stage(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_stage *ret);
int store_column_abi(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_abi *ret);
uint64_t store_column_u64(sqlite3_stmt *stmt, int col);
/* A copy; *ret is NULL for NULL. */
int store_column_text(sqlite3_stmt *stmt, int col, char **ret);
