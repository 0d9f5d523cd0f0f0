/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs while nobody, an empty program, or tamis' programs look on: tasks on one CPU take
 * turns, each makes some getppid calls and hands on.
 *
 * usage: turns [-n CALLS] [-l LAPS] [-r ROUNDS] DIR...
 * One task in each cgroup DIR, moved there and then exec'd, as starts are. A slice is LAPS times
 * around all of them. In each round there is a slice of each kind, in an order of its own, and a line
 * of "KIND NS" for each, NS nanoseconds per call. So what is compared lies milliseconds apart.
 *
 * Only the calls are timed, not how a turn is handed on. A turn that took four times as long as the
 * slice's median turn was interrupted, by another program or the host: it isn't counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "empty.skel.h"
#include "sensor/sensor.h"

#define TASKS_MAX   4096
#define TURNS_MAX   (1 << 20) /* in a slice */
#define INTERRUPTED 4

enum kind { NOTHING, EMPTY, TAMIS, PORTABLE, DENIALS, KINDS };
static const char *const kind_name[KINDS] = { "nothing", "empty", "tamis", "portable", "denials" };

/* Whose turn it is: a word for each task, each in a cache line of its own. The last is ours. */
struct turn {
	_Alignas(64) uint32_t go;
};

struct shared {
	uint32_t tasks, calls, laps;
	uint32_t taken; /* turns; only whose turn it is writes */
	uint32_t ns[TURNS_MAX];
	struct turn turn[TASKS_MAX + 1];
};

static struct shared *shared;
static uint64_t interrupted;
static char self[4096];

