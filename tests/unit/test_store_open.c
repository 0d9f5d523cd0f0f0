/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that can't be used: newer, foreign, damaged. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"
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

static unsigned count_files(void)
{
	struct dirent *e;
	unsigned cnt = 0;
	DIR *d = opendir(state_dir);

	assert_non_null(d);
	while ((e = readdir(d)))
		cnt += e->d_name[0] != '.';
	closedir(d);
	return cnt;
}

static void readers_leave_nothing_behind(void **state)
{
	make_store();
	assert_int_equal(count_files(), 1);
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_int_equal(count_workloads(), 20);
	store_close(st);
	st = NULL;
	assert_int_equal(count_files(), 1);
}

/* -- versions -- */

static const struct {
	const char *sql;
	int r;
} foreign[] = {
	{ "PRAGMA user_version=7", -EPROTO },	 { "PRAGMA user_version=2000000000", -EPROTO },
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
			assert_int_equal(count_files(), 1);
		}
	}
}

/* Killed before its log was merged in: that is left to the version that wrote it. */
static void leave_log(void)
{
	sqlite3 *db;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)sqlite3_open(db_path, &db);
		if (sqlite3_exec(db, "PRAGMA user_version=7", NULL, NULL, NULL) == SQLITE_OK)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void the_log_of_a_newer_version_stays(void **state)
{
	_free_ char *wal_path = text_format("%s-wal", db_path);
	_free_ char *before = NULL, *after = NULL;
	size_t before_len, after_len;

	make_store();
	leave_log();
	assert_int_equal(file_read(wal_path, 1 << 24, &before, &before_len), 0);
	assert_true(before_len > 0);
	assert_int_equal(open_and_list(STORE_WRITE), -EPROTO);
	assert_int_equal(file_read(wal_path, 1 << 24, &after, &after_len), 0);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
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

static void read_names(int64_t workload)
{
	char **text = NULL;
	size_t cnt = 0;

	if (store_inner_list(st, workload, &text, &cnt) == 0)
		free_texts(text, cnt);
	if (store_aliases(st, workload, &text, &cnt) == 0)
		free_texts(text, cnt);
}

/* What commands do; each failure ends the transaction. */
static void change_everything(void)
{
	const struct store_prune what = { .gone_before = NOW + 1, .fold_before = NOW + 1 };
	struct store_pruned pruned;
	bool running;

	for (int step = 0; step < 6; step++) {
		int r = store_begin(st);

		if (r == 0 && step == 0)
			r = store_forget_call(st, 4, 0, 100);
		else if (r == 0 && step == 1)
			r = store_forget(st, 5, &running);
		else if (r == 0 && step == 2)
			r = store_merge(st, 6, (int64_t[]){ 7, 8 }, 2);
		else if (r == 0 && step == 3)
			r = store_rename(st, 6, "shop", "shop");
		else if (r == 0 && step == 4)
			r = store_inner(st, 6, "docker/1", NOW);
		else if (r == 0)
			r = store_prune(st, &what, NULL, NULL, &pruned);
		if (r < 0 || store_commit(st) < 0)
			store_rollback(st);
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
			read_names(rows[i].id);
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
	change_everything();
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

/* Nor are they merged with others, in SQL either. */
static void sets_of_a_wrong_size_change_nothing(void **state)
{
	bool running;

	make_store();
	run_sql(wrong_sets[0]);
	run_sql("UPDATE observation SET calls = x'00' WHERE instance = 4");
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	assert_stored(store_begin(st));
	assert_int_equal(store_merge(st, 2, (int64_t[]){ 3 }, 1), -EUCLEAN);
	assert_sentence(store_error(st));
	store_rollback(st);
	assert_stored(store_begin(st));
	assert_int_equal(store_forget_call(st, 4, 0, 100), -EUCLEAN);
	store_rollback(st);
	IN_TRANSACTION assert_int_equal(store_forget(st, 3, &running), 0); /* a way out */
	assert_int_equal(count_workloads(), 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_nothing_is_enoent),
		TEST(makes_its_directory_private),
		TEST(readers_see_what_the_writer_committed),
		TEST(readers_leave_nothing_behind),
		TEST(foreign_stores_are_refused_untouched),
		TEST(the_log_of_a_newer_version_stays),
		TEST(what_is_no_database_is_refused),
		TEST(truncated_stores_are_refused),
		TEST(flipped_bytes_never_crash),
		TEST(sets_of_a_wrong_size_are_refused),
		TEST(sets_of_a_wrong_size_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
