/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two commands take, in turns, from fork to exit.
 *
 * usage: times [-i FILE] [-r FROM TO] COUNT A [ARG]... -- B [ARG]...
 *   -i FILE     their standard input
 *   -r FROM TO  the file TO is made a copy of FROM before each run
 * Prints a line for each pair: milliseconds of A by the clock and of processors, the same of B.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *input = "/dev/null", *from, *to;

static void die(const char *what)
{
	fprintf(stderr, "times: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

static void restore(void)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t n = in < 0 ? -1 : read(in, buf, sizeof(buf));

	if (out < 0 || n < 0 || write(out, buf, (size_t)n) != n)
		die(to);
	close(in);
	close(out);
}

static void run(char **argv)
{
	int in = open(input, O_RDONLY), out = open("/dev/null", O_WRONLY), status;

	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execv(argv[0], argv);
	status = errno == ENOENT ? 127 : 126;
	_exit(status);
}

static void take(char **argv, double *ret_wall, double *ret_cpu)
{
	struct rusage used;
	int status = 0;
	double began;
	pid_t pid;

	if (from)
		restore();
	began = now_ms();
	pid = fork();
	if (pid == 0)
		run(argv);
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		die(argv[0]);
	*ret_wall = now_ms() - began;
	*ret_cpu = ms(used.ru_utime) + ms(used.ru_stime);
	if (status) {
		fprintf(stderr, "times: %s failed (%d)\n", argv[0], status);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	char **a, **b;
	int opt;

	while ((opt = getopt(argc, argv, "+i:r:")) != -1) {
		if (opt == 'i')
			input = optarg;
		else if (opt == 'r' && optind < argc)
			from = optarg, to = argv[optind++];
		else
			return 2;
	}
	if (argc - optind < 4)
		return 2;
	a = b = argv + optind + 1;
	while (*b && strcmp(*b, "--") != 0)
		b++;
	if (!*b || !b[1])
		return 2;
	*b++ = NULL;
	for (long n = atol(argv[optind]); n > 0; n--) {
		double wall[2], cpu[2];

		/* who comes first takes turns, too */
		take(n % 2 ? a : b, &wall[n % 2], &cpu[n % 2]);
		take(n % 2 ? b : a, &wall[!(n % 2)], &cpu[!(n % 2)]);
		printf("%.3f %.3f %.3f %.3f\n", wall[1], cpu[1], wall[0], cpu[0]);
	}
	return 0;
}
