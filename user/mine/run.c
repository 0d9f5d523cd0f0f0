/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "mine/stop.h"

#define TERM_MS 2000 /* from TERM to KILL */
#define DEAD_MS 5000 /* from KILL until nobody waits for it any more */

int64_t run_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void run_result_done(struct run_result *r)
{
	free(r->out);
	*r = (struct run_result){ 0 };
}

bool run_succeeded(const struct run_result *r)
{
	return !r->hung && !r->stopped && WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
}

/* --- the child ------------------------------------------------------------------------------ */

static bool is_named(const char *variable, const char *const *env)
{
	size_t len = strcspn(variable, "=") + 1;

	for (; env && *env; env++)
		if (strncmp(variable, *env, len) == 0)
			return true;
	return false;
}

/* Ours but for what `env` has anew. The strings are borrowed. */
static char **environment(const char *const *env)
{
	size_t cnt = 1, i = 0;
	char **ret;

	for (char **e = environ; *e; e++)
		cnt++;
	for (const char *const *e = env; e && *e; e++)
		cnt++;
	ret = calloc(cnt, sizeof(*ret));
	if (!ret)
		return NULL;
	for (char **e = environ; *e; e++)
		if (!is_named(*e, env))
			ret[i++] = *e;
	for (const char *const *e = env; e && *e; e++)
		ret[i++] = (char *)*e;
	return ret;
}

/* Only what may be called after fork: we may have threads. */
static void become(const struct run_options *o, char **env, int out, int failed)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err;
	sigset_t none;

	(void)setsid();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
	    (!o->dir || chdir(o->dir) == 0))
		(void)execvpe(o->argv[0], (char *const *)o->argv, env);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* -errno of the exec, where that failed. */
static int exec_error(int fd)
{
	int err = 0;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? -err : 0;
}

static int begin(const struct run_options *o, pid_t *ret_pid, int *ret_out)
{
	_free_ char **env = environment(o->env);
	int out[2], failed[2], r;
	pid_t pid;

	if (!env)
		return -ENOMEM;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failed, O_CLOEXEC) < 0) {
		r = -errno;
		close(out[0]);
		close(out[1]);
		return r;
	}
	pid = fork();
	if (pid == 0)
		become(o, env, out[1], failed[1]);
	r = pid < 0 ? -errno : 0;
	close(out[1]);
	close(failed[1]);
	if (r == 0)
		r = exec_error(failed[0]);
	close(failed[0]);
	if (r < 0) {
		close(out[0]);
		if (pid > 0)
			(void)waitpid(pid, NULL, 0);
		return r;
	}
	*ret_pid = pid;
	*ret_out = out[0];
	return 0;
}

/* --- what it prints ------------------------------------------------------------------------- */

/* When there is no room left the third quarter goes: the first half stays, and the newest. */
static int make_room(struct run_result *r)
{
	const size_t half = RUN_OUT_MAX / 2, quarter = RUN_OUT_MAX / 4;

	if (!r->out) {
		r->out = calloc(1, RUN_OUT_MAX + 1);
		return r->out ? 0 : -ENOMEM;
	}
	if (r->out_len == RUN_OUT_MAX) {
		memmove(r->out + half, r->out + half + quarter, quarter);
		r->out_len -= quarter;
		r->cut = true;
	}
	return 0;
}

/* 1: there may be more; 0: not now, or never. */
static int take_output(int fd, struct run_result *r)
{
	ssize_t n;

	if (make_room(r) < 0)
		return -ENOMEM;
	n = read(fd, r->out + r->out_len, RUN_OUT_MAX - r->out_len);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return n == 0 ? -EPIPE : 0;
	r->out_len += (size_t)n;
	r->out[r->out_len] = '\0';
	return 1;
}

/* --- waiting -------------------------------------------------------------------------------- */

struct wait {
	const struct run_options *o;
	pid_t pid;
	int pidfd, out;
	int64_t began, end; /* end: of its time, or of the grace; 0: none */
	int64_t sent;	    /* the last signal to end it */
	int signal;
};

