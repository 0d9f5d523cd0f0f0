/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one call costs: getppid again and again, pinned to one CPU.
 *
 * usage: getppid_loop [CALLS]      prints nanoseconds per call
 * The calls are timed in chunks and the median chunk is printed, so that what else runs on the
 * machine counts only when it takes half of the time.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CHUNKS = 101 };

static double chunk_ns(long calls)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < calls; i++)
		(void)syscall(SYS_getppid);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / calls;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) > 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("getppid_loop: not pinned");
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 1000000;
	double ns[CHUNKS];

	if (calls < CHUNKS)
		return 2;
	pin();
	(void)chunk_ns(calls / 10); /* warm-up */
	for (int i = 0; i < CHUNKS; i++)
		ns[i] = chunk_ns(calls / CHUNKS);
	qsort(ns, CHUNKS, sizeof(ns[0]), by_value);
	printf("%.2f\n", ns[CHUNKS / 2]);
	return 0;
}
