/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/runtime_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"

#define LINE_ROOM 256

int runtime_version_parse(const char *line, char *ret, size_t room)
{
	static const char mark[] = " version ";
	const char *found = strstr(line, mark), *version = found ? found + strlen(mark) : "";
	size_t name = found ? (size_t)(found - line) : 0;
	size_t len = strcspn(version, " \t\r\n");
	int n;

	if (name == 0 || strspn(line, "abcdefghijklmnopqrstuvwxyz-") != name || len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (version[i] < '!' || version[i] > '~')
			return -EINVAL;
	if (name + 1 + len >= room)
		return -EINVAL;
	n = snprintf(ret, room, "%.*s@%.*s", (int)name, line, (int)len, version);
	return n < 0 ? -EINVAL : 0;
}

/* Only what may be called after fork. */
static void run(const char *path, const char *arg, int out)
{
	static char *const env[] = { NULL };
	char *const argv[] = { (char *)path, (char *)arg, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	(void)close_range(3, ~0u, 0);
	(void)execve(path, argv, env);
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 1: there is something to read, or it ended. 0: it is late. */
static int wait_for(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do {
		int64_t left = until - now_ms();

		r = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* What it says until it ends, or with `line` up to its first newline. */
static int listen_to(int fd, bool line, unsigned wait_ms, char *text, size_t room, size_t *ret_len)
{
	int64_t until = now_ms() + wait_ms;
	size_t len = 0;

	while (len < room - 1) {
		int r = wait_for(fd, until);
		ssize_t n;

		if (r <= 0)
			return r < 0 ? r : -ETIME;
		n = read(fd, text + len, room - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (line && memchr(text + len - n, '\n', (size_t)n))
			break;
	}
	text[len] = '\0';
	*ret_len = len;
	return 0;
}

/* Its children too, if they are of its session still. */
static void end(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int ask(const char *path, const char *arg, bool line, unsigned wait_ms, char *text,
	       size_t room, size_t *ret_len)
{
	_close_ int in = -1;
	_close_ int out = -1;
	int fd[2], r;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	in = fd[0];
	out = fd[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(path, arg, out);
	close(TAKE_FD(out));
	r = listen_to(in, line, wait_ms, text, room, ret_len);
	end(pid);
	return r;
}

int runtime_ask(const char *path, unsigned wait_ms, char *ret, size_t room)
{
	char line[LINE_ROOM];
	size_t len = 0;
	int r = ask(path, "--version", true, wait_ms, line, sizeof(line), &len);

	return r < 0 ? r : runtime_version_parse(line, ret, room);
}

int runtime_tells(const char *path, const char *arg, unsigned wait_ms, size_t max, char **ret,
		  size_t *ret_len)
{
	_free_ char *text = malloc(max + 1);
	size_t len = 0;
	int r = text ? ask(path, arg, false, wait_ms, text, max + 1, &len) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}
