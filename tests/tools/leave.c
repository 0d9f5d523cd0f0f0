/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bears a child in another cgroup (CLONE_INTO_CGROUP) and waits for its end.
 *
 * usage: leave CGROUP_DIR [TIMES]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int bear(int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));
	int status;

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	int fd, times = argc > 2 ? atoi(argv[2]) : 1;

	if (argc < 2)
		return 2;
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < times; i++)
		if (bear(fd) < 0)
			fd = -1;
	if (fd >= 0)
		return 0;
	fprintf(stderr, "leave: %s: %s\n", argv[1], strerror(errno));
	return 1;
}
