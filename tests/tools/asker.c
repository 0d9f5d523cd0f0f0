/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes calls over and over, with a timer's signals among them, and looks at what each returns and
 * how long it took: for a filter that asks somebody.
 *
 * usage: asker GO ROUNDS PAUSE_US PERIOD_MS NUMBER=VALUE...
 *   GO         waits until there is such a file; "-": doesn't
 *   PAUSE_US   sleeps so long after each call
 *   PERIOD_MS  of a SIGALRM, whose handler says SA_RESTART; 0: none
 * Each round makes each call, all arguments 0, which has to return VALUE (a negative one: an errno).
 * Prints "NUMBER VALUE" for each that returned another one, the microseconds of each call, a line
 * each, and at last "done SIGNALS".
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

static void set_timer(long ms)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval every = { .it_interval.tv_usec = ms * 1000,
				   .it_value.tv_usec = ms * 1000 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void ask(const char *call)
{
	char *end;
	long nr = strtol(call, &end, 10), want = strtol(end + 1, NULL, 10), before, took, got;

	before = now_us();
	got = syscall(nr, 0, 0, 0, 0, 0, 0);
	if (got < 0)
		got = -errno;
	took = now_us() - before;
	if (got != want)
		printf("%ld %ld\n", nr, got);
	printf("%ld\n", took);
}

static void rest(long us)
{
	struct timespec left = { us / 1000000, us % 1000000 * 1000 };

	while (us && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

int main(int argc, char **argv)
{
	long rounds, pause_us;

	if (argc < 5)
		return 2;
	rounds = atol(argv[2]);
	pause_us = atol(argv[3]);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	while (argv[1][0] != '-' && access(argv[1], F_OK) < 0)
		rest(20000);
	set_timer(atol(argv[4]));
	for (; rounds > 0; rounds--)
		for (int i = 5; i < argc; i++) {
			ask(argv[i]);
			rest(pause_us);
		}
	set_timer(0);
	printf("done %d\n", (int)signals);
	return 0;
}
