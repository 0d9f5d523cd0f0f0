/* SPDX-License-Identifier: Apache-2.0 */
#include "start/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "start/stream.h"

#define WORKER_MEMORY (512u << 20)
#define MAGIC	      UINT64_C(0x74616d69732d616e) /* "tamis-an" */

/* Stands before an answer; its end again after it. */
struct frame {
	uint64_t magic;
	uint64_t len; /* of the text that follows */
	uint64_t has; /* 1: there is an answer */
};

/* --- the worker -------------------------------------------------------------------------- */

#ifdef __SANITIZE_ADDRESS__
static void bound_memory(void)
{
}
#else
static void bound_memory(void)
{
	const struct rlimit memory = { WORKER_MEMORY, WORKER_MEMORY };

	(void)setrlimit(RLIMIT_AS, &memory);
}
#endif

/* Let the machine run out of memory: it is this process that goes. */
static void offer_to_killer(void)
{
	_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		return; /* it goes by its size then */
}

/* What the engine waits for the end of must not be held open by a process that hangs. */
static void let_go(int pipe_fd)
{
	const struct rlimit no_core = { 0, 0 };
	int null = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpgid(0, 0);
	(void)setpriority(PRIO_PROCESS, 0, -20);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	if (pipe_fd > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)pipe_fd - 1, 0);
	(void)close_range((unsigned)pipe_fd + 1, ~0u, 0);
	offer_to_killer();
	bound_memory();
	(void)clearenv();
}

static void answer(int fd, const char *text, size_t len, bool has)
{
	const struct frame f = { MAGIC, len, has };

	if (stream_write(fd, (const char *)&f, sizeof(f)) && stream_write(fd, text, len))
		(void)stream_write(fd, (const char *)&f.magic, sizeof(f.magic));
}

static void work_and_answer(int fd, int (*work)(void *ctx, char **ret, size_t *ret_len), void *ctx)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = work(ctx, &text, &len);
	if (r > 0 && text)
		answer(fd, text, len, true);
	else
		answer(fd, "", 0, false);
}

/* --- who waits for it -------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

struct answer {
	char *text;
	size_t len, room;
};

static int grow(struct answer *a)
{
	size_t room = a->room ? 2 * a->room : 128 << 10;
	char *more;

	if (a->len < a->room)
		return 0;
	if (a->len > WORKER_ANSWER_MAX)
		return -EBADMSG;
	more = realloc(a->text, room);
	if (!more)
		return -ENOMEM;
	a->text = more;
	a->room = room;
	return 0;
}

/* Until the other end is closed. */
static int collect(int fd, int64_t until, struct answer *a)
{
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		int64_t left = until - now_ms();
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;
		ssize_t n;

		if (r == 0)
			return -ETIME;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r < 0)
			continue;
		r = grow(a);
		if (r < 0)
			return r;
		n = read(fd, a->text + a->len, a->room - a->len);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		a->len += n > 0 ? (size_t)n : 0;
	}
}

/* Its end, waiting at most `wait_ms`: one that the kernel doesn't let go of is left to init. */
static int reap(pid_t pid, unsigned wait_ms, int *status)
{
	int64_t until = now_ms() + wait_ms;

	for (;;) {
		pid_t r = waitpid(pid, status, WNOHANG);

		if (r == pid)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (now_ms() >= until)
			return -ETIME;
		(void)poll(NULL, 0, 1);
	}
}

static void kill_all(pid_t pid)
{
	int status;

	(void)kill(-pid, SIGKILL); /* what it started too */
	(void)kill(pid, SIGKILL);
	(void)reap(pid, 100, &status);
}

/* 1, 0 or -EBADMSG; the text is moved to the front. */
static int open_frame(struct answer *a)
{
	struct frame f;
	uint64_t end;

	if (a->len < sizeof(f) + sizeof(end))
		return -EBADMSG;
	memcpy(&f, a->text, sizeof(f));
	memcpy(&end, a->text + a->len - sizeof(end), sizeof(end));
	if (f.magic != MAGIC || end != MAGIC || f.len != a->len - sizeof(f) - sizeof(end) ||
	    f.has > 1)
		return -EBADMSG;
	memmove(a->text, a->text + sizeof(f), f.len);
	a->text[f.len] = '\0';
	a->len = f.len;
	return (int)f.has;
}

static int wait_for_answer(pid_t pid, int fd, unsigned wait_ms, struct answer *a)
{
	int r = collect(fd, now_ms() + wait_ms, a), status = 0;

	if (r == 0)
		r = reap(pid, 100, &status);
	if (r < 0) {
		kill_all(pid);
		return r;
	}
	return status == 0 ? open_frame(a) : -ECHILD;
}

static const char *what_happened(int r)
{
	switch (r) {
	case -ETIME:
		return "did not answer in time";
	case -ECHILD:
		return "died";
	case -EBADMSG:
		return "gave no proper answer";
	}
	return strerror(-r);
}

int worker_ask(int (*work)(void *ctx, char **ret, size_t *ret_len), void *ctx, unsigned wait_ms,
	       char **ret, size_t *ret_len, const char **ret_why)
{
	int fds[2] = { -1, -1 };
	_close_ int in = -1, out = -1;
	struct answer a = { 0 };
	pid_t pid;
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		*ret_why = strerror(errno);
		return -errno;
	}
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid == 0) {
		let_go(out);
		work_and_answer(out, work, ctx);
		_exit(0);
	}
	if (pid < 0) {
		r = -errno;
		*ret_why = strerror(errno);
		return r;
	}
	(void)setpgid(pid, pid);
	close(TAKE_FD(out));
	r = wait_for_answer(pid, in, wait_ms, &a);
	if (r < 0)
		*ret_why = what_happened(r);
	if (r > 0 && ret) {
		*ret = TAKE_PTR(a.text);
		*ret_len = a.len;
	}
	free(a.text);
	return r;
}
