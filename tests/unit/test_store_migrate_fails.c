/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an older version left: where it can't become a new one, it is as it was. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/file.h"
#include "migrate_fixture.h"
#include "migrated_fixture.h"
#include "unit/skip.h"

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

/* A disk without room for it; then with. */
static int migrate_on_full_disk(const char *data, size_t len)
{
	char size[32];

	/* what readers of a log share takes 32 KiB of it */
	snprintf(size, sizeof(size), "size=%zu", len + (56 << 10));
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tamis-test", state_dir, "tmpfs", 0, size) < 0)
		return 77;
	if (file_write_atomic(db_path, data, len, 0600) < 0)
		return 2;
	if (store_open(state_dir, STORE_WRITE, &st) != -ENOSPC)
		return 3;
	if (ask_db("PRAGMA user_version") != old->version ||
	    ask_db("SELECT count(*) FROM call") != old->calls)
		return 4;
	if (mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT, "size=16m") < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) < 0 || count_workloads() != old->workloads)
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
	if (pid == 0) {
		status = migrate_on_full_disk(data, len);
		store_close(st);
		free(data);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no file system of its own can be mounted here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void kills_leave_one_or_the_other(void **state)
{
	assert_kills_leave_it(old->version, old->check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commands_leave_it_to_the_daemon),	TEST2(commands_leave_it_to_the_daemon),
		TEST3(commands_leave_it_to_the_daemon), TEST(full_disks_leave_it_as_it_was),
		TEST2(full_disks_leave_it_as_it_was),	TEST3(full_disks_leave_it_as_it_was),
		TEST(kills_leave_one_or_the_other),	TEST2(kills_leave_one_or_the_other),
		TEST3(kills_leave_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
