/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of 9 threads that is moved between two cgroups at random while it makes calls.
 *
 * usage: movers [-t] [-s SEED] CGROUP_A CGROUP_B MOVES
 *   -t: single threads are moved (the cgroups are threaded, siblings), else the whole process
 *
 * After each move, while they are known to stay, the threads concerned make marker calls: one
 * that is made in that cgroup only, and one that both cgroups get, mostly first in one, then, by
 * the same thread, in the other: a cache that forgets a move hides it. Prints what each cgroup
 * must have of the calls that are the test's own, "A ABI NUMBER" or "B ABI NUMBER" a line. What
 * the C library does is in A alone, where the process begins and ends; MOVES 0 shows what it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 9, NUMBERS = 576 };
/* No kernel has calls there. Markers of a side: one for each thread. */
enum { MARK_A = 480, MARK_B = 490, COMMON = 500, COMMON_CNT = 60, MORE = 337, MORE_CNT = 87 };
/* How many moves use the same common number, and how many numbers a thread has for itself. */
enum { MOVES_EACH = 6, NUMBERS_EACH = (COMMON_CNT + MORE_CNT) / THREADS };

struct shared {
	_Atomic int started, stop;
	/* By thread: an order is a count, taken up when it differs from what was done. */
	struct {
		_Atomic int tid, order, done, side, common;
	} thread[THREADS];
};

static struct shared *shared;
static const long load[] = { SYS_getppid, SYS_getuid, SYS_getgid, SYS_sched_yield };
enum { LOADS = sizeof(load) / sizeof(load[0]) };

