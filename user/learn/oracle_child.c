/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/oracle_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"

struct oracle_child {
	pid_t pid;  /* 0: it is a unit, or waited for */
	char *unit; /* NULL: it is a child */
	bool ended;
	int code;
};

static char *const environment[] = {
	(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	(char *)"HOME=/root",
	NULL,
};

/* --- a child ------------------------------------------------------------------------------- */

/* A process of the host, as far as that can be: a container that is mounted in a namespace of ours
 * would be nobody else's. Open before the fork; -1: it is ours already, or can't be had. */
static int host_mounts(void)
{
	struct stat ours, hosts;
	int fd;

	if (stat("/proc/self/ns/mnt", &ours) < 0 || stat("/proc/1/ns/mnt", &hosts) < 0 ||
	    (ours.st_ino == hosts.st_ino && ours.st_dev == hosts.st_dev))
		return -1;
	fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	return fd;
}

/* Only what may be called after fork. */
static void become(const char *const *argv, int mounts, int out, int err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)setsid();
	(void)umask(022);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out < 0 ? null : out, 1) < 0 ||
	    dup2(err < 0 ? null : err, 2) < 0)
		_exit(127);
	if (mounts >= 0)
		(void)setns(mounts, CLONE_NEWNS);
	(void)chdir("/");
	(void)close_range(3, ~0u, 0);
	(void)execve(argv[0], (char *const *)argv, environment);
	_exit(127);
}

static int run_child(const char *const *argv, const struct oracle_child_out *out,
		     struct oracle_child *c)
{
	_close_ int mounts = host_mounts();
	_close_ int fd = -1;

	if (out->path) {
		(void)unlink(out->path);
		fd = open(out->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
	}
	c->pid = fork();
	if (c->pid == 0)
		become(argv, mounts, fd, out->errors ? fd : -1);
	return c->pid < 0 ? -errno : 0;
}

static int child_ended(struct oracle_child *c)
{
	int status;
	pid_t pid = waitpid(c->pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return 0;
	if (pid < 0)
		c->code = 255; /* somebody else waited for it */
	else
		c->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	c->pid = 0;
	return 1;
}

/* It has a session of its own, and so has nobody else that number. */
static void end_child(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ------------------------------------------------------------------------------------------- */

static bool has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

static char *unit_name(void)
{
	static unsigned last;
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return text_format("tamis-action-%d-%" PRId64 "-%u.service", (int)getpid(),
			   (int64_t)t.tv_sec, ++last);
}

int oracle_child_run(const char *const *argv, const struct oracle_child_out *out,
		     struct oracle_child **ret)
{
	_cleanup_(oracle_child_free) struct oracle_child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	if (has_systemd()) {
		_free_ char *unit = unit_name();

		r = unit ? oracle_child_unit_run(unit, argv, out) : -ENOMEM;
		if (r == 0)
			c->unit = TAKE_PTR(unit);
	} else {
		r = run_child(argv, out, c);
	}
	if (r < 0) {
		c->pid = 0;
		return r;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

int oracle_child_ended(struct oracle_child *c, int *ret_code)
{
	int r = c->ended ? 1 : 0;

	if (r == 0)
		r = c->unit ? oracle_child_unit_ended(c->unit, &c->code) : child_ended(c);
	c->ended = r > 0;
	if (r > 0 && ret_code)
		*ret_code = c->code;
	return r > 0;
}

void oracle_child_free(struct oracle_child *c)
{
	if (!c)
		return;
	if (!c->ended && c->unit)
		oracle_child_unit_end(c->unit);
	if (!c->ended && c->pid > 0)
		end_child(c->pid);
	free(c->unit);
	free(c);
}

int oracle_child_find(const char *name, char **ret)
{
	static const char *const dirs[] = { "/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char *path = text_format("%s/%s", dirs[i], name);

		if (!path)
			return -ENOMEM;
		if (access(path, X_OK) == 0) {
			*ret = path;
			return 0;
		}
		free(path);
	}
	return -ENOENT;
}
