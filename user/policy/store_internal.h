/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share; nobody else includes it. */
#pragma once

#include <sqlite3.h>

#include "policy/store.h"

#define STORE_APPLICATION_ID TAMIS_MAGIC
#define STORE_VERSION	     6 /* of the schema */
#define STORE_ERROR_MAX	     512
/* Strings from outside are cut at this length; a key that is longer is refused. */
#define STORE_TEXT_MAX	     4096

/* Every statement, prepared once per store when it is first used: store_sql.c has the text. */
enum store_sql {
	SQL_BEGIN_WRITE,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_DATA_VERSION,
	SQL_META_SET,
	SQL_META_GET,
	SQL_WORKLOAD_GET,
	SQL_WORKLOAD_KEY,
	SQL_WORKLOAD_NEXT,
	SQL_WORKLOAD_ADD,
	SQL_WORKLOAD_SET,
	SQL_WORKLOAD_UNIT,
	SQL_WORKLOAD_COUNT,
	SQL_WORKLOAD_OLDEST,
	SQL_WORKLOAD_GONE,
	SQL_WORKLOAD_RUNNING,
	SQL_WORKLOAD_RENAME,
	SQL_WORKLOAD_RESET,
	SQL_WORKLOAD_DEL,
	SQL_WORKLOAD_DEL_EMPTY,
	SQL_WORKLOAD_DEL_FORGOTTEN,
	SQL_ALIAS_GET,
	SQL_ALIAS_ADD,
	SQL_ALIAS_DEL,
	SQL_ALIAS_DEL_ALL,
	SQL_ALIAS_ALL,
	SQL_INNER_ADD,
	SQL_INNER_TRIM,
	SQL_INNER_DEL_ALL,
	SQL_INNER_ALL,
	SQL_IMAGE_ADD,
	SQL_IMAGE_TRIM,
	SQL_IMAGE_DEL_OTHERS,
	SQL_IMAGE_ALL,
	SQL_INSTANCE_GET,
	SQL_INSTANCE_ADD,
	SQL_INSTANCE_SET,
	SQL_INSTANCE_SEEN,
	SQL_INSTANCE_RUNNING,
	SQL_INSTANCE_RUNNING_ALL,
	SQL_INSTANCE_GONE,
	SQL_INSTANCE_GAP,
	SQL_INSTANCE_IN_UNIT,
	SQL_INSTANCE_SETS,
	SQL_INSTANCE_UNITS,
	SQL_INSTANCE_ALL,
	SQL_INSTANCE_LAST,
	SQL_INSTANCE_LEFT,
	SQL_INSTANCE_OTHER,
	SQL_INSTANCE_RESET,
	SQL_INSTANCE_BASELINE,
	SQL_INSTANCE_DEL_GONE,
	SQL_INSTANCE_DEL_FORGOTTEN,
	SQL_SOURCE_GET,
	SQL_SOURCE_ADD,
	SQL_SOURCE_UNIT,
	SQL_UNIT_ADD,
	SQL_UNIT_ALL,
	SQL_UNIT_HAS_WORKLOAD,
	SQL_OBSERVATION_GET,
	SQL_OBSERVATION_ALL,
	SQL_OBSERVATION_SET,
	SQL_OBSERVATION_DEL,
	SQL_OBSERVATION_WITHOUT,
	SQL_OBSERVATION_DEL_EMPTY,
	SQL_FORGOTTEN_ADD,
	SQL_FORGOTTEN_GET,
	SQL_LEARNED_GET,
	SQL_LEARNED_SET,
	SQL_LEARNED_ALL,
	SQL_LEARNED_WITHOUT,
	SQL_LEARNED_DEL_ALL,
	SQL_CALL_ADD,
	SQL_CALL_LOWER,
	SQL_CALL_ORIGIN,
	SQL_CALL_COPY,
	SQL_CALL_ALL,
	SQL_CALL_DEL,
	SQL_CALL_DEL_ALL,
	SQL_VERDICT_SET,
	SQL_VERDICT_MINED,
	SQL_VERDICT_PERSON,
	SQL_VERDICT_UNMINE,
	SQL_VERDICT_MADE,
	SQL_VERDICT_DEL,
	SQL_VERDICT_DEL_ALL,
	SQL_VERDICT_ALL,
	SQL_DENIAL_HAS,
	SQL_DENIAL_ADD,
	SQL_DENIAL_TRIM,
	SQL_DENIAL_ALL,
	SQL_DENIAL_ASKED,
	SQL_DENIAL_SUM,
	SQL_COUNTED_SET,
	SQL_COUNTED_DEL,
	SQL_COUNTED_DEL_OTHERS,
	SQL_COUNTED_ALL,
	SQL_DENIAL_DEL_ALL,
	SQL_ORACLE_SET,
	SQL_ORACLE_GET,
	SQL_ORACLE_ALL,
	SQL_ORACLE_DEL,
	SQL_ORACLE_AT_WORK,
	SQL_ORACLE_CALL_SET,
	SQL_ORACLE_CALL_ALL,
	SQL_ORACLE_CALL_ALLOWED,
	SQL_ORACLE_CALL_DEL_ALL,
	SQL_ORACLE_LOOP_ADD,
	SQL_ORACLE_LOOP_TRIM,
	SQL_ORACLE_LOOP_COUNT,
	SQL_ORACLE_LOOP_DEL_ALL,
	SQL_GENERATION_NEWEST,
	SQL_GENERATION_ADD,
	SQL_GENERATION_ADD_SET,
	SQL_GENERATION_ADD_DENIED,
	SQL_GENERATION_ADD_IMAGE,
	SQL_GENERATION_GET,
	SQL_GENERATION_SETS,
	SQL_GENERATION_DENIED,
	SQL_GENERATION_IMAGES,
	SQL_GENERATION_NUMBERS,
	SQL_GENERATION_STATE,
	SQL_GENERATION_DEL_ALL,
	SQL_APPLIED_SET,
	SQL_APPLIED_DEL,
	SQL_APPLIED_GET,
	SQL_APPLIED_ALL,
	SQL_MERGE_LEARNED,
	SQL_MERGE_CALLS,
	SQL_MERGE_FIRSTS,
	SQL_MERGE_INNER,
	SQL_MERGE_IMAGES,
	SQL_MERGE_VERDICTS,
	SQL_MERGE_DENIALS,
	SQL_MERGE_ORACLE_CALLS,
	SQL_MERGE_WORKLOAD,
	SQL_MERGE_TEXTS,
	SQL_MERGE_INSTANCES,
	SQL_MERGE_ALIASES,
	SQL_FOLD_GROUP,
	SQL_FOLD_UNITS,
	SQL_FOLD_COUNT,
	SQL_FOLD_SETS,
	SQL_FOLD_DEL_SETS,
	SQL_FOLD_DEL_UNIT,
	SQL_FOLD_INSTANCES,
	SQL_FOLD_WORKLOADS,
	SQL_FOLD_UNIT,
	SQL_MINE_ADD,
	SQL_MINE_SET,
	SQL_MINE_INSTANCES,
	SQL_MINE_LAST,
	SQL_MINE_MINIMISED,
	SQL_MINE_DEL_ALL,
	SQL_MINE_DEL_OLD,
	SQL_MINE_UNIT_ADD,
	SQL_MINE_OUTCOME,
	SQL_MINIMISED_SET,
	SQL_MINIMISED_ALL,
	SQL_MATRIX_NTH,
	SQL_MATRIX_UNITS,
	SQL_MATRIX_SETS,
	SQL_MATRIX_MINE_UNITS,
	SQL_COVERAGE_SET,
	SQL_COVERAGE_GET,
	SQL_COVERAGE_DEL,
	SQL_MERGE_MINES,
	SQL_NAP_ADD,
	SQL_NAP_FOLD,
	SQL_NAP_DEL_FOLDED,
	SQL_NAP_ALL,
	SQL_LIFE_ALL,
	SQL_FIND_KEY,
	SQL_FIND_NAME,
	SQL_FIND_PART,
	SQL_LIST,
	SQL_LIST_APPLIED,
	SQL_LIST_ONE,
	SQL_MAX,
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	int64_t data_version;
	sqlite3_stmt *stmt[SQL_MAX];
	char error[STORE_ERROR_MAX];
};