static void end_group(struct wait *w, int sig)
{
	(void)kill(-w->pid, sig);
	(void)kill(w->pid, sig);
	w->signal = sig;
	w->sent = run_now_ms();
}

static void ask_stop(struct wait *w, struct run_result *r, int64_t now)
{
	int64_t end = now + w->o->grace_ms;

	r->stopped = true;
	if (!w->end || end < w->end)
		w->end = end;
}

/* Its time, its grace, and what comes after them. False: it doesn't even die. */
static bool look_at_time(struct wait *w, struct run_result *r)
{
	int64_t now = run_now_ms();

	if (!r->stopped && stop_asked(w->o->stop_fd))
		ask_stop(w, r, now);
	if (w->signal == SIGKILL)
		return now - w->sent < DEAD_MS;
	if (w->signal == SIGTERM && now - w->sent >= TERM_MS)
		end_group(w, SIGKILL);
	else if (!w->signal && w->end && now >= w->end) {
		r->hung = !r->stopped;
		end_group(w, SIGTERM);
	}
	return true;
}

static int timeout_of(const struct wait *w)
{
	int64_t now = run_now_ms(), until = now + 1000;

	if (!w->signal && w->end)
		until = w->end;
	else if (w->signal == SIGTERM)
		until = w->sent + TERM_MS;
	until = until - now > 1000 ? 1000 : until - now;
	return until < 0 ? 0 : (int)until;
}

/* Until it has ended, or can't be ended. */
static int wait_for_end(struct wait *w, struct run_result *r)
{
	while (look_at_time(w, r)) {
		struct pollfd p[] = {
			{ .fd = w->pidfd, .events = POLLIN },
			{ .fd = w->out, .events = POLLIN },
			{ .fd = r->stopped ? -1 : w->o->stop_fd, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), timeout_of(w)) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents && take_output(w->out, r) < 0) {
			close(w->out);
			w->out = -1;
		}
		if (p[0].revents)
			return 0;
	}
	return -ETIMEDOUT;
}

/* What was in the pipe when it ended; others may hold it open. */
static void take_rest(struct wait *w, struct run_result *r)
{
	if (w->out < 0)
		return;
	(void)fcntl(w->out, F_SETFL, O_NONBLOCK);
	while (take_output(w->out, r) > 0 && run_now_ms() - w->sent < TERM_MS)
		;
}

static void wait_done(struct wait *w)
{
	cleanup_closep(&w->pidfd);
	cleanup_closep(&w->out);
}

int run_program(const struct run_options *o, struct run_result *ret)
{
	__attribute__((cleanup(wait_done))) struct wait w = { .o = o, .pidfd = -1, .out = -1 };
	_run_result_ struct run_result r = { 0 };
	int err = make_room(&r);

	w.began = run_now_ms();
	if (err == 0)
		err = begin(o, &w.pid, &w.out);
	if (err < 0)
		return err;
	w.end = o->limit_ms ? w.began + o->limit_ms : 0;
	w.pidfd = pidfd_open(w.pid, 0);
	err = w.pidfd < 0 ? -errno : wait_for_end(&w, &r);
	end_group(&w, SIGKILL); /* what it left behind; itself, where nobody could wait for it */
	take_rest(&w, &r);
	if (err != -ETIMEDOUT)
		(void)waitpid(w.pid, &r.status, 0);
	r.took_ms = run_now_ms() - w.began;
	*ret = r;
	r = (struct run_result){ 0 };
	if (err < 0)
		return err;
	return ret->stopped ? -EINTR : 0;
}

char *run_last_line(const struct run_result *r, size_t max)
{
	const char *out = r->out ?: "";
	size_t end = strlen(out), begin;

	while (end > 0 && strchr(" \r\n\t", out[end - 1]))
		end--;
	for (begin = end; begin > 0 && out[begin - 1] != '\n';)
		begin--;
	return strndup(out + begin, end - begin < max ? end - begin : max);
}
