/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small program for each way of calling that real programs have and a tracer may get wrong.
 * Built as it is, static, and for i386.
 *
 * usage: variety plain|threads|signals|chain|int80...     each in turn
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "variety: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void plain(void)
{
	char name[] = "/tmp/variety-XXXXXX", text[16] = "text";
	int fd = mkstemp(name), pair[2];
	struct stat st;

	check(fd >= 0 && write(fd, text, 4) == 4, name);
	check(pread(fd, text, 4, 0) == 4 && !fstat(fd, &st) && st.st_size == 4, "pread");
	check(!ftruncate(fd, 0) && !fsync(fd) && !unlink(name) && !close(fd), "unlink");
	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	check(send(pair[0], text, 4, 0) == 4 && recv(pair[1], text, 4, 0) == 4, "send");
	/* No such call, and no such number. */
	check(syscall(540) == -1 && syscall(-1) == -1, "unknown calls");
}

/* --- threads ------------------------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int turn;

enum { THREADS = 12 };

/* Each makes calls that no other does. */
static void own_call(int t)
{
	static const int resource[] = {
		SYS_getpgid, SYS_getsid,   SYS_getpriority, SYS_getcwd, SYS_times,
		SYS_sysinfo, SYS_uname,	   SYS_getrusage,   SYS_umask,	SYS_sched_getscheduler,
		SYS_capget,  SYS_getitimer
	};

	(void)syscall(resource[t], 0, NULL, 0);
}

static void *thread(void *arg)
{
	int t = (long)arg;

	pthread_barrier_wait(&barrier);
	own_call(t);
	pthread_mutex_lock(&mutex);
	while (turn != t)
		pthread_cond_wait(&cond, &mutex);
	turn++;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void threads(void)
{
	pthread_t tid[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long t = 0; t < THREADS; t++)
		check(!pthread_create(&tid[t], NULL, thread, (void *)t), "thread");
	for (int t = 0; t < THREADS; t++)
		pthread_join(tid[t], NULL);
}

/* --- signals and timers --------------------------------------------------------------------- */

static volatile sig_atomic_t caught;
static sigjmp_buf escape;

static void on_signal(int sig)
{
	caught++;
	if (sig == SIGSEGV)
		siglongjmp(escape, 1);
	/* A call that is made nowhere but here. */
	(void)syscall(SYS_getpgid, 0);
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	check(!sigaction(sig, &sa, NULL), "sigaction");
}

static void on_other_stack(void)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	check(!sigaltstack(&ss, NULL), "sigaltstack");
	handle(SIGSEGV, SA_ONSTACK);
	if (!sigsetjmp(escape, 1))
		*(volatile int *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) =
			1;
}

static void interrupted_read(void)
{
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct itimerval later = { .it_value = { .tv_usec = 20000 } };
	int pipes[2];
	char c;

	check(!pipe(pipes), "pipe");
	handle(SIGALRM, 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	check(read(pipes[0], &c, 1) < 0 && errno == EINTR, "read");
	handle(SIGVTALRM, SA_RESTART);
	setitimer(ITIMER_VIRTUAL, &later, NULL);
	while (caught < 3)
		;
}

static void posix_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec in = { .it_value = { .tv_nsec = 20000000 } };
	uint64_t expired;
	sigset_t set;
	timer_t timer;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	check(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	check(!timer_settime(timer, 0, &in, NULL), "timer_settime");
	check(sigwaitinfo(&set, NULL) == SIGUSR1 && !timer_delete(timer), "sigwaitinfo");
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	check(fd >= 0 && !timerfd_settime(fd, 0, &in, NULL), "timerfd");
	check(read(fd, &expired, sizeof(expired)) == sizeof(expired), "timerfd");
}

static void by_descriptor(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct signalfd_siginfo info;
	int fd, ep = epoll_create1(0);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	check(fd >= 0 && ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "signalfd");
	raise(SIGUSR2);
	check(epoll_wait(ep, &ev, 1, 1000) == 1, "epoll_wait");
	check(read(fd, &info, sizeof(info)) == sizeof(info), "signalfd");
}

/* A stop and a continuation in the middle of a sleep: restart_syscall. */
static void stopped_sleep(void)
{
	struct timespec long_one = { .tv_nsec = 400000000 };
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0) {
		usleep(100000);
		kill(getppid(), SIGSTOP);
		usleep(50000);
		kill(getppid(), SIGCONT);
		_exit(0);
	}
	check(!nanosleep(&long_one, NULL), "nanosleep");
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
	check(poll(NULL, 0, 20) == 0, "poll");
}

static void signals(void)
{
	on_other_stack();
	interrupted_read();
	posix_timer();
	by_descriptor();
	stopped_sleep();
	check(caught == 3, "signals");
}

/* --- chains of vfork, spawn and exec -------------------------------------------------------- */

static void spawn_and_wait(char *const argv[])
{
	int status;
	pid_t pid;

	check(!posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), argv[0]);
	check(waitpid(pid, &status, 0) == pid && !status, argv[0]);
}

static void *exec_in_thread(void *arg)
{
	execl("/proc/self/exe", "variety", "plain", (char *)NULL);
	return arg;
}

/* The exec of a thread that is not the leader ends the others and takes over the leader's id. */
static void chain_of_threads(void)
{
	pid_t pid = fork();
	pthread_t tid;
	int status;

	if (pid == 0) {
		pthread_create(&tid, NULL, exec_in_thread, NULL);
		for (;;)
			pause();
	}
	check(waitpid(pid, &status, 0) == pid && !status, "exec in a thread");
}

static void chain(void)
{
	char *const script[] = { "/bin/sh", "-c", "exec /usr/bin/env true", NULL };
	char *const missing[] = { "/nonexistent/program", NULL };
	int status;
	pid_t pid;

	spawn_and_wait(script);
	pid = vfork();
	if (pid == 0) {
		execv(missing[0], missing);
		execl("/bin/sh", "sh", "-c", "(/bin/true; exec /bin/true) & wait", (char *)NULL);
		_exit(127);
	}
	check(waitpid(pid, &status, 0) == pid && !status, "vfork");
	chain_of_threads();
}

/* --- i386's gate, from whatever code this is ----------------------------------------------- */

#if defined(__x86_64__) || defined(__i386__)
static void int80_call(long nr)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(-1L), "c"(-1L) : "memory");
}
#endif

/* Numbers that mean harmless calls in both tables: getpid and writev, getppid and semget, getuid
 * and sched_yield, mkdir and getpid. What was seen of one says nothing of the other. */
static void int80(void)
{
#if defined(__x86_64__) || defined(__i386__)
	static const int calls[] = { 20, 64, 24, 39, 540 };
	static const int native_first[] = { 1, 1, 0, 0, 1 };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (native_first[i])
			(void)syscall(calls[i], -1, -1, -1, -1);
		int80_call(calls[i]);
		if (!native_first[i])
			(void)syscall(calls[i], -1, -1, -1, -1);
	}
	if (fork() == 0)
		int80_call(1); /* exit */
	check(wait(NULL) > 0, "wait");
#endif
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "plain", plain }, { "threads", threads }, { "signals", signals },
	{ "chain", chain }, { "int80", int80 },
};

static void run_part(const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(parts[i].name, name))
			continue;
		parts[i].run();
		return;
	}
	fprintf(stderr, "variety: no part %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_part(argv[i]);
	return 0;
}
