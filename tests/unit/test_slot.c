/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "keeper/slot.h"

static char dir[] = "/tmp/tamis-slot-XXXXXX";

static int setup(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct slot *open_one(void)
{
	struct slot *s = NULL;

	assert_int_equal(slot_open(dir, &s), 0);
	assert_int_equal(s->magic, SLOT_MAGIC);
	return s;
}

static void write_file(const void *data, size_t len)
{
	_free_ char *path = text_format("%s/slot", dir);
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static void test_is_new(void **state)
{
	_free_ char *path = text_format("%s/slot", dir);
	struct slot *s = open_one();
	struct stat st;

	assert_int_equal(s->busy, 0);
	assert_int_equal(s->notif.id, 0);
	slot_close(s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Killed at any step, what it did last is what the next one finds. */
static void test_outlives_who_is_killed(void **state)
{
	struct slot *s;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (slot_open(dir, &s) < 0)
			_exit(1);
		slot_take(s, 7);
		s->notif.id = 42;
		s->notif.data.nr = 39;
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	s = open_one();
	assert_int_equal(s->busy, 1);
	assert_int_equal(s->filter, 7);
	assert_int_equal(s->notif.id, 42);
	assert_int_equal(s->notif.data.nr, 39);
	slot_release(s);
	slot_close(s);
	s = open_one();
	assert_int_equal(s->busy, 0);
	/* the kernel takes none that isn't all zeroes */
	slot_take(s, 8);
	assert_int_equal(s->notif.id, 0);
	assert_int_equal(s->notif.data.nr, 0);
	assert_int_equal(s->filter, 8);
	slot_close(s);
}

static void test_nonsense_is_cleared(void **state)
{
	struct slot bad = { .magic = SLOT_MAGIC, .busy = 2, .notif.id = 5 };
	struct slot *s;

	write_file("gibberish", 9);
	s = open_one();
	assert_int_equal(s->notif.id, 0);
	assert_int_equal(s->busy, 0);
	slot_close(s);
	write_file(&bad, sizeof(bad));
	s = open_one();
	assert_int_equal(s->busy, 0);
	assert_int_equal(s->notif.id, 0);
	slot_close(s);
	/* one of another length: of another version */
	bad.busy = 1;
	write_file(&bad, sizeof(bad));
	s = open_one();
	assert_int_equal(s->busy, 0);
	slot_close(s);
}

static void test_permissions(void **state)
{
	_free_ char *path = text_format("%s/slot", dir);
	struct slot *s;

	write_file("", 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(slot_open(dir, &s), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 1000, 0), 0);
	assert_int_equal(slot_open(dir, &s), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(slot_open(dir, &s), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(slot_open(dir, &s), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(slot_open(dir, &s), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(slot_open("/nowhere", &s), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_DIR(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		IN_DIR(test_is_new),
		IN_DIR(test_outlives_who_is_killed),
		IN_DIR(test_nonsense_is_cleared),
		IN_DIR(test_permissions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