/* The version of an open database; 0 when it holds nothing yet. -EPROTO, -EUCLEAN. */
int store_version(struct store *s, int *ret);
/* Brings it to STORE_VERSION, in one transaction. */
int store_migrate(struct store *s);
/* Whether a log waits to be merged into the file. */
bool store_has_log(const struct store *s);
/* Sets in SQL, for an open database: sets_or(a, b), sets_without(a, b), sets_has(set, nr). */
int store_add_functions(struct store *s);
/* Several tables change together, so there must be somebody to commit them together: -EINVAL
 * outside of a transaction that may write. */
int store_need_transaction(struct store *s);

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

/* The text of a statement. */
const char *store_sql_text(enum store_sql id);
/* Binds by `types`, one letter a parameter: i int64_t, d double, s const char * (NULL: unknown),
 * b const struct sysset * (NULL likewise). What is bound must live until the statement is reset. */
int store_query(struct store *s, enum store_sql id, sqlite3_stmt **ret, const char *types, ...);
/* 1: a row is there; 0: no more. */
int store_step(struct store *s, sqlite3_stmt *stmt);
/* Statements that are used once, without rows. */
int store_exec(struct store *s, const char *text);
/* A statement without rows. */
int store_run(struct store *s, enum store_sql id, const char *types, ...);

