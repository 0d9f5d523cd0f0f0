/* SPDX-License-Identifier: Apache-2.0 */
/* Full disks, read-only media, directories of others: each in a child with mounts of its own. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_fixture.h"
#include "unit/skip.h"

static int mount_tmpfs(const char *options, unsigned long flags)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tamis-test", state_dir, "tmpfs", flags, options);
}

/* Runs fn in a child: 0 passes, 77 skips (no right to mount), else the number of the check. */
static void in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		status = fn();
		store_close(st);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no file system of its own can be mounted here");
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
		TEST(full_disks_lose_nothing),	      TEST(full_by_limit_loses_nothing),
		TEST(full_from_the_start_is_refused), TEST(read_only_media_can_be_read),
		TEST(read_only_and_empty_is_said),    TEST(of_another_user_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
