/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings a program into a container as runc exec does since 1.4 on a pure v2 tree: born in the
 * container's cgroup (CLONE_INTO_CGROUP), it execs itself by descriptor, joins the namespaces,
 * forks, and the child execs the program.
 *
 * usage: into CGROUP_DIR PID PROGRAM [ARG]...     PID: a process of the container
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const namespaces[] = { "ipc", "uts", "net", "pid", "mnt" };

#define CNT (sizeof(namespaces) / sizeof(namespaces[0]))

static void die(const char *what)
{
	fprintf(stderr, "into: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int wait_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

static void join(const char *pid)
{
	char path[64];
	int fd[CNT];

	for (size_t i = 0; i < CNT; i++) {
		snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, namespaces[i]);
		fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (fd[i] < 0)
			die(path);
	}
	for (size_t i = 0; i < CNT; i++)
		if (setns(fd[i], 0))
			die(namespaces[i]);
}

/* Inside of the cgroup, after the exec of itself. */
static int finish(char **argv)
{
	pid_t child;

	join(argv[0]);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		execv(argv[1], argv + 1);
		die(argv[1]);
	}
	return wait_of(child);
}

static pid_t be_born_in(const char *dir)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		die(dir);
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	return pid;
}

static void exec_self(char **argv)
{
	int fd = open("/proc/self/exe", O_PATH);
	char path[32];

	if (fd < 0)
		die("/proc/self/exe");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	argv[1] = "--inside";
	execv(path, argv);
	die(path);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc > 3 && !strcmp(argv[1], "--inside"))
		return finish(argv + 2);
	if (argc < 4)
		return 125;
	child = be_born_in(argv[1]);
	if (child == 0)
		exec_self(argv);
	return wait_of(child);
}