/* The statements of what was refused, and of who decides on it: store_sql_denial.c. */
const char *store_sql_denial(enum store_sql id);
/* Those of mining and completeness: store_sql_mine.c. */
const char *store_sql_mine(enum store_sql id);

/* SQLite's integers end sooner. */
static inline int64_t store_int(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Columns are bounded: what does not fit is -EUCLEAN. */
int store_column_set(struct store *s, sqlite3_stmt *stmt, int col, struct sysset *ret);
int store_column_stage(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_stage *ret);
int store_column_abi(struct store *s, sqlite3_stmt *stmt, int col, enum tamis_abi *ret);
/* A number from 0 (also for NULL) to max. */
int store_column_upto(struct store *s, sqlite3_stmt *stmt, int col, int64_t max, int64_t *ret);
/* 0, ENOSYS or EPERM. */
int store_column_errno(struct store *s, sqlite3_stmt *stmt, int col, int64_t *ret);
uint64_t store_column_u64(sqlite3_stmt *stmt, int col);
/* A copy; *ret is NULL for NULL. */
int store_column_text(sqlite3_stmt *stmt, int col, char **ret);

/* Texts of the first column of a statement about one workload. Caller frees each and the array. */
int store_texts(struct store *s, enum store_sql which, int64_t workload, char ***ret,
		size_t *ret_cnt);

/* The workload's newest image, as of `now`: one more of those it was seen with. */
int store_image(struct store *s, int64_t workload, const char *digest, int64_t now);
/* Comes down to GENERATION_IMAGES_MAX. */
int store_image_trim(struct store *s, int64_t workload);

/* A set and where it belongs. */
struct store_place {
	int64_t instance;
	int64_t workload;
	int64_t unit;
	int64_t time; /* when its calls were made, true to the unit */
	bool late;    /* later units may be in the store already */
	enum tamis_stage stage;
	enum tamis_abi abi;
};
/* Merges calls into what the workload is known to do, with a row for each new one. */
int store_know(struct store *s, const struct store_place *p, const struct sysset *calls);

/* Comes down to STORE_DENIALS_MAX. */
int store_denial_trim(struct store *s, int64_t workload);

/* What the workload `from` knows becomes that of `into` too. */
int store_absorb(struct store *s, int64_t into, int64_t from);
/* Takes a workload out, whatever belongs to it too. */
int store_drop_workload(struct store *s, int64_t workload);
/* Instances that were forgotten while they ran, and are gone without one call more. */
int store_drop_forgotten(struct store *s);

/* Of one stage, ABI and number, as the observations have it. */
struct store_seen {
	int64_t first, last; /* 0: not seen */
	int64_t by;	     /* instance that made it first, */
	size_t by_index;     /* and which of store_sightings.instance it is */
	uint32_t replicas;   /* containers that made it */
};
struct store_sightings {
	struct store_seen at[TAMIS_STAGE_MAX][TAMIS_ABI_MAX][TAMIS_CALLS];
	struct store_replica {
		int64_t id, first, first_unit, last_unit;
		char *container; /* NULL: it stands for itself */
		bool is_source;	 /* no container at all */
		size_t group;	 /* the same for all lives of a container */
	} * instance;		 /* that made a call, by first unit */
	size_t cnt, room, groups;
};
int store_sightings(struct store *s, int64_t workload, struct store_sightings *ret);
/* Makes the firsts of all calls as early as the observations have them. */
int store_lower_firsts(struct store *s);
void store_sightings_done(struct store_sightings *seen);
