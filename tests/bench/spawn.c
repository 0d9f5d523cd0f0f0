/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a program COUNT times, one after the other: fork, exec, wait.
 *
 * usage: spawn COUNT PROGRAM [ARG]...
 * Prints microseconds: per start, the median start, processor time per start (its descendants' that
 * were waited for, and ours).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double used_us(int who)
{
	struct rusage used;

	getrusage(who, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec +
	       used.ru_stime.tv_usec;
}

static double all_used_us(void)
{
	return used_us(RUSAGE_SELF) + used_us(RUSAGE_CHILDREN);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void start(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "spawn: %s failed\n", argv[0]);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	double *us = count > 0 ? calloc(count, sizeof(*us)) : NULL;
	double used, from, at;

	if (!us)
		return 2;
	(void)!setpriority(PRIO_PROCESS, 0, -15); /* others disturb less */
	start(argv + 2);			  /* warm-up */
	used = all_used_us();
	from = at = now_us();
	for (int i = 0; i < count; i++) {
		start(argv + 2);
		us[i] = now_us() - at;
		at += us[i];
	}
	qsort(us, count, sizeof(*us), by_value);
	printf("%.2f %.2f %.2f\n", (at - from) / count, us[count / 2],
	       (all_used_us() - used) / count);
	free(us);
	return 0;
}
