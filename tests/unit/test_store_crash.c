/* SPDX-License-Identifier: Apache-2.0 */
/* Writers that are killed, writers that meet, and how long a large drain takes. */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "less.h"
#include "store_fixture.h"

#define KILLS	    50
#define WRITERS	    4
#define WRITES	    25
#define MAKE_ROUNDS 100
#define MANY	    10000

/* -- kill -9 -- */

/* Round n, one transaction: call n % 500 of workloads "a<n / 500>" and "b<n / 500>". */
static int write_round(unsigned n)
{
	struct sysset set = { 0 };
	int r = store_begin(st);

	sysset_add(&set, n % 500);
	for (int half = 0; r == 0 && half < 2; half++) {
		struct store_instance i = { .running = true };
		struct store_workload w = { 0 };
		char key[32];
		int64_t unit = 1, id;

		snprintf(key, sizeof(key), "%c%u", "ab"[half], n / 500);
		w.key = i.instance = key;
		if (n % 100 == 0 && half == 0)
			r = store_unit_begin(st, NOW + n, NULL, &unit);
		if (r == 0)
			r = store_workload(st, &w, NOW, &i.workload);
		if (r == 0)
			r = store_instance(st, &i, NOW, &id);
		if (r == 0)
			r = store_calls(st, id, unit, TAMIS_WORKLOAD, 0, &set, NOW + n);
	}
	return r < 0 ? r : store_commit(st);
}

static void write_until_killed(volatile unsigned *done)
{
	if (store_open(state_dir, STORE_WRITE, &st) < 0)
		_exit(1);
	while (write_round(*done) == 0)
		++*done;
	_exit(2);
}

static int ask(const char *sql, char answer[64])
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(db_path, &db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	snprintf(answer, 64, "%s",
		 rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : "");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return rc;
}

static void assert_sound(void)
{
	char answer[64];

	assert_int_equal(ask("PRAGMA integrity_check", answer), SQLITE_ROW);
	assert_string_equal(answer, "ok");
	assert_int_equal(ask("PRAGMA foreign_key_check", answer), SQLITE_DONE);
	/* A unit's only rows here are those of one call: nothing is seen that is not learned. */
	assert_int_equal(
		ask("SELECT count(*) FROM observation o, instance i WHERE o.instance = i.id"
		    " AND NOT EXISTS (SELECT 1 FROM learned l WHERE l.workload = i.workload)",
		    answer),
		SQLITE_ROW);
	assert_string_equal(answer, "0");
}

static struct sysset learned_of(char half, unsigned n)
{
	struct learned l = { 0 };
	struct store_row row;
	char key[32];

	snprintf(key, sizeof(key), "%c%u", half, n);
	if (store_find(st, key, &row, NULL) < 0)
		return (struct sysset){ 0 };
	assert_stored(store_learned(st, row.id, &l));
	store_row_done(&row);
	return l.set[TAMIS_WORKLOAD][0];
}

/* Whole rounds only, all that were committed, at most one more. */
static void assert_rounds(unsigned done)
{
	unsigned cnt = 0;

	for (unsigned n = 0; n <= done / 500; n++) {
		struct sysset a = learned_of('a', n), b = learned_of('b', n);

		assert_true(sysset_equal(&a, &b));
		for (unsigned nr = 0; nr < 500 && n * 500 + nr < done; nr++)
			assert_true(sysset_has(&a, nr));
		cnt += sysset_count(&a);
	}
	assert_true(cnt == done || cnt == done + 1);
}

