/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *capture_find(const char *name)
{
	const char *path = getenv("PATH");
	_free_ char *dirs = text_format("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	char *save = NULL;

	if (!dirs)
		return NULL;
	for (char *d = strtok_r(dirs, ":", &save); d; d = strtok_r(NULL, ":", &save)) {
		_free_ char *file = text_format("%s/%s", d, name);

		/* Not "." nor what is relative to it: root must not run what lies around. */
		if (file && d[0] == '/' && is_program(file))
			return TAKE_PTR(file);
	}
	return NULL;
}

static void exec_child(char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A group of its own, so that its children can be ended with it. */
	(void)setpgid(0, 0);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(127);
	execv(argv[0], argv);
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads to the end of it, keeping what has room. */
static int read_all(int fd, int64_t deadline, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		char dropped[4096];
		bool keep = len + 1 < size;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = read(fd, keep ? buf + len : dropped, keep ? size - 1 - len : sizeof(dropped));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (!keep)
			continue;
		len += (size_t)n;
		buf[len] = '\0';
	}
}

/* Its output may be closed before it ends: it still has until the deadline. */
static int wait_child(pid_t pid, int64_t deadline, int *ret_status)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	pid_t r;

	while ((r = waitpid(pid, ret_status, WNOHANG)) == 0 && now_ms() < deadline)
		nanosleep(&pause, NULL);
	if (r == pid)
		return 0;
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return -ETIMEDOUT;
}

int capture_run(char *const argv[], unsigned timeout_ms, char *buf, size_t size)
{
	int64_t deadline = now_ms() + timeout_ms;
	_close_ int in = -1, out = -1;
	int fds[2], status = 0, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_child(argv, out);
	(void)setpgid(pid, pid);
	close(TAKE_FD(out));
	r = read_all(in, deadline, buf, size);
	/* Before it is waited for: until then the group's number can't be another's. */
	if (r < 0)
		(void)kill(-pid, SIGKILL);
	if (wait_child(pid, r < 0 ? 0 : deadline, &status) < 0)
		return r < 0 ? r : -ETIMEDOUT;
	if (r < 0)
		return r;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
