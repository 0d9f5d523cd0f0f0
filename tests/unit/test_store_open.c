/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that can't be used: newer, foreign, damaged, read-only, on a full disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "store_fixture.h"

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* A store with something in it, closed again. */
static void make_store(void)
{
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		int64_t u = add_unit(NOW);

		for (int n = 0; n < 20; n++) {
			char key[16];
			int64_t i;

			snprintf(key, sizeof(key), "podman/w%d", n);
			i = add_instance(key, add_workload(key, key + 7), NOW);
			add_calls(i, u, TAMIS_WORKLOAD, SET(n, 100, 500), NOW);
		}
	}
	store_close(st);
	st = NULL;
}

static size_t count_workloads(void)
{
	struct store_row *rows = NULL;
	size_t cnt = 0;

	assert_stored(store_list(st, &rows, &cnt));
	for (size_t i = 0; i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	return cnt;
}

/* One sentence that begins with the file: "DIR/tamis.db: why". */
static void assert_sentence(const char *error)
{
	assert_int_equal(strncmp(error, db_path, strlen(db_path)), 0);
	assert_null(strchr(error, '\n'));
	assert_true(strlen(error) > strlen(db_path) + 5);
}

/* -- modes -- */

static void reading_nothing_is_enoent(void **state)
{
	assert_int_equal(store_open(state_dir, STORE_READ, &st), -ENOENT);
	assert_sentence(store_error(NULL));
	assert_int_equal(access(db_path, F_OK), -1);
	/* What a daemon leaves that was killed before its first commit. */
	assert_int_equal(file_write_atomic(db_path, "", 0, 0600), 0);
	assert_int_equal(store_open(state_dir, STORE_READ, &st), -ENOENT);
	assert_null(st);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
}

static void makes_its_directory_private(void **state)
{
	char deep[128];
	struct stat info;

	snprintf(deep, sizeof(deep), "%s/a/b", state_dir);
	assert_int_equal(store_open(deep, STORE_WRITE, &st), 0);
	assert_int_equal(stat(deep, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	strcat(deep, "/tamis.db");
	assert_int_equal(stat(deep, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void readers_see_what_the_writer_committed(void **state)
{
	struct store *writer = NULL;
	int64_t id;

	make_store();
	assert_int_equal(store_open(state_dir, STORE_WRITE, &writer), 0);
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_int_equal(store_begin(writer), 0);
	assert_int_equal(store_workload(writer, &(struct store_workload){ .key = "new" }, NOW, &id),
			 0);
	assert_int_equal(count_workloads(), 20);
	assert_int_equal(store_commit(writer), 0);
	assert_int_equal(count_workloads(), 21);
	assert_true(store_meta_set(st, "k", "v") < 0); /* a reader does not write */
	store_close(writer);
}

/* -- versions -- */

static const struct {
	const char *sql;
	int r;
} foreign[] = {
	{ "PRAGMA user_version=2", -EPROTO },	 { "PRAGMA user_version=2000000000", -EPROTO },
	{ "PRAGMA user_version=0", -EUCLEAN },	 { "PRAGMA user_version=-1", -EUCLEAN },
	{ "PRAGMA application_id=1", -EUCLEAN }, { "DROP TABLE learned", -EUCLEAN },
};

/* Fails at once, or at the first reading. */
static int open_and_list(enum store_mode mode)
{
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int r = store_open(state_dir, mode, &st);

	if (r < 0) {
		assert_sentence(store_error(NULL));
		return r;
	}
	r = store_list(st, &rows, &cnt);
	if (r < 0 && r != -ENOMEM)
		assert_sentence(store_error(st));
	for (size_t i = 0; r == 0 && i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	store_close(st);
	st = NULL;
	return r;
}

static void foreign_stores_are_refused_untouched(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_WRITE };

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		_free_ char *before = NULL;
		size_t before_len;

		(void)unlink(db_path);
		make_store();
		run_sql(foreign[i].sql);
		assert_int_equal(file_read(db_path, 1 << 24, &before, &before_len), 0);
		for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
			_free_ char *after = NULL;
			size_t after_len;

			assert_int_equal(open_and_list(modes[m]), foreign[i].r);
			assert_int_equal(file_read(db_path, 1 << 24, &after, &after_len), 0);
			assert_int_equal(after_len, before_len);
			assert_memory_equal(after, before, before_len);
		}
	}
}

/* -- damage -- */

static void what_is_no_database_is_refused(void **state)
{
	static const char *const texts[] = { "x", "SQLite format 3", "{\"json\": true}",
					     "SQLite format 3\0 and more of it ......." };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char page[4096] = { 0 };

		memcpy(page, texts[i], strlen(texts[i]));
		assert_int_equal(file_write_atomic(db_path, page, sizeof(page), 0600), 0);
		assert_int_equal(open_and_list(STORE_READ), -EUCLEAN);
		assert_int_equal(open_and_list(STORE_WRITE), -EUCLEAN);
	}
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(mkdir(db_path, 0700), 0);
	assert_true(open_and_list(STORE_READ) < 0);
	assert_true(open_and_list(STORE_WRITE) < 0);
}

static void truncated_stores_are_refused(void **state)
{
	_free_ char *data = NULL;
	size_t len;

	make_store();
	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	for (size_t keep = 1; keep < len; keep += 1013) {
		assert_int_equal(file_write_atomic(db_path, data, keep, 0600), 0);
		assert_int_equal(open_and_list(STORE_READ), -EUCLEAN);
		assert_int_equal(open_and_list(STORE_WRITE), -EUCLEAN);
	}
}

/* Whatever reads and writes there are, on whatever is there. */
static void use_everything(void)
{
	const struct store_workload w = { .key = "podman/w3", .image = "new" };
	const struct sysset set = { { 77, 7 } };
	struct store_row *rows = NULL, row = { 0 };
	struct policy_origin *o = NULL;
	struct learned learned;
	char *candidates = NULL;
	size_t cnt = 0;
	int64_t id = 1;

	if (store_list(st, &rows, &cnt) == 0) {
		for (size_t i = 0; i < cnt; i++) {
			(void)store_learned(st, rows[i].id, &learned);
			if (store_origins(st, rows[i].id, &o, &(size_t){ 0 }) == 0)
				store_origins_free(o, 0);
			store_row_done(&rows[i]);
		}
		free(rows);
	}
	if (store_find(st, "w1", &row, &candidates) == 0)
		store_row_done(&row);
	free(candidates);
	if (store_begin(st) < 0)
		return;
	if (store_workload(st, &w, NOW, &id) < 0 || store_instances_gone(st, NULL, 0, NOW) < 0 ||
	    store_calls(st, 1, 1, TAMIS_WORKLOAD, 0, &set, NOW) < 0 || store_commit(st) < 0)
		store_rollback(st);
}

/* Random, but the same every time: a failure can be looked at. */
static unsigned next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 11);
}

static void flipped_bytes_never_crash(void **state)
{
	_free_ char *data = NULL, *bad = NULL;
	unsigned refused = 0;
	size_t len;

	make_store();
	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	bad = malloc(len);
	assert_non_null(bad);
	for (int round = 0; round < 300; round++) {
		memcpy(bad, data, len);
		for (unsigned n = 0; n < 1 + next_random() % 40; n++)
			bad[next_random() % len] ^= (char)(1 << next_random() % 8);
		assert_int_equal(file_write_atomic(db_path, bad, len, 0600), 0);
		if (store_open(state_dir, round % 2 ? STORE_READ : STORE_WRITE, &st) < 0) {
			refused++;
			assert_sentence(store_error(NULL));
			continue;
		}
		use_everything();
		store_close(st);
		st = NULL;
	}
	/* Most flips hit data that is in use: some must have been noticed at once. */
	assert_true(refused > 0 && refused < 300);
}

static const char *const wrong_sets[] = {
	"UPDATE learned SET calls = x'00' WHERE workload = 3",
	"UPDATE learned SET calls = zeroblob(100000) WHERE workload = 3",
	"UPDATE learned SET stage = 4 WHERE workload = 3",
	"UPDATE learned SET abi = -1 WHERE workload = 3",
};

static void sets_of_a_wrong_size_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong_sets); i++) {
		struct learned learned;

		(void)unlink(db_path);
		make_store();
		run_sql(wrong_sets[i]);
		assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
		assert_int_equal(store_learned(st, 3, &learned), -EUCLEAN);
		assert_int_equal(store_learned(st, 2, &learned), 0);
		store_close(st);
		st = NULL;
	}
}

