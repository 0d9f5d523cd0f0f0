/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs each of some tasks, of which one at a time makes calls.
 *
 * usage: alternate FILE ROUNDS CALLS LAPS NAME...
 * Makes FILE, prints "ready", and waits for a task of each name (task.c) to arrive. A slice is LAPS
 * turns of one task; in each round there is one of each, in an order of its own, and a line of
 * "NAME NS", nanoseconds per call.
 */
#include "tests/bench/turn.h"

static uint32_t number(const char *text)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (!n || n > TURNS_MAX)
		exit(2);
	return n;
}

static int make_shared(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		return -errno;
	return map_shared(fd);
}

static void wait_for_tasks(uint32_t tasks)
{
	puts("ready");
	fflush(stdout);
	while (__atomic_load_n(&shared->arrived, __ATOMIC_ACQUIRE) < tasks)
		usleep(10000);
}

int main(int argc, char **argv)
{
	unsigned int seed = 1;
	uint64_t interrupted = 0;
	int tasks = argc - 5, order[16];
	uint32_t rounds;

	if (tasks < 1 || tasks > 16)
		return 2;
	if (make_shared(argv[1])) {
		perror(argv[1]);
		return 1;
	}
	rounds = number(argv[2]);
	shared->calls = number(argv[3]);
	shared->laps = number(argv[4]);
	wait_for_tasks(tasks);
	for (uint32_t r = 0; r <= rounds; r++) {
		shuffle(order, tasks, &seed);
		for (int i = 0; i < tasks; i++) {
			double ns = slice(order[i], order[i] + 1, &interrupted);

			if (r) /* the first is for warming up */
				printf("%s %.3f\n", argv[5 + order[i]], ns);
		}
	}
	return 0;
}
