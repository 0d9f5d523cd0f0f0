/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as a file: opening it, transactions.
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
#include <unistd.h>

#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "policy/store_internal.h"

/* Whoever applies to a unit holds the store while systemd reloads, which takes as long as it takes. */
#define BUSY_MS 30000
/* No row of ours is near it; a corrupt length must not make us allocate a gigabyte. */
#define ROW_MAX (1 << 20)

static const char nothing[] = "nothing was learned yet; is 'tamis daemon' running?";

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

int store_exec(struct store *s, const char *text)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail_sqlite(s, rc);
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_db(struct store *s, const char *name, int flags)
{
	int rc = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL), r;

	if (rc != SQLITE_OK)
		return store_fail_sqlite(s, rc);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, ROW_MAX);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Until the version is known to be ours, a log that somebody left stays as it is. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, store_has_log(s), NULL);
	r = store_add_functions(s);
	return r < 0 ? r : store_exec(s, "PRAGMA cell_size_check=ON");
}

/* "file:" URIs take %XX for what would end the path. */
static char *immutable_uri(const char *path)
{
	char *uri = NULL;
	size_t len = 0;
	FILE *f = stream_open(&uri, &len);

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

bool store_has_log(const struct store *s)
{
	_free_ char *wal = text_format("%s-wal", s->path);
	struct stat st;

	return !wal || (stat(wal, &st) == 0 && st.st_size > 0);
}

/* On a read-only medium the files that readers of a log share can't be made. Where nobody can
 * write, nobody has to be watched: the file is read as it is. */
static int open_read_only_medium(struct store *s, int *ret_version)
{
	_free_ char *uri = immutable_uri(s->path);
	int r;

	if (!uri)
		return -ENOMEM;
	if (store_has_log(s))
		return store_fail(s, -EROFS, "read-only, and its log was not merged in");
	sqlite3_close(s->db);
	s->db = NULL;
	r = open_db(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	return r < 0 ? r : store_version(s, ret_version);
}

/* What holds nothing is not there; an older one is the daemon's to migrate. */
static int check_version(struct store *s, int version)
{
	if (version == 0)
		return store_fail(s, -ENOENT, nothing);
	if (version < STORE_VERSION)
		return store_fail(s, -EPROTO, "store version %d, to be migrated by 'tamis daemon'",
				  version);
	return 0;
}

static int check_file(struct store *s)
{
	struct stat st;

	if (stat(s->path, &st) == 0)
		return 0;
	return store_fail(s, -errno, "%s", errno == ENOENT ? nothing : strerror(errno));
}

static int open_read(struct store *s)
{
	int version = 0, r = check_file(s);

	if (r < 0)
		return r;
	/* Who may write can take the shared files away again when it is the last to leave. */
	r = open_db(s, s->path, SQLITE_OPEN_READWRITE);
	if (r == 0)
		r = store_exec(s, "PRAGMA query_only=ON");
	if (r == 0)
		r = store_version(s, &version);
	/* ENOENT: that of the log, which could not be made. */
	if (r == -EROFS || r == -EACCES || r == -ENOENT)
		r = open_read_only_medium(s, &version);
	return r < 0 ? r : check_version(s, version);
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
	int r = store_exec(s, "PRAGMA journal_mode=WAL");

	for (int i = 0; i < BUSY_MS / 10 && r == -EBUSY; i++) {
		nanosleep(&pause, NULL);
		r = store_exec(s, "PRAGMA journal_mode=WAL");
	}
	return r;
}

static int open_to_write(struct store *s, int *ret_version)
{
	int r = open_db(s, s->path, SQLITE_OPEN_READWRITE);

	if (r == 0 && sqlite3_db_readonly(s->db, "main") == 1)
		return store_fail(s, access(s->path, W_OK) < 0 ? -errno : -EROFS, "read-only");
	return r < 0 ? r : store_version(s, ret_version);
}

static int prepare_to_write(struct store *s)
{
	int r = switch_to_wal(s);

	if (r == 0)
		r = store_exec(s, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
				  " PRAGMA cache_size=-2000; PRAGMA journal_size_limit=16777216");
	if (r == 0)
		(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return r;
}

/* All that a command reads, it reads after nobody else can write any more. */
static int open_edit(struct store *s)
{
	int version = 0, r = check_file(s);

	if (r == 0)
		r = open_to_write(s, &version);
	if (r == 0)
		r = check_version(s, version);
	if (r == 0)
		r = prepare_to_write(s);
	return r < 0 ? r : store_begin(s);
}

static int open_write(struct store *s)
{
	int version = 0, r = make_file(s);

	if (r == 0)
		r = open_to_write(s, &version);
	if (r == 0)
		r = prepare_to_write(s);
	return r == 0 && version < STORE_VERSION ? store_migrate(s) : r;
}

static int open_mode(struct store *s, const char *dir)
{
	int r;

	if (s->mode == STORE_READ)
		return open_read(s);
	if (s->mode == STORE_EDIT)
		return open_edit(s);
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
	(void)store_changed(s);
	s->error[0] = open_error[0] = '\0';
	*ret = TAKE_PTR(s);
	return 0;
}

/* --- transactions ------------------------------------------------------------------------ */

int store_begin(struct store *s)
{
	if (s->mode == STORE_EDIT && !sqlite3_get_autocommit(s->db))
		return 0;
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

int store_need_transaction(struct store *s)
{
	if (s->mode != STORE_READ && !sqlite3_get_autocommit(s->db))
		return 0;
	return store_fail(s, -EINVAL, "written to outside of a transaction");
}

/* Not known is taken for changed. */
void store_touched(struct store *s)
{
	s->data_version = -1;
}

bool store_changed(struct store *s)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t version = 0;
	int r = store_query(s, SQL_DATA_VERSION, &stmt, "");

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		version = sqlite3_column_int64(stmt, 0);
	if (r > 0 && version == s->data_version)
		return false;
	s->data_version = version;
	return true;
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
