/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/reach.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define NOBODY	65534
#define WAIT_MS 60000

static char dir[32];
static struct sockaddr_un at;

static int setup(void **state)
{
	strcpy(dir, "/tmp/reach-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/k.sock", dir);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int listen_here(int type, int backlog)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return type == SOCK_STREAM && listen(fd, backlog) < 0 ? -1 : fd;
}

static const struct {
	const char *path;
	bool is;
} paths[] = {
	{ "/run/tamis/keeper.sock", true },
	{ "/k", true },
	{ "/a/..b/.c/d..", true },
	{ "//a", true },
	{ "", false },
	{ "/", false },
	{ "run/k", false },
	{ "/run/", false },
	{ "/run/./k", false },
	{ "/run/../k", false },
	{ "/run/..", false },
	{ "/run/a b", false },
	{ "/run/a\"b", false },
	{ "/run/a\\b", false },
	{ "/run/a\nb", false },
	{ "/run/a\x7f", false },
	{ "/run/\xc3\xa4", false },
};

static void paths_are_plain(void **state)
{
	char longest[REACH_PATH_MAX + 2] = "/";

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (reach_is_path(paths[i].path) != paths[i].is)
			fail_msg("%s", paths[i].path);
	memset(longest + 1, 'x', REACH_PATH_MAX - 1);
	assert_true(reach_is_path(longest));
	longest[REACH_PATH_MAX] = 'x';
	assert_false(reach_is_path(longest));
}

static void reaches(void **state)
{
	_close_ int fd = listen_here(SOCK_STREAM, 4);
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(reach_keeper(at.sun_path, WAIT_MS), 0);
	assert_int_equal(reach_keeper(at.sun_path, 0), 0);
	/* it hung up, and sent nothing */
	for (int i = 0; i < 2; i++) {
		_close_ int peer = accept(fd, NULL, NULL);

		assert_true(peer >= 0);
		assert_int_equal(read(peer, &byte, 1), 0);
	}
}

static void nobody_there(void **state)
{
	int fd;

	assert_int_equal(reach_keeper(at.sun_path, WAIT_MS), -ENOENT);
	fd = listen_here(SOCK_STREAM, 4);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(reach_keeper(at.sun_path, WAIT_MS), -ECONNREFUSED);
	assert_int_equal(unlink(at.sun_path), 0);
	fd = listen_here(SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(reach_keeper(at.sun_path, WAIT_MS), -EPROTOTYPE);
	close(fd);
	assert_int_equal(reach_keeper("k.sock", WAIT_MS), -EINVAL);
}

static void queue_is_full(void **state)
{
	_close_ int fd = listen_here(SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(reach_keeper(at.sun_path, 0), 0);
	assert_int_equal(reach_keeper(at.sun_path, 20), -EAGAIN);
	close(accept(fd, NULL, NULL));
	assert_int_equal(reach_keeper(at.sun_path, 20), 0);
}

static void listen_as_nobody(int ready)
{
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0 || listen_here(SOCK_STREAM, 4) < 0 ||
	    write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void somebody_else(void **state)
{
	int ready[2], r;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		listen_as_nobody(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	r = reach_keeper(at.sun_path, WAIT_MS);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(r, -EPERM);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_plain),
		IN_DIR(reaches),
		IN_DIR(nobody_there),
		IN_DIR(queue_is_full),
		IN_DIR(somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
