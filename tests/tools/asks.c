/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes calls by number, and says what came of them and how long they took.
 *
 *	asks [-s SOCKET] [-n TIMES] [-p PROCESSES] [-t MS] [-e MS] NUMBER...
 *
 * -s: under a filter of its own that asks for these calls, whose descriptor it sends there as a runtime
 * does. -t: a timer's signal every MS, whose handler has the call restarted. -e: a pause after each
 * call. One line: "calls=.. ok=.. enosys=.. eperm=.. eintr=.. median=..us p99=..us max=..us"; what a call
 * says of its arguments is ok, for it was made.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS_MAX 64

static long numbers[NUMBERS_MAX];
static unsigned number_cnt;
static unsigned long times = 1, pause_ms;

static struct result {
	unsigned long ok, enosys, eperm, eintr;
} * results;
static unsigned *took;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void nothing(int signal)
{
	(void)signal;
}

/* --- a filter of its own -------------------------------------------------------------------- */

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die(path);
	return fd;
}

static int install(void)
{
	struct sock_filter code[NUMBERS_MAX + 3];
	struct sock_fprog prog = { .filter = code };
	unsigned n = 0;
	int fd;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < number_cnt; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)numbers[i], number_cnt - i, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &prog);
	if (fd < 0)
		die("seccomp");
	return fd;
}

static void send_filter(const char *path)
{
	char text[] = "{\"ociVersion\":\"1.0.2\",\"fds\":[\"seccompFd\"]}";
	struct iovec iov = { text, sizeof(text) - 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	int conn = connect_to(path), fd = install();

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(conn, &m, MSG_NOSIGNAL) < 0)
		die("sendmsg");
	close(conn);
	close(fd);
}

/* --- calls ---------------------------------------------------------------------------------- */

static void set_timer(long ms)
{
	struct sigaction a = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct itimerval t = { .it_interval.tv_usec = ms * 1000, .it_value.tv_usec = ms * 1000 };

	if (ms && (sigaction(SIGALRM, &a, NULL) < 0 || setitimer(ITIMER_REAL, &t, NULL) < 0))
		die("timer");
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000000 + (unsigned long long)t.tv_nsec;
}

static void make_calls(struct result *r, unsigned *us)
{
	for (unsigned long i = 0; i < times; i++) {
		unsigned long long began = now_ns();
		long got = syscall(numbers[i % number_cnt], 0, 0, 0, 0, 0, 0);
		int e = got < 0 ? errno : 0;

		us[i] = (unsigned)((now_ns() - began) / 1000);
		r->enosys += e == ENOSYS;
		r->eperm += e == EPERM;
		r->eintr += e == EINTR;
		r->ok += e != ENOSYS && e != EPERM && e != EINTR;
		if (pause_ms)
			usleep((useconds_t)pause_ms * 1000);
	}
}

static int compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void say(unsigned long cnt, unsigned processes)
{
	struct result sum = { 0 };

	for (unsigned i = 0; i < processes; i++) {
		sum.ok += results[i].ok;
		sum.enosys += results[i].enosys;
		sum.eperm += results[i].eperm;
		sum.eintr += results[i].eintr;
	}
	qsort(took, cnt, sizeof(*took), compare);
	printf("calls=%lu ok=%lu enosys=%lu eperm=%lu eintr=%lu median=%uus p99=%uus max=%uus\n",
	       cnt, sum.ok, sum.enosys, sum.eperm, sum.eintr, took[cnt / 2], took[cnt * 99 / 100],
	       took[cnt - 1]);
}

static void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

int main(int argc, char **argv)
{
	unsigned processes = 1;
	const char *socket_path = NULL;
	long timer_ms = 0;
	int opt, failed = 0, status;

	while ((opt = getopt(argc, argv, "s:n:p:t:e:")) != -1)
		switch (opt) {
		case 's':
			socket_path = optarg;
			break;
		case 'n':
			times = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			processes = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			timer_ms = strtol(optarg, NULL, 10);
			break;
		case 'e':
			pause_ms = strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	while (optind < argc && number_cnt < NUMBERS_MAX)
		numbers[number_cnt++] = strtol(argv[optind++], NULL, 10);
	if (!number_cnt || !times || !processes)
		return 2;
	results = shared(processes * sizeof(*results));
	took = shared(processes * times * sizeof(*took));
	for (unsigned i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid > 0)
			continue;
		if (socket_path)
			send_filter(socket_path);
		set_timer(timer_ms);
		make_calls(&results[i], took + i * times);
		_exit(0);
	}
	while (wait(&status) > 0)
		failed |= status;
	if (!failed)
		say(processes * times, processes);
	return failed ? 1 : 0;
}
