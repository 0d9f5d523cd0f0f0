/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks on one CPU that take turns: each makes some getppid calls and hands on.
 *
 * Only the calls are timed, not how a turn is handed on. A turn that took four times as long as the
 * slice's median turn was interrupted, by another program or the host: it isn't counted.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TASKS_MAX   4096
#define TURNS_MAX   (1 << 20) /* in a slice */
#define INTERRUPTED 4

/* Whose turn it is: a word for each task, each in a cache line of its own. The last is the one's
 * who measures. */
struct turn {
	_Alignas(64) uint32_t go;
};

struct shared {
	uint32_t calls, laps;
	uint32_t from, to; /* who takes turns in this slice */
	uint32_t lap;	   /* this and what follows: only whose turn it is writes */
	uint32_t taken;	   /* turns */
	uint32_t ns[TURNS_MAX];
	uint32_t arrived; /* tasks; added to atomically */
	struct turn turn[TASKS_MAX + 1];
};

static struct shared *shared;

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline void hand_to(uint32_t i)
{
	__atomic_store_n(&shared->turn[i].go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->turn[i].go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static inline void wait_for_turn(uint32_t i)
{
	while (!__atomic_exchange_n(&shared->turn[i].go, 0, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &shared->turn[i].go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static inline int map_shared(int fd)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return shared == MAP_FAILED ? -errno : 0;
}

/* --- a task ------------------------------------------------------------------------------- */

static inline void make_calls(void)
{
	uint64_t from = now_ns();

	for (uint32_t i = 0; i < shared->calls; i++)
		(void)syscall(SYS_getppid);
	shared->ns[shared->taken++] = now_ns() - from;
}

static inline uint32_t next_after(uint32_t i)
{
	if (i + 1 < shared->to)
		return i + 1;
	return ++shared->lap < shared->laps ? shared->from : TASKS_MAX;
}

static inline _Noreturn void take_turns(uint32_t i)
{
	__atomic_add_fetch(&shared->arrived, 1, __ATOMIC_RELEASE);
	for (;;) {
		wait_for_turn(i);
		make_calls();
		hand_to(next_after(i));
	}
}

/* --- who measures ------------------------------------------------------------------------- */

/* Others disturb less so. Not being allowed to is fine. */
static inline void prefer(void)
{
	(void)!setpriority(PRIO_PROCESS, 0, -15);
}

static inline int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Of the tasks from..to-1: nanoseconds per call; adds to *interrupted. */
static inline double slice(uint32_t from, uint32_t to, uint64_t *interrupted)
{
	uint32_t n, counted = 0;
	uint64_t ns = 0;

	shared->from = from;
	shared->to = to;
	shared->lap = shared->taken = 0;
	hand_to(from);
	wait_for_turn(TASKS_MAX);
	n = shared->taken;
	qsort(shared->ns, n, sizeof(shared->ns[0]), by_value);
	while (counted < n && shared->ns[counted] < INTERRUPTED * (uint64_t)shared->ns[n / 2])
		ns += shared->ns[counted++];
	*interrupted += n - counted;
	return (double)ns / counted / shared->calls;
}

/* The order of a round. */
static inline void shuffle(int *order, int n, unsigned int *seed)
{
	for (int i = 0; i < n; i++)
		order[i] = i;
	for (int i = n - 1; i > 0; i--) {
		int j = rand_r(seed) % (i + 1), k = order[i];

		order[i] = order[j];
		order[j] = k;
	}
}
