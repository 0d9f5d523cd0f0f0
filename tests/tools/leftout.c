/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls a sensor is left out for while tasks are preempted inside of it: a crowd makes calls,
 * threads of real time interrupt it on every processor, others work on a map by bpf(2); between them
 * every number that is no call is made once a round.
 *
 * usage: leftout ROUNDS [portable], in a cgroup of its own. Prints "DOOR MADE LEFT_OUT MISSED".
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "sensor/sensor.h"

#define FIRST	480 /* numbers that no call has; all below TAMIS_CALLS, and cached */
#define LAST	511
#define CALLERS 4
#define CROWD	4

static volatile bool over;
static pthread_barrier_t begins, ends;
static int map;
static uint64_t cgroup;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void *interrupt(void *arg)
{
	struct timespec pause = { .tv_nsec = 100000 };
	struct sched_param first = { .sched_priority = 50 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, SCHED_FIFO, &first))
		die("no real time");
	while (!over) {
		nanosleep(&pause, NULL);
		pause.tv_nsec = 60000 + rand() % 100000;
	}
	return NULL;
}

static void *work_on_map(void *arg)
{
	uint32_t key = 0, value = 0;

	while (!over) {
		(void)bpf_map_update_elem(map, &key, &value, BPF_ANY);
		(void)bpf_map_lookup_elem(map, &key, &value);
	}
	return NULL;
}

static void *crowd(void *arg)
{
	while (!over)
		(void)syscall(SYS_getppid);
	return NULL;
}

static void *call(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&begins);
		if (over)
			return NULL;
		for (long nr = FIRST + (long)arg; nr <= LAST; nr += CALLERS) {
			for (int i = rand() % 8; i > 0; i--)
				(void)syscall(SYS_getppid);
			(void)syscall(nr);
		}
		pthread_barrier_wait(&ends);
	}
}

static pthread_t begin(void *(*run)(void *arg), long arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)arg))
		die("no thread");
	return thread;
}

/* Ours: no other cgroup's tasks make such calls. */
static int note_calls(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	bool *seen = arg;

	for (int nr = FIRST; nr <= LAST; nr++)
		if (set->seen[nr / 64] >> nr % 64 & 1) {
			seen[nr - FIRST] = true;
			cgroup = key->cgroup;
		}
	return 0;
}

static unsigned left_out(struct sensor *s)
{
	bool seen[LAST - FIRST + 1] = { false };
	struct sensor_walk walk = { .set = note_calls, .arg = seen };
	unsigned n = 0;

	if (sensor_drain(s, &walk, true) < 0)
		die("drain");
	for (int nr = FIRST; nr <= LAST; nr++)
		n += !seen[nr - FIRST];
	return n;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, lost = 0;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct sensor_options o = { .portable = argc > 2 };
	pthread_t caller[CALLERS];
	struct sensor *s;
	char *why = NULL;

	if (!rounds)
		return 2;
	if (sensor_open(&o, &s, &why) < 0) {
		fprintf(stderr, "leftout: %s\n", why);
		return 2;
	}
	map = bpf_map_create(BPF_MAP_TYPE_HASH, "leftout", 4, 4, 16, NULL);
	pthread_barrier_init(&begins, NULL, CALLERS + 1);
	pthread_barrier_init(&ends, NULL, CALLERS + 1);
	for (long i = 0; i < CALLERS; i++)
		caller[i] = begin(call, i);
	for (long i = 0; i < cpus; i++) {
		begin(interrupt, i);
		begin(work_on_map, 0);
	}
	for (long i = 0; i < CROWD; i++)
		begin(crowd, 0);
	for (unsigned long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&begins);
		pthread_barrier_wait(&ends);
		lost += left_out(s);
		sensor_forget(s, cgroup);
		sensor_unit_next(s);
	}
	over = true;
	pthread_barrier_wait(&begins);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(caller[i], NULL);
	printf("%s %lu %lu %lu\n", sensor_door(s), rounds * (LAST - FIRST + 1), lost,
	       (unsigned long)sensor_missed(s));
	sensor_close(s);
	return 0;
}
