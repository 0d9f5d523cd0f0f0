/* SPDX-License-Identifier: Apache-2.0 */
/* INT, TERM and HUP as a descriptor. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mine/run.h"
#include "mine/stop.h"

/* Each in a process of its own: the signals stay blocked. */
static int in_child(int (*fn)(int sig), int sig)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(fn(sig));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int is_seen(int sig)
{
	int fd = stop_watch();

	if (fd < 0 || stop_asked(fd) || stop_sleep(fd, 1) != 0)
		return 1;
	(void)kill(getpid(), sig);
	if (!stop_asked(fd) || !stop_asked(fd)) /* it stays */
		return 2;
	return stop_sleep(fd, 600000) == -EINTR ? 0 : 3;
}

static int ends_a_child(int sig)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	const struct run_options o = { .argv = argv, .stop_fd = stop_watch() };
	_run_result_ struct run_result r = { 0 };

	if (fork() == 0) {
		usleep(200000);
		_exit(kill(getppid(), sig));
	}
	return run_program(&o, &r) == -EINTR && r.stopped ? 0 : 4;
}

static void each_signal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_int_equal(in_child(is_seen, signals[i]), 0);
		assert_int_equal(in_child(ends_a_child, signals[i]), 0);
	}
}

/* "tamis mine 2>&1 | head": what was begun is still taken away. */
static int lives_on(int sig)
{
	int fd[2];

	if (stop_watch() < 0 || pipe(fd) < 0 || close(fd[0]) < 0)
		return 1;
	return write(fd[1], "x", 1) < 0 && errno == EPIPE && sig == SIGPIPE ? 0 : 2;
}

static void a_reader_that_went(void **state)
{
	assert_int_equal(in_child(lives_on, SIGPIPE), 0);
}

static void nobody_asks(void **state)
{
	assert_int_equal(stop_asked(-1), 0);
	assert_int_equal(stop_sleep(-1, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signal),
		cmocka_unit_test(a_reader_that_went),
		cmocka_unit_test(nobody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