static void die(const char *what)
{
	fprintf(stderr, "movers: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the process that is moved ---------------------------------------------------------- */

/* `common`: what the thread was calling while it was moved; replaced by the next one. */
static void obey(int t, int order, int *common)
{
	int side = atomic_load(&shared->thread[t].side);

	(void)syscall((side ? MARK_B : MARK_A) + t);
	(void)syscall(*common);
	*common = atomic_load(&shared->thread[t].common);
	(void)syscall(*common);
	for (int i = 0; i < LOADS; i++)
		(void)syscall(load[i]);
	atomic_store(&shared->thread[t].done, order);
}

static void *thread(void *arg)
{
	int t = (long)arg, done = 0, common = SYS_getppid;

	atomic_store(&shared->thread[t].tid, (int)syscall(SYS_gettid));
	atomic_fetch_add(&shared->started, 1);
	for (unsigned n = 0; !atomic_load(&shared->stop); n++) {
		int order = atomic_load(&shared->thread[t].order);

		if (order != done)
			obey(t, order, &common);
		done = order;
		(void)syscall(load[n % LOADS]);
		(void)syscall(common);
	}
	return NULL;
}

static int run_moved(int fd)
{
	pthread_t tid[THREADS];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return 1;
	for (long t = 0; t < THREADS; t++)
		if (pthread_create(&tid[t], NULL, thread, (void *)t))
			return 1;
	for (int t = 0; t < THREADS; t++)
		pthread_join(tid[t], NULL);
	return 0;
}

/* --- the one that moves it, outside ------------------------------------------------------ */

struct mover {
	bool threads;
	pid_t pid;
	int procs[2]; /* cgroup.procs or cgroup.threads of A and B */
	int side[THREADS];
	int moves[THREADS];
	int common[THREADS]; /* of the last order */
	bool want[2][NUMBERS];
};

static int open_procs(const char *dir, bool threads)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.%s", dir, threads ? "threads" : "procs");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* By its own name: what execs /proc/self/exe is taken for a runtime on its way. */
static void spawn(struct mover *m, const char *program, const char *dir)
{
	int fd = memfd_create("movers", 0), procs = open_procs(dir, false);
	char text[16];

	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		die("memfd");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	snprintf(text, sizeof(text), "%d", fd);
	m->pid = fork();
	if (m->pid == 0) {
		if (write(procs, "0", 1) != 1)
			_exit(125);
		execl(program, program, "--moved", text, (char *)NULL);
		_exit(125);
	}
	close(procs);
	while (atomic_load(&shared->started) < THREADS)
		if (waitpid(m->pid, NULL, WNOHANG))
			die("the process ended early");
		else
			usleep(1000);
}

static void write_id(int fd, int id)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", id);

	if (write(fd, text, len) != len)
		die("moving");
}

static void give_order(struct mover *m, int t, int common)
{
	int side = m->side[t];

	atomic_store(&shared->thread[t].side, side);
	atomic_store(&shared->thread[t].common, common);
	atomic_fetch_add(&shared->thread[t].order, 1);
	m->want[side][(side ? MARK_B : MARK_A) + t] = true;
	m->want[side][common] = true;
	m->want[side][m->common[t]] = true;
	m->common[t] = common;
	for (int i = 0; i < LOADS; i++)
		m->want[side][load[i]] = true;
}

static void wait_done(int t)
{
	while (atomic_load(&shared->thread[t].done) != atomic_load(&shared->thread[t].order))
		usleep(20);
}

/* Thread t, or all of them. */
static void move(struct mover *m, int t, int side)
{
	if (m->threads) {
		write_id(m->procs[side], atomic_load(&shared->thread[t].tid));
		m->side[t] = side;
		return;
	}
	write_id(m->procs[side], m->pid);
	for (int i = 0; i < THREADS; i++)
		m->side[i] = side;
}

/* Never one that an earlier move has done with: seen once, it could not be missed again. */
static int common_number(const struct mover *m, int t)
{
	int last = m->threads ? NUMBERS_EACH - 1 : COMMON_CNT + MORE_CNT - 1;
	int i = m->moves[t] / MOVES_EACH;

	if (i > last)
		i = last;
	if (m->threads)
		i += t * NUMBERS_EACH;
	return i < COMMON_CNT ? COMMON + i : MORE + i - COMMON_CNT;
}

static void one_move(struct mover *m)
{
	int first = m->threads ? random() % THREADS : 0;
	int last = m->threads ? first : THREADS - 1;

	move(m, first, random() % 2);
	for (int t = first; t <= last; t++)
		give_order(m, t, common_number(m, t));
	for (int t = first; t <= last; t++)
		wait_done(t);
	for (int t = first; t <= last; t++)
		m->moves[t]++;
	usleep(random() % 2000);
}

static void finish(struct mover *m)
{
	int status;

	for (int t = 0; t < (m->threads ? THREADS : 1); t++)
		move(m, t, 0);
	for (int t = 0; t < THREADS && m->moves[t]; t++)
		give_order(m, t, m->common[t]);
	for (int t = 0; t < THREADS; t++)
		wait_done(t);
	atomic_store(&shared->stop, 1);
	if (waitpid(m->pid, &status, 0) != m->pid || status)
		die("the process failed");
	for (int side = 0; side < 2; side++)
		for (int n = 0; n < NUMBERS; n++)
			if (m->want[side][n])
				printf("%c x86_64 %d\n", "AB"[side], n);
}

int main(int argc, char **argv)
{
	struct mover m = { 0 };
	int opt, moves;

	if (argc == 3 && !strcmp(argv[1], "--moved"))
		return run_moved(atoi(argv[2]));
	while ((opt = getopt(argc, argv, "+ts:")) != -1) {
		if (opt == 't')
			m.threads = true;
		else if (opt == 's')
			srandom(atoi(optarg));
		else
			return 2;
	}
	if (argc - optind != 3)
		return 2;
	spawn(&m, argv[0], argv[optind]);
	m.procs[0] = open_procs(argv[optind], m.threads);
	m.procs[1] = open_procs(argv[optind + 1], m.threads);
	for (int t = 0; t < THREADS; t++)
		m.common[t] = SYS_getppid;
	moves = atoi(argv[optind + 2]);
	for (int n = 0; n < moves; n++)
		one_move(&m);
	finish(&m);
	return 0;
}
