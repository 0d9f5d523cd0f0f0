/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes cgroups, many and fast.
 *
 * usage: churn [-n COUNT] [-s SECONDS] [-m NAMES] [-t EVERY] [-k] [-r] PROGRAM PREFIX...
 *   COUNT cgroups, evenly over SECONDS (0: as fast as it goes): PREFIX0, PREFIX1, ... of one prefix
 *   after the other; the numbers begin again after NAMES (0: never).
 *   -t EVERY  in each EVERYth cgroup of a prefix PROGRAM is run (0: in none)
 *   -k        they stay
 *   -r        they were there: all are removed, none is made
 * Prints "PREFIX CGROUPS PROGRAMS" for each prefix. Exits with 1 when something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long count = 1000, seconds, names, every;
static bool keep, only_remove;
static const char *program;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run_in(const char *dir)
{
	char procs[600];
	int status = 0, fd;
	pid_t pid;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", dir);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(procs);
	pid = fork();
	if (pid == 0) {
		if (write(fd, "0", 1) != 1)
			_exit(125);
		execl(program, program, (char *)NULL);
		_exit(125);
	}
	close(fd);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		die(program);
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

static void one(const char *prefix, long n, long *programs)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s%ld", prefix, names ? n % names : n);
	if (!only_remove && mkdir(dir, 0755))
		die(dir);
	if (!only_remove && every && n % every == 0) {
		run_in(dir);
		(*programs)++;
	}
	if (!keep)
		remove_dir(dir);
}

static void wait_until(double when)
{
	double left = when - now();

	if (left > 0)
		usleep(left * 1e6);
}

static void options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+n:s:m:t:kr")) != -1) {
		if (opt == 'n')
			count = atol(optarg);
		else if (opt == 's')
			seconds = atol(optarg);
		else if (opt == 'm')
			names = atol(optarg);
		else if (opt == 't')
			every = atol(optarg);
		else if (opt == 'k')
			keep = true;
		else if (opt == 'r')
			only_remove = true;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	long made[16] = { 0 }, programs[16] = { 0 };
	double began = now();
	int prefixes;

	options(argc, argv);
	prefixes = argc - optind - 1;
	if (prefixes < 1 || prefixes > 16)
		return 2;
	program = argv[optind];
	for (long n = 0; n < count; n++) {
		int p = n % prefixes;

		wait_until(began + (double)seconds * n / count);
		one(argv[optind + 1 + p], made[p]++, &programs[p]);
	}
	for (int p = 0; p < prefixes; p++)
		printf("%s %ld %ld\n", argv[optind + 1 + p], made[p], programs[p]);
	return 0;
}
