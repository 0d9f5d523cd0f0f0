/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as a file: opening it, its schema and version, transactions.
 *
 * synchronous=FULL: a commit is on the disk when it returns. NORMAL would survive kill -9 as
 * well, but a power cut could take back every drain since the last checkpoint, uncounted. A
 * drain that brings nothing writes nothing, so the price is one fsync a second at most.
 */
#include "policy/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/store_internal.h"

#define BUSY_MS	 5000
#define PAGE_MIN 512
/* No row of ours is near it; a corrupt length must not make us allocate a gigabyte. */
#define ROW_MAX	 (1 << 20)

/*
 * migrations[v] makes version v+1 of version v. Observations are keyed by unit first: a
 * drain appends to a few pages, whatever the number of workloads. `learned` is their union
 * by workload; `call` has one row for each member of it (first seen, and by whom; last seen
 * is read from the observations).
 */
static const char *const migrations[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;"
	"CREATE TABLE workload (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
	" engine TEXT, name TEXT, image TEXT, image_digest TEXT, first INTEGER NOT NULL,"
	" units INTEGER NOT NULL DEFAULT 0, last_unit INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE instance (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" instance TEXT NOT NULL UNIQUE,"
	" workload INTEGER NOT NULL REFERENCES workload (id) ON DELETE CASCADE,"
	" container TEXT, path TEXT, running INTEGER NOT NULL, starts INTEGER NOT NULL,"
	" lost_range INTEGER NOT NULL, lost_full INTEGER NOT NULL, lost_ring INTEGER NOT NULL,"
	" lost_task INTEGER NOT NULL, lost_gaps INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER, gone INTEGER,"
	" first_unit INTEGER, last_unit INTEGER) STRICT;"
	"CREATE INDEX instance_workload ON instance (workload);"
	"CREATE INDEX instance_running ON instance (id) WHERE running;"
	"CREATE TABLE unit (id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT NULL,"
	" label TEXT) STRICT;"
	"CREATE TABLE observation (unit INTEGER NOT NULL, instance INTEGER NOT NULL"
	" REFERENCES instance (id) ON DELETE CASCADE, stage INTEGER NOT NULL,"
	" abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (unit, instance, stage, abi)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE learned (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, stage INTEGER NOT NULL, abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (workload, stage, abi)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE call (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, stage INTEGER NOT NULL, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" first INTEGER NOT NULL, instance INTEGER, pid INTEGER, comm TEXT, exe TEXT,"
	" PRIMARY KEY (workload, stage, abi, nr)) STRICT, WITHOUT ROWID;",
};

#define SCHEMA_VERSION ((int)ARRAY_SIZE(migrations))

/* The last failure to open: there is no store then that could hold it. */
static _Thread_local char open_error[STORE_ERROR_MAX];

const char *store_error(const struct store *s)
{
	return s ? s->error : open_error;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < SQL_MAX; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

static int run_sql(struct store *s, const char *text)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail_sqlite(s, rc);
}

/* The first column of the only row. */
static int ask_int(struct store *s, const char *text, int *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &stmt, NULL);
	int r;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	r = rc == SQLITE_ROW ? 0 : store_fail_sqlite(s, rc);
	if (r == 0)
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return r;
}

/* --- schema ------------------------------------------------------------------------------ */

/* SQLite reads what is missing of the last page as zeros, and takes a file that is shorter than
 * any page for a new one. A log beside it may still have to complete the file. */
static int check_size(struct store *s)
{
	_free_ char *wal = text_format("%s-wal", s->path);
	struct stat st, wal_st;
	int page = 0, r = ask_int(s, "PRAGMA page_size", &page);

	if (r < 0)
		return r;
	if (!wal)
		return -ENOMEM;
	if (stat(s->path, &st) < 0)
		return store_fail(s, -errno, "%s", strerror(errno));
	if (st.st_size % (page > 0 ? page : PAGE_MIN) == 0)
		return 0;
	if (st.st_size >= PAGE_MIN && stat(wal, &wal_st) == 0 && wal_st.st_size > 0)
		return 0;
	return store_fail(s, -EUCLEAN, "not a usable store (truncated)");
}

/* *ret is 0 for a file that holds nothing yet. */
static int read_version(struct store *s, int *ret)
{
	int id = 0, version = 0, tables = 0, r;

	r = ask_int(s, "PRAGMA application_id", &id);
	if (r == 0)
		r = ask_int(s, "PRAGMA user_version", &version);
	if (r == 0)
		r = ask_int(s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r == 0)
		r = check_size(s);
	if (r < 0)
		return r;
	if (tables == 0 && id == 0 && version == 0) {
		*ret = 0;
		return 0;
	}
	if (id != (int)STORE_APPLICATION_ID || version < 1)
		return store_fail(s, -EUCLEAN, "a database, but not a store of tamis");
	if (version > SCHEMA_VERSION)
		return store_fail(s, -EPROTO, "store version %d, this tamis knows up to %d",
				  version, SCHEMA_VERSION);
	*ret = version;
	return 0;
}

static int migrate_steps(struct store *s)
{
	char pragmas[128];
	int version = 0, r = read_version(s, &version);

	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = run_sql(s, migrations[version]);
	if (r < 0)
		return r;
	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 (int)STORE_APPLICATION_ID, SCHEMA_VERSION);
	return run_sql(s, pragmas);
}

/* One transaction, the version read again inside: another process may be doing the same. */
static int migrate(struct store *s)
{
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = migrate_steps(s);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_db(struct store *s, const char *name, int flags)
{
	int rc = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return store_fail_sqlite(s, rc);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, ROW_MAX);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Until the version is known to be ours, nothing may be written: not even a checkpoint. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return run_sql(s, "PRAGMA cell_size_check=ON");
}