static void die(const char *what)
{
	fprintf(stderr, "turns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void hand_to(uint32_t i)
{
	__atomic_store_n(&shared->turn[i].go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->turn[i].go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wait_for_turn(uint32_t i)
{
	while (!__atomic_exchange_n(&shared->turn[i].go, 0, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &shared->turn[i].go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("not pinned");
}

/* Others disturb less so. Not being allowed to is fine. */
static void prefer(void)
{
	(void)!setpriority(PRIO_PROCESS, 0, -15);
}

static struct shared *map_shared(int fd)
{
	struct shared *at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

/* --- a task ------------------------------------------------------------------------------- */

static void make_calls(void)
{
	uint64_t from = now_ns();

	for (uint32_t i = 0; i < shared->calls; i++)
		(void)syscall(SYS_getppid);
	shared->ns[shared->taken++] = now_ns() - from;
}

static _Noreturn void task(uint32_t i)
{
	uint32_t lap = 0;

	for (;;) {
		wait_for_turn(i);
		make_calls();
		if (i + 1 < shared->tasks) {
			hand_to(i + 1);
		} else if (++lap % shared->laps == 0) {
			hand_to(TASKS_MAX);
		} else {
			hand_to(0);
		}
	}
}

static void join(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

/* It said why. The others go with us. */
static void task_ended(int sig)
{
	_exit(1);
}

static void start_task(uint32_t i, const char *dir, int fd)
{
	char index[16], shared_fd[16];
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	join(dir);
	snprintf(index, sizeof(index), "%u", i);
	snprintf(shared_fd, sizeof(shared_fd), "%d", fd);
	execl(self, "turns", "--task", shared_fd, index, NULL);
	die("exec");
}

/* --- who looks on ------------------------------------------------------------------------- */

static struct sensor *fast, *portable;
static struct empty_bpf *empty;

static struct sensor *open_sensor(bool is_portable)
{
	struct sensor_options o = { .portable = is_portable };
	struct sensor *s;
	char *why;

	if (sensor_open(&o, &s, &why) < 0) {
		fprintf(stderr, "turns: %s\n", why ? why : "no sensor");
		exit(1);
	}
	return s;
}

static void open_all(void)
{
	fast = open_sensor(false);
	portable = open_sensor(true);
	empty = empty_bpf__open_and_load();
	if (!empty)
		die("the empty program");
}

static void look_on(enum kind kind)
{
	int r = sensor_rest(fast, kind != TAMIS && kind != DENIALS);

	if (r == 0)
		r = sensor_watch_denials(fast, kind == DENIALS);
	if (r == 0)
		r = sensor_rest(portable, kind != PORTABLE);
	if (r == 0 && kind == EMPTY)
		r = empty_bpf__attach(empty);
	else
		empty_bpf__detach(empty);
	if (r < 0) {
		errno = -r;
		die(kind_name[kind]);
	}
}

static int is_getppid(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	if (key->stage == TAMIS_WORKLOAD && set->seen[SYS_getppid / 64] >> SYS_getppid % 64 & 1)
		++*(uint32_t *)arg;
	return 0;
}

/* What is measured is what is said: every task's calls are in a set of the workload's stage. */
static void must_have_seen(struct sensor *s)
{
	uint32_t sets = 0;
	struct sensor_walk walk = { .set = is_getppid, .arg = &sets };

	if (sensor_drain(s, &walk, true) < 0 || sets < shared->tasks) {
		fprintf(stderr, "turns: %u of %u tasks were seen\n", sets, shared->tasks);
		exit(1);
	}
}

/* --- slices ------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nanoseconds per call. */
static double slice(void)
{
	uint32_t n, counted = 0;
	uint64_t ns = 0;

	shared->taken = 0;
	hand_to(0);
	wait_for_turn(TASKS_MAX);
	n = shared->taken;
	qsort(shared->ns, n, sizeof(shared->ns[0]), by_value);
	while (counted < n && shared->ns[counted] < INTERRUPTED * (uint64_t)shared->ns[n / 2])
		ns += shared->ns[counted++];
	interrupted += n - counted;
	return (double)ns / counted / shared->calls;
}

static void shuffle(enum kind *order, unsigned int *seed)
{
	for (int i = KINDS - 1; i > 0; i--) {
		int j = rand_r(seed) % (i + 1);
		enum kind k = order[i];

		order[i] = order[j];
		order[j] = k;
	}
}

/* `warm`: in no figure. */
static void take_round(unsigned int *seed, bool warm)
{
	enum kind order[KINDS];
	double ns;

	for (enum kind k = 0; k < KINDS; k++)
		order[k] = k;
	shuffle(order, seed);
	for (int i = 0; i < KINDS; i++) {
		look_on(order[i]);
		ns = slice();
		if (!warm)
			printf("%s %.3f\n", kind_name[order[i]], ns);
	}
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > UINT32_MAX) {
		fprintf(stderr, "turns: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

static void measure(uint32_t rounds)
{
	unsigned int seed = 1;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	pin(cpus > 1 ? cpus - 2 : 0);
	take_round(&seed, true);
	must_have_seen(fast);
	must_have_seen(portable);
	interrupted = 0;
	for (uint32_t i = 0; i < rounds; i++)
		take_round(&seed, false);
	fprintf(stderr, "turns: %lu of %lu were interrupted\n", (unsigned long)interrupted,
		(unsigned long)rounds * KINDS * shared->laps * shared->tasks);
}

int main(int argc, char **argv)
{
	uint32_t rounds = 100, calls = 20, laps = 3;
	int opt, fd;

	if (argc == 4 && !strcmp(argv[1], "--task")) {
		shared = map_shared(atoi(argv[2]));
		task(atoi(argv[3]));
	}
	while ((opt = getopt(argc, argv, "n:l:r:")) != -1) {
		if (opt == 'n')
			calls = number(optarg);
		else if (opt == 'l')
			laps = number(optarg);
		else if (opt == 'r')
			rounds = number(optarg);
		else
			return 2;
	}
	if (optind == argc || argc - optind > TASKS_MAX)
		return 2;
	fd = memfd_create("turns", 0);
	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		die("memfd");
	/* what execs /proc/self/exe is a runtime, to the stages' rules */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("readlink");
	shared = map_shared(fd);
	shared->tasks = argc - optind;
	shared->calls = calls;
	shared->laps = laps;
	if ((uint64_t)shared->tasks * laps > TURNS_MAX)
		return 2;
	open_all();
	prefer();
	signal(SIGCHLD, task_ended);
	pin(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (int i = optind; i < argc; i++)
		start_task(i - optind, argv[i], fd);
	measure(rounds);
	return 0;
}