/* -- media; in a child with mounts of its own -- */

static int mount_tmpfs(const char *options, unsigned long flags)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tamis-test", state_dir, "tmpfs", flags, options);
}

/* Runs fn in a child: 0 passes, 77 skips (no right to mount), else the number of the check. */
static void in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int write_workloads(unsigned from, unsigned cnt)
{
	int r = store_begin(st);

	for (unsigned n = from; r == 0 && n < from + cnt; n++) {
		struct store_workload w = { 0 };
		char key[1000];
		int64_t id;

		snprintf(key, sizeof(key), "%0900u", n);
		w.key = key;
		r = store_workload(st, &w, NOW, &id);
	}
	if (r == 0)
		r = store_commit(st);
	if (r < 0)
		store_rollback(st);
	return r;
}

/* Fills until it fails; what was committed before is still there, and writing goes on once there
 * is room again. */
static int fill_disk(int (*make_room)(void))
{
	unsigned n = 0;
	int r;

	if (store_open(state_dir, STORE_WRITE, &st) < 0)
		return 2;
	do {
		r = write_workloads(n, 10);
		n += r == 0 ? 10 : 0;
	} while (r == 0 && n < 100000);
	if (r != -ENOSPC || !strstr(store_error(st), "tamis.db: "))
		return 3;
	if (n == 0 || count_workloads() != n)
		return 4;
	if (make_room() < 0 || write_workloads(n, 10) < 0)
		return 5;
	return count_workloads() == n + 10 ? 0 : 6;
}

