/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an older version left: all of it is there afterwards, or it is as it was. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/file.h"
#include "store_fixture.h"

/* As version 1 made it. */
static const char schema1[] =
	"PRAGMA journal_mode=WAL;"
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
	" PRIMARY KEY (workload, stage, abi, nr)) STRICT, WITHOUT ROWID;"
	"PRAGMA application_id=1952543597; PRAGMA user_version=1";

/* Sets of call 1, and of calls 1 and 2. */
#define SET1  "CAST(x'02' || zeroblob(71) AS BLOB)"
#define SET12 "CAST(x'06' || zeroblob(71) AS BLOB)"

/* 200 workloads that go, and one that runs as two instances; call 2 was drained late: what the
 * call says of its first is later than what the unit says. */
static const char content1[] =
	"INSERT INTO meta VALUES ('units', 'boot 7 3 2');"
	"WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200)"
	" INSERT INTO workload SELECT NULL, 'docker/w' || n, 'docker', 'w' || n, 'img', 'sha256:0',"
	" 1700000000, 1, 1 FROM n;"
	"INSERT INTO instance SELECT NULL, 'boot/' || id, id, 'c' || id, '/x', 0, 1, 0, 0, 0, 0, 0,"
	" 1700000000, 1700000001, 1700000002, 1, 1 FROM workload;"
	"INSERT INTO workload VALUES (201, 'podman/redis', 'podman', 'redis', NULL, NULL,"
	" 1700000000, 3, 3);"
	"INSERT INTO instance VALUES (201, 'boot/a', 201, 'abc', '/a', 1, 2, 1, 2, 3, 4, 5,"
	" 1700000000, 1700000130, NULL, 1, 3);"
	"INSERT INTO instance VALUES (202, 'boot/b', 201, NULL, '/b', 0, 1, 0, 0, 0, 0, 0,"
	" 1700000060, 1700000070, 1700000080, 2, 2);"
	"INSERT INTO unit VALUES (1, 1700000000, NULL), (2, 1700000060, 'before'),"
	" (3, 1700000120, NULL);"
	"INSERT INTO observation SELECT 1, id, 2, 0, " SET1 " FROM workload;"
	"INSERT INTO observation VALUES (2, 201, 2, 0, " SET12 "), (3, 201, 2, 0, " SET12 "),"
	" (2, 202, 3, 1, " SET1 ");"
	"INSERT INTO learned SELECT id, 2, 0, " SET12 " FROM workload;"
	"INSERT INTO learned VALUES (201, 3, 1, " SET1 ");"
	"INSERT INTO call SELECT id, 2, 0, 1, 1700000000, id, 7, 'comm', '/exe' FROM workload;"
	"INSERT INTO call VALUES (201, 2, 0, 2, 1700000120, NULL, NULL, NULL, NULL);"
	"INSERT INTO call VALUES (201, 3, 1, 1, 1700000060, 202, 8, 'sh', '/bin/sh')";