static void kill_after(long us, volatile unsigned *done)
{
	const struct timespec pause = { us / 1000000, us % 1000000 * 1000 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		write_until_killed(done);
	nanosleep(&pause, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void kills_lose_nothing_committed(void **state)
{
	volatile unsigned *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned i;

	assert_ptr_not_equal(done, MAP_FAILED);
	srandom((unsigned)time(NULL));
	/* A machine that hardly comes to write gets longer. */
	for (i = 0; i < KILLS || (*done <= KILLS && i < 10 * KILLS); i++) {
		kill_after(random() % (40000 << i / KILLS), done);
		if (access(db_path, F_OK) < 0 ||
		    store_open(state_dir, STORE_READ, &st) == -ENOENT) {
			assert_int_equal(*done, 0); /* killed before there was a store */
			continue;
		}
		assert_non_null(st);
		assert_rounds(*done);
		store_close(st);
		st = NULL;
		assert_sound();
	}
	print_message("%u transactions over %u kills\n", *done, i);
	assert_true(*done > KILLS);
	munmap((void *)done, sizeof(*done));
}

/* -- writers at once -- */

/* Each its own calls of one shared workload; 0 when all went well. */
static int write_beside_others(unsigned who)
{
	if (store_open(state_dir, STORE_WRITE, &st) < 0)
		return 1;
	for (unsigned n = 0; n < WRITES; n++) {
		struct store_instance i = { .instance = "shared", .running = true };
		struct sysset set = { 0 };
		int64_t unit, id;

		sysset_add(&set, who * WRITES + n);
		if (store_begin(st) < 0 ||
		    store_workload(st, &(struct store_workload){ .key = "w" }, NOW, &i.workload) <
			    0 ||
		    store_instance(st, &i, NOW, &id) < 0 ||
		    store_unit_begin(st, NOW, NULL, &unit) < 0 ||
		    store_calls(st, id, unit, TAMIS_WORKLOAD, 0, &set, NOW) < 0 ||
		    store_commit(st) < 0)
			return 2;
	}
	store_close(st);
	return 0;
}

/* From the making of the file on. */
static void writers_meet(void **state)
{
	struct learned l = { 0 };
	struct store_row row;

	for (unsigned who = 0; who < WRITERS; who++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(write_beside_others(who));
	}
	for (unsigned who = 0; who < WRITERS; who++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
	assert_stored(store_find(st, "w", &row, NULL));
	assert_stored(store_learned(st, row.id, &l));
	assert_int_equal(sysset_count(&l.set[TAMIS_WORKLOAD][0]), WRITERS * WRITES);
	assert_int_equal(row.evidence.units, WRITERS * WRITES);
	assert_int_equal(row.replicas, 1);
	store_row_done(&row);
	assert_sound();
}

static int open_and_close(const char *dir)
{
	int r = store_open(dir, STORE_WRITE, &st);

	if (r == 0)
		store_close(st);
	return r < 0;
}

/* The header's fields are written by one while others read them, one by one. */
static void makers_meet(void **state)
{
	unsigned rounds = less(MAKE_ROUNDS);

	for (unsigned round = 0; round < rounds; round++) {
		char dir[128];

		snprintf(dir, sizeof(dir), "%s/%u", state_dir, round);
		for (int who = 0; who < WRITERS; who++) {
			pid_t pid = fork();

			assert_true(pid >= 0);
			if (pid == 0)
				_exit(open_and_close(dir));
		}
		for (int who = 0; who < WRITERS; who++) {
			int status;

			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
	}
}

/* -- large drains -- */

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void drain_many(unsigned many, const char *what, int64_t unit)
{
	struct timespec from;
	struct sysset set;

	memset(&set, 0, sizeof(set));
	set.bits[0] = 0x1234567812345678;
	set.bits[3] = 0x8421842184218421;
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_stored(store_begin(st));
	for (unsigned n = 0; n < many; n++) {
		char key[32];
		int64_t i;

		snprintf(key, sizeof(key), "podman/w%u", n);
		i = add_instance(key, add_workload(key, key + 7), NOW);
		add_calls(i, unit, TAMIS_WORKLOAD, set, NOW);
		add_calls(i, unit, TAMIS_SETUP, set, NOW);
	}
	assert_stored(store_commit(st));
	print_message("drain of %u workloads, %s: %.0f ms\n", many, what,
		      seconds_since(&from) * 1000);
}

static void large_drains(void **state)
{
	const unsigned many = less(MANY);
	struct store_row *rows = NULL;
	struct timespec from;
	int64_t unit[2];
	size_t cnt = 0;

	IN_TRANSACTION
	{
		unit[0] = add_unit(NOW);
		unit[1] = add_unit(NOW + 60);
	}
	drain_many(many, "all new", unit[0]);
	drain_many(many, "nothing new", unit[0]);
	drain_many(many, "a new unit", unit[1]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_stored(store_list(st, &rows, &cnt));
	print_message("list of %zu workloads: %.0f ms\n", cnt, seconds_since(&from) * 1000);
	assert_int_equal(cnt, many);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(rows[i].evidence.units, 2);
		store_row_done(&rows[i]);
	}
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kills_lose_nothing_committed, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(makers_meet, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(writers_meet, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(large_drains, open_store, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