static int grow_tmpfs(void)
{
	return mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT, "size=16m");
}

static int full_tmpfs(void)
{
	return mount_tmpfs("size=512k", 0) < 0 ? 77 : fill_disk(grow_tmpfs);
}

static void set_file_limit(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

static int raise_limit(void)
{
	set_file_limit(RLIM_INFINITY);
	return 0;
}

static int full_limit(void)
{
	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(512 << 10);
	return fill_disk(raise_limit);
}

/* Not even the schema fits. */
static int full_from_the_start(void)
{
	if (mount_tmpfs("size=16k", 0) < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) != -ENOSPC)
		return 2;
	return strncmp(store_error(NULL), db_path, strlen(db_path)) == 0 ? 0 : 3;
}

static int read_only_medium(void)
{
	if (mount_tmpfs("size=1m", 0) < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) < 0 || write_workloads(0, 3) < 0)
		return 2;
	store_close(st);
	st = NULL;
	if (mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) != -EROFS)
		return 3;
	if (store_open(state_dir, STORE_READ, &st) < 0 || count_workloads() != 3)
		return 4;
	return 0;
}

static int read_only_and_empty(void)
{
	if (mount_tmpfs("size=1m", MS_RDONLY) < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) != -EROFS)
		return 2;
	return store_open(state_dir, STORE_READ, &st) == -ENOENT ? 0 : 3;
}

static int not_ours(void)
{
	char deep[128];

	snprintf(deep, sizeof(deep), "%s/private", state_dir);
	if (mkdir(deep, 0700) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 77;
	if (store_open(deep, STORE_READ, &st) != -EACCES)
		return 2;
	return store_open(deep, STORE_WRITE, &st) == -EACCES ? 0 : 3;
}

static void full_disks_lose_nothing(void **state)
{
	in_child(full_tmpfs);
}

static void full_by_limit_loses_nothing(void **state)
{
	in_child(full_limit);
}

static void full_from_the_start_is_refused(void **state)
{
	in_child(full_from_the_start);
}

static void read_only_media_can_be_read(void **state)
{
	in_child(read_only_medium);
}

static void read_only_and_empty_is_said(void **state)
{
	in_child(read_only_and_empty);
}

static void of_another_user_is_said(void **state)
{
	in_child(not_ours);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_nothing_is_enoent),
		TEST(makes_its_directory_private),
		TEST(readers_see_what_the_writer_committed),
		TEST(foreign_stores_are_refused_untouched),
		TEST(what_is_no_database_is_refused),
		TEST(truncated_stores_are_refused),
		TEST(flipped_bytes_never_crash),
		TEST(sets_of_a_wrong_size_are_refused),
		TEST(full_disks_lose_nothing),
		TEST(full_by_limit_loses_nothing),
		TEST(full_from_the_start_is_refused),
		TEST(read_only_media_can_be_read),
		TEST(read_only_and_empty_is_said),
		TEST(of_another_user_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
