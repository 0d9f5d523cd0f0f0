/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of alternate's tasks, for containers: static.
 *
 * usage: task FILE INDEX      takes turns until it is killed
 *        task                 makes the same calls once, for who learns them
 */
#include "tests/bench/turn.h"

static int once(void)
{
	uint32_t word = 0;

	printf("%d\n", getppid());
	return (int)syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		return once();
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || map_shared(fd)) {
		perror("task");
		return 1;
	}
	take_turns(atoi(argv[2]));
}
