/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a program in a cgroup, as an engine would: joins, does what the options say, execs.
 *
 * usage: launch [-s] [-u UID] [-c NR]... CGROUP_DIR COMMAND [ARG]...
 *   -s      stops itself (SIGSTOP) before the exec, so that a tracer can attach
 *   -u UID  drops to that user and group before the exec
 *   -c NR   makes the call NR, every argument -1, inside the cgroup and before the exec
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void join(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static void drop_to(const char *user)
{
	uid_t uid = strtoul(user, NULL, 10);

	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die(user);
}

int main(int argc, char **argv)
{
	const char *user = NULL;
	long nr[64];
	int cnt = 0, opt;
	bool stop = false;

	while ((opt = getopt(argc, argv, "+su:c:")) != -1) {
		if (opt == 's')
			stop = true;
		else if (opt == 'u')
			user = optarg;
		else if (opt == 'c' && cnt < 64)
			nr[cnt++] = strtol(optarg, NULL, 10);
		else
			return 125;
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: launch [-s] [-u UID] [-c NR]... CGROUP_DIR COMMAND...\n");
		return 125;
	}
	join(argv[optind]);
	for (int i = 0; i < cnt; i++)
		(void)syscall(nr[i], -1, -1, -1, -1, -1, -1);
	if (user)
		drop_to(user);
	if (stop)
		raise(SIGSTOP);
	execv(argv[optind + 1], argv + optind + 1);
	die(argv[optind + 1]);
}