static void run_sql(const char *text)
{
	char *error = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int make_version1(void **state)
{
	int r = make_dir(state);

	if (r == 0) {
		run_sql(schema1);
		run_sql(content1);
	}
	return r;
}

/* What only readers of the daemon's own kind see, row by row. */
static const char *const all_rows[] = {
	"SELECT count(*) * 1000000 + sum(id * units) FROM workload WHERE last_unit > 0",
	"SELECT sum(id * workload) + sum(first_unit) + sum(last_unit) FROM instance",
	"SELECT count(*) * 1000000 + sum(unit * instance) FROM observation",
	"SELECT count(*) + sum(instr(hex(calls), '02')) FROM observation",
	"SELECT count(*) * 1000 + sum(began) FROM unit",
	"SELECT count(*) FROM call WHERE pid IS NOT NULL AND length(exe) > 3",
	"SELECT count(*) FROM learned",
	"SELECT count(*) FROM unit WHERE label = 'before'",
};

static void assert_migrated(void)
{
	char *units = NULL;
	struct store_row row = row_of("redis");

	assert_string_equal(row.key, "podman/redis");
	assert_string_equal(row.owner, "podman");
	assert_string_equal(row.engine, "podman");
	assert_null(row.image);
	assert_null(row.why_not);
	assert_null(row.leave_comm);
	assert_string_equal(row.container, "abc");
	assert_true(row.running);
	assert_int_equal(row.evidence.starts, 3);
	assert_int_equal(row.evidence.units, 3);
	assert_int_equal(row.evidence.since, NOW);
	assert_int_equal(row.evidence.last, NOW + 130);
	assert_int_equal(row.evidence.lost_range, 1);
	assert_int_equal(row.evidence.lost_gaps, 5);
	assert_int_equal(row.evidence.leaves, 0);
	assert_int_equal(row.replicas, 2);
	assert_int_equal(row.calls, 3);
	store_row_done(&row);
	assert_stored(store_meta_get(st, "units", &units));
	assert_string_equal(units, "boot 7 3 2");
	free(units);
}

static void assert_migrated_origins(void)
{
	struct store_row row = row_of("redis");
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	assert_stored(store_origins(st, row.id, &o, &cnt));
	store_row_done(&row);
	assert_int_equal(cnt, 3);
	assert_string_equal(o[0].comm, "comm");
	assert_string_equal(o[0].replica, "abc");
	assert_int_equal(o[0].last, NOW + 120);
	assert_int_equal(o[1].nr, 2);
	assert_int_equal(o[1].first, NOW + 60);
	assert_string_equal(o[2].exe, "/bin/sh");
	store_origins_free(o, cnt);
	/* ... and not only because the unit is still there. */
	assert_int_equal(ask_db("SELECT first FROM call WHERE workload = 201 AND nr = 2"),
			 NOW + 60);
}

static void nothing_is_lost(void **state)
{
	int64_t before[ARRAY_SIZE(all_rows)];

	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		before[n] = ask_db(all_rows[n]);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		assert_int_equal(ask_db(all_rows[n]), before[n]);
	assert_int_equal(ask_db("PRAGMA user_version"), 3);
	assert_int_equal(count_workloads(), 201);
	assert_migrated();
	assert_migrated_origins();
	assert_int_equal(broken_rule(), 0);
}

/* The same tables, columns and indices as in a new store; and schema1 above is what it was. */
static void a_migrated_store_is_as_a_new_one(void **state)
{
	static const char shape[] = "SELECT sum(length(sql)) * 1000 + count(*) FROM sqlite_schema";
	int64_t migrated;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	migrated = ask_db(shape);
	(void)drop_dir(NULL);
	assert_int_equal(open_store(NULL), 0);
	assert_int_equal(ask_db(shape), migrated);
	assert_int_equal(ask_db("PRAGMA user_version"), 3);
}

static void what_it_learns_goes_on(void **state)
{
	const struct store_prune fold = { .fold_before = NOW + 86400 };
	struct store_pruned pruned = { 0 };
	int64_t w;
	bool running;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		w = add_workload("podman/redis", "redis");
		assert_int_equal(w, 201);
		assert_int_equal(add_instance("boot/a", w, NOW + 200), 201);
		add_calls(201, add_unit(NOW + 200), TAMIS_WORKLOAD, SET(3), NOW + 201);
		add_calls(201, add_unit(NOW + 260), TAMIS_WORKLOAD, SET(4), NOW + 261);
		assert_stored(store_prune(st, &fold, NULL, NULL, &pruned));
		assert_int_equal(pruned.units, 1); /* that of "before" is one of its own */
		assert_stored(store_forget(st, 7, &running));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 3, 4));
	assert_int_equal(count_workloads(), 200);
	assert_int_equal(broken_rule(), 0);
}

static void commands_leave_it_to_the_daemon(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_EDIT };
	_free_ char *before = NULL, *after = NULL;
	size_t before_len, after_len;

	assert_int_equal(file_read(db_path, 1 << 24, &before, &before_len), 0);
	for (size_t n = 0; n < ARRAY_SIZE(modes); n++) {
		assert_int_equal(store_open(state_dir, modes[n], &st), -EPROTO);
		assert_non_null(strstr(store_error(NULL), "'tamis daemon'"));
	}
	assert_int_equal(file_read(db_path, 1 << 24, &after, &after_len), 0);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
}

/* --- failing ----------------------------------------------------------------------------- */

/* A disk without room for it; then with. */
static int migrate_on_full_disk(const char *data, size_t len)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tamis-test", state_dir, "tmpfs", 0, "size=200k") < 0)
		return 77;
	if (file_write_atomic(db_path, data, len, 0600) < 0)
		return 2;
	if (store_open(state_dir, STORE_WRITE, &st) != -ENOSPC)
		return 3;
	if (ask_db("PRAGMA user_version") != 1 || ask_db("SELECT count(*) FROM call") != 203)
		return 4;
	if (mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT, "size=16m") < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) < 0 || count_workloads() != 201)
		return 5;
	return broken_rule();
}

static void full_disks_leave_it_as_it_was(void **state)
{
	_free_ char *data = NULL;
	size_t len;
	int status;
	pid_t pid;

	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(migrate_on_full_disk(data, len));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void kills_leave_one_or_the_other(void **state)
{
	_free_ char *data = NULL;
	unsigned old = 0;
	size_t len;

	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	for (int round = 0; round < 30; round++) {
		int status;
		pid_t pid;

		assert_int_equal(drop_dir(NULL), 0);
		assert_int_equal(make_dir(NULL), 0);
		assert_int_equal(file_write_atomic(db_path, data, len, 0600), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(store_open(state_dir, STORE_WRITE, &st) < 0);
		usleep((unsigned)round * 2500);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		old += ask_db("PRAGMA user_version") == 1;
		assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
		assert_migrated();
		assert_migrated_origins();
		assert_int_equal(broken_rule(), 0);
	}
	print_message("30 kills, %u before the end\n", old);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_version1, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost),
		TEST(a_migrated_store_is_as_a_new_one),
		TEST(what_it_learns_goes_on),
		TEST(commands_leave_it_to_the_daemon),
		TEST(full_disks_leave_it_as_it_was),
		TEST(kills_leave_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
