/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/seen.h"

struct recording {
	struct recording_options o;
	char *path; /* of the cgroup, below the mount */
	char *dir;  /* and in the file system */
	bool made;  /* the cgroup */
	pid_t child;
	int go;	    /* closing it without a byte ends the child */
	int failed; /* the child's errno, should its exec fail */
	struct seen seen;
};

/* --- the child --------------------------------------------------------------------------- */

/* Only what is safe after a fork: the parent has no threads, but its buffers are not ours. */
static void run_child(char *const argv[], int go, int failed, bool stop)
{
	char byte;
	int err;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	if (stop)
		raise(SIGSTOP);
	execvp(argv[0], argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(1);
	_exit(1);
}

static int fork_child(struct recording *r, char *const argv[])
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failed, O_CLOEXEC) < 0) {
		close(go[0]);
		close(go[1]);
		return -errno;
	}
	r->child = fork();
	if (r->child == 0) {
		close(go[1]);
		run_child(argv, go[0], failed[1], r->o.stop);
	}
	close(go[0]);
	close(failed[1]);
	r->go = go[1];
	r->failed = failed[0];
	return r->child < 0 ? -errno : 0;
}

/* --- the cgroup -------------------------------------------------------------------------- */

static int move_to(const char *dir, pid_t pid)
{
	_free_ char *procs = text_format("%s/cgroup.procs", dir);
	_close_ int fd = procs ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", pid);

	if (fd < 0)
		return -errno;
	return write(fd, text, n) < 0 ? -errno : 0;
}

static int make_cgroup(struct recording *r)
{
	uint64_t id;
	int err;

	r->path = text_format("/tamis.record.%d", getpid());
	r->dir = r->path ? text_format("%s%s", r->o.mount, r->path) : NULL;
	if (!r->dir)
		return -ENOMEM;
	if (mkdir(r->dir, 0755) < 0)
		return -errno;
	r->made = true;
	err = cgroups_id(r->o.mount, r->path, &id);
	if (err >= 0)
		seen_begin(&r->seen, r->o.sensor, r->path, id);
	return err;
}

int recording_new(const struct recording_options *o, char *const argv[], struct recording **ret)
{
	_cleanup_(recording_free) struct recording *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->o = *o;
	r->go = r->failed = -1;
	err = make_cgroup(r);
	if (err >= 0)
		err = fork_child(r, argv);
	if (err >= 0)
		err = move_to(r->dir, r->child);
	if (err < 0)
		return err;
	*ret = TAKE_PTR(r);
	return 0;
}

static int move_out(const char *path, uint64_t id, void *arg)
{
	struct recording *r = arg;
	size_t len = strlen(r->path);
	pid_t pid;

	if (strncmp(path, r->path, len) != 0 || (path[len] && path[len] != '/'))
		return 0;
	for (int i = 0; i < 100000 && cgroups_first_pid(r->o.mount, path, &pid) == 0; i++)
		if (move_to(r->o.mount, pid) < 0 && errno != ESRCH)
			break;
	return 0;
}

static void remove_cgroups(struct recording *r)
{
	(void)cgroups_walk(r->o.mount, move_out, r);
	/* inner ones first: they were made later */
	for (size_t i = r->seen.cgroup_cnt; i-- > 1;) {
		_free_ char *path = NULL, *dir = NULL;

		if (cgroups_path(r->o.mount, r->seen.cgroup[i], &path) == 0)
			dir = text_format("%s%s", r->o.mount, path);
		if (dir)
			(void)rmdir(dir);
	}
	/* the kernel may still be reaping the last task */
	for (int i = 0; i < 100 && rmdir(r->dir) < 0 && errno == EBUSY; i++)
		usleep(10000);
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	if (r->go >= 0)
		close(r->go); /* a child that was never let go ends */
	if (r->failed >= 0)
		close(r->failed);
	if (r->child > 0)
		(void)waitpid(r->child, NULL, 0);
	if (r->made)
		remove_cgroups(r);
	seen_done(&r->seen);
	free(r->path);
	free(r->dir);
	free(r);
}

pid_t recording_pid(const struct recording *r)
{
	return r->child;
}

int recording_left(const struct recording *r)
{
	pid_t pid;

	return cgroups_first_pid(r->o.mount, r->path, &pid) == 0;
}

/* --- running ----------------------------------------------------------------------------- */

static int exec_error(struct recording *r)
{
	int err = 0;
	ssize_t n;

	do
		n = read(r->failed, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? -err : 0;
}

int recording_go(struct recording *r)
{
	int status;

	if (write(r->go, "g", 1) != 1)
		return -errno;
	close(TAKE_FD(r->go));
	if (!r->o.stop)
		return exec_error(r);
	while (waitpid(r->child, &status, WUNTRACED) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSTOPPED(status) ? 0 : -ECHILD;
}

static volatile pid_t pass_to;

static void pass_on(int sig)
{
	if (pass_to > 0)
		(void)kill(pass_to, sig);
}

/* The terminal sends INT and QUIT to the child itself: here they only must not kill us. */
static void pass_signals(pid_t child)
{
	static const int pass[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	struct sigaction on = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	pass_to = child;
	for (size_t i = 0; i < ARRAY_SIZE(pass); i++)
		(void)sigaction(pass[i], &on, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGQUIT, &ignore, NULL);
}

int recording_wait(struct recording *r, int *ret_status)
{
	_close_ int pidfd = pidfd_open(r->child, 0);
	int status = 0, err;

	if (pidfd < 0)
		return -errno;
	pass_signals(r->child);
	err = seen_until(&r->seen, pidfd);
	pass_to = 0;
	if (err < 0)
		return err;
	if (waitpid(r->child, &status, 0) < 0)
		return -errno;
	r->child = 0;
	err = exec_error(r);
	if (err < 0)
		return err;
	*ret_status = status;
	return 0;
}

int recording_read(struct recording *r, struct learned *ret, struct evidence *ret_evidence,
		   const struct policy_origin **ret_origin, size_t *ret_cnt)
{
	return seen_read(&r->seen, ret, ret_evidence, ret_origin, ret_cnt);
}