/* "file:" URIs take %XX for what would end the path. */
static char *immutable_uri(const char *path)
{
	char *uri = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&uri, &len);

	if (!f)
		return NULL;
	fputs("file:", f);
	for (; *path; path++)
		fprintf(f, strchr("?#%", *path) ? "%%%02x" : "%c", *path);
	fputs("?immutable=1", f);
	if (fclose(f) == 0)
		return uri;
	free(uri);
	return NULL;
}

/* On a read-only medium SQLite can't make the files that readers of a WAL share. Where
 * nobody can write, nobody has to be watched. */
static int open_immutable(struct store *s, int *ret_version)
{
	_free_ char *wal = text_format("%s-wal", s->path);
	_free_ char *uri = immutable_uri(s->path);
	struct stat st;
	int r;

	if (!wal || !uri)
		return -ENOMEM;
	if (stat(wal, &st) == 0 && st.st_size > 0)
		return store_fail(s, -EROFS, "read-only, and its log was not merged in");
	sqlite3_close(s->db);
	s->db = NULL;
	r = open_db(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	return r < 0 ? r : read_version(s, ret_version);
}

static int open_read(struct store *s)
{
	static const char nothing[] = "nothing was learned yet; is 'tamis daemon' running?";
	struct stat st;
	int version = 0, r;

	if (stat(s->path, &st) < 0)
		return store_fail(s, -errno, "%s", errno == ENOENT ? nothing : strerror(errno));
	r = open_db(s, s->path, SQLITE_OPEN_READONLY);
	if (r == 0)
		r = read_version(s, &version);
	/* ENOENT: that of the log, which could not be made. */
	if (r == -EROFS || r == -EACCES || r == -ENOENT)
		r = open_immutable(s, &version);
	if (r == 0 && version == 0)
		return store_fail(s, -ENOENT, nothing);
	if (r == 0 && version < SCHEMA_VERSION)
		return store_fail(s, -EPROTO, "store version %d, to be migrated by 'tamis daemon'",
				  version);
	return r;
}

/* SQLite would make it readable for all. Only a new file is opened: closing a descriptor of
 * an open store would drop the locks that this process has on it. */
static int make_file(struct store *s)
{
	_close_ int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return store_fail(s, -errno, "%s", strerror(errno));
	return 0;
}

/* The switch to WAL needs the file for itself for a moment, and does not wait for it. */
static int switch_to_wal(struct store *s)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int r = run_sql(s, "PRAGMA journal_mode=WAL");

	for (int i = 0; i < BUSY_MS / 10 && r == -EBUSY; i++) {
		nanosleep(&pause, NULL);
		r = run_sql(s, "PRAGMA journal_mode=WAL");
	}
	return r;
}

static int open_write(struct store *s)
{
	int version = 0, r = make_file(s);

	if (r == 0)
		r = open_db(s, s->path, SQLITE_OPEN_READWRITE);
	if (r == 0 && sqlite3_db_readonly(s->db, "main") == 1)
		return store_fail(s, -EROFS, "%s", strerror(EROFS));
	if (r == 0)
		r = read_version(s, &version);
	if (r == 0)
		r = switch_to_wal(s);
	if (r == 0)
		r = run_sql(s, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
			       " PRAGMA cache_size=-8000; PRAGMA journal_size_limit=16777216");
	if (r < 0)
		return r;
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return version < SCHEMA_VERSION ? migrate(s) : 0;
}

static int open_mode(struct store *s, const char *dir)
{
	int r;

	if (s->mode == STORE_READ)
		return open_read(s);
	r = file_mkdirs(dir, 0700);
	if (r < 0)
		return store_fail(s, r, "%s", strerror(-r));
	return open_write(s);
}

int store_open(const char *dir, enum store_mode mode, struct store **ret)
{
	_cleanup_(store_close) struct store *s = calloc(1, sizeof(*s));
	int r;

	snprintf(open_error, sizeof(open_error), "%s", strerror(ENOMEM));
	if (!s)
		return -ENOMEM;
	s->mode = mode;
	s->path = text_format("%s/tamis.db", dir);
	if (!s->path)
		return -ENOMEM;
	r = open_mode(s, dir);
	if (r < 0) {
		if (s->error[0])
			memcpy(open_error, s->error, sizeof(open_error));
		return r;
	}
	s->error[0] = open_error[0] = '\0';
	*ret = TAKE_PTR(s);
	return 0;
}

/* --- transactions ------------------------------------------------------------------------ */

int store_begin(struct store *s)
{
	return store_run(s, s->mode == STORE_READ ? SQL_BEGIN_READ : SQL_BEGIN_WRITE, "");
}

int store_commit(struct store *s)
{
	return store_run(s, SQL_COMMIT, "");
}

void store_rollback(struct store *s)
{
	char error[STORE_ERROR_MAX];

	/* SQLite has rolled back by itself after some failures (a full disk). */
	if (sqlite3_get_autocommit(s->db))
		return;
	memcpy(error, s->error, sizeof(error));
	(void)store_run(s, SQL_ROLLBACK, "");
	memcpy(s->error, error, sizeof(error));
}

/* --- meta -------------------------------------------------------------------------------- */

int store_meta_set(struct store *s, const char *key, const char *value)
{
	return store_run(s, SQL_META_SET, "ss", key, value);
}

int store_meta_get(struct store *s, const char *key, char **ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	_free_ char *value = NULL;
	int r = store_query(s, SQL_META_GET, &stmt, "s", key);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		r = store_column_text(stmt, 0, &value);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(value);
	return 0;
}
