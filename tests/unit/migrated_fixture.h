/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every migration, from whichever version: killed at any moment it leaves one or the
 * other, and ended it leaves what a new store is. */
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store_fixture.h"

#define MIGRATION_KILLS 30

/* `check` is called on the opened store after each kill. */
static inline void assert_kills_leave_it(int version, void (*check)(void))
{
	_free_ char *data = NULL;
	unsigned unchanged = 0;
	size_t len;

	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	for (int round = 0; round < MIGRATION_KILLS; round++) {
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
		unchanged += ask_db("PRAGMA user_version") == version;
		assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
		check();
		assert_int_equal(broken_rule(), 0);
	}
	print_message("%d kills, %u before the end\n", MIGRATION_KILLS, unchanged);
}

/* The same tables, columns and indices as in a new store. Ends with a new one. */
static inline void assert_as_a_new_one(void)
{
	static const char shape[] = "SELECT sum(length(sql)) * 1000 + count(*) FROM sqlite_schema";
	int64_t migrated;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	migrated = ask_db(shape);
	(void)drop_dir(NULL);
	assert_int_equal(open_store(NULL), 0);
	assert_int_equal(ask_db(shape), migrated);
}
