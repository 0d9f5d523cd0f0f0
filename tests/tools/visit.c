/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program in each of many cgroups. It is born there (CLONE_INTO_CGROUP): moving a process takes
 * milliseconds.
 *
 * usage: visit [-m] [-l] COUNT PREFIX [PROGRAM [ARG]...]
 *        visit -r COUNT PREFIX
 *   of the cgroups PREFIX0, PREFIX1, ...; one after the other
 *   -m  the cgroups are made
 *   -l  the programs live: all are begun, with one pipe as their standard input, and "ready" is said.
 *       With each line that is read the pipe ends: "gone on" is said. At its own input's end they all
 *       are killed.
 *   -r  the cgroups are removed
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool make, live, drop;
static pid_t *pids;

static void die(const char *what)
{
	fprintf(stderr, "visit: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t begin_in(const char *dir, char **argv)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)fd,
	};
	pid_t pid;

	if (fd < 0)
		die(dir);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(125);
	}
	close(fd);
	if (pid < 0)
		die(dir);
	return pid;
}

static void end(pid_t pid, bool by_itself)
{
	int status = 0;

	if (!by_itself)
		(void)kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	if (by_itself && status) {
		fprintf(stderr, "visit: the program failed (%d)\n", status);
		exit(1);
	}
}

/* A cgroup whose last task has just been reaped may still be busy for a moment. */
static void remove_dir(const char *dir)
{
	for (int i = 0; rmdir(dir); i++) {
		if (errno != EBUSY || i == 10000)
			die(dir);
		usleep(200);
	}
}

static void visit(const char *prefix, long n, char **argv)
{
	char dir[512];
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s%ld", prefix, n);
	if (make && mkdir(dir, 0755))
		die(dir);
	if (drop)
		remove_dir(dir);
	if (!argv[0])
		return;
	pid = begin_in(dir, argv);
	if (live)
		pids[n] = pid;
	else
		end(pid, true);
}

/* The end that we keep; the other one becomes our standard input, and of all that are begun. */
static int open_pipe(int *ret_own)
{
	int fds[2];

	*ret_own = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (*ret_own < 0 || pipe2(fds, O_CLOEXEC) || dup2(fds[0], 0) < 0)
		die("pipe");
	close(fds[0]);
	return fds[1];
}

static void live_on(int own, int pipe, long count)
{
	char c;

	puts("ready");
	fflush(stdout);
	while (read(own, &c, 1) == 1) {
		if (c != '\n')
			continue;
		close(pipe);
		puts("gone on");
		fflush(stdout);
	}
	for (long n = 0; n < count; n++)
		end(pids[n], false);
}

int main(int argc, char **argv)
{
	int opt, own = -1, pipe = -1;
	long count;

	while ((opt = getopt(argc, argv, "+mlr")) != -1) {
		if (opt == '?')
			return 2;
		make |= opt == 'm';
		live |= opt == 'l';
		drop |= opt == 'r';
	}
	if (argc - optind < 2 || (live && !argv[optind + 2]))
		return 2;
	count = atol(argv[optind]);
	pids = calloc(count > 0 ? (size_t)count : 1, sizeof(*pids));
	if (!pids)
		die("memory");
	if (live)
		pipe = open_pipe(&own);
	for (long n = 0; n < count; n++)
		visit(argv[optind + 1], n, argv + optind + 2);
	if (live)
		live_on(own, pipe, count);
	free(pids);
	return 0;
}
