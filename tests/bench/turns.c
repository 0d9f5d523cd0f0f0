/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs while nobody, an empty program, or tamis' programs look on: tasks on one CPU take
 * turns, each makes some getppid calls and hands on.
 *
 * usage: turns [-n CALLS] [-l LAPS] [-r ROUNDS] DIR...
 * One task in each cgroup DIR, moved there and then exec'd, as starts are. A slice is LAPS times
 * around all of them. In each round there is a slice of each kind, in an order of its own, and a line
 * of "KIND NS" for each, NS nanoseconds per call. So what is compared lies milliseconds apart.
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "empty.skel.h"
#include "sensor/sensor.h"
#include "tests/bench/turn.h"

enum kind { NOTHING, EMPTY, TAMIS, PORTABLE, DENIALS, KINDS };
static const char *const kind_name[KINDS] = { "nothing", "empty", "tamis", "portable", "denials" };

static char self[4096];
static uint64_t interrupted;
static uint32_t tasks;

static void die(const char *what)
{
	fprintf(stderr, "turns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("not pinned");
}

/* --- the tasks ---------------------------------------------------------------------------- */

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

	if (sensor_drain(s, &walk, true) < 0 || sets < tasks) {
		fprintf(stderr, "turns: %u of %u tasks were seen\n", sets, tasks);
		exit(1);
	}
}

/* --- slices ------------------------------------------------------------------------------- */

/* `warm`: in no figure. */
static void take_round(unsigned int *seed, bool warm)
{
	int order[KINDS];
	double ns;

	shuffle(order, KINDS, seed);
	for (int i = 0; i < KINDS; i++) {
		look_on(order[i]);
		ns = slice(0, tasks, &interrupted);
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
		(unsigned long)rounds * KINDS * shared->laps * tasks);
}

int main(int argc, char **argv)
{
	uint32_t rounds = 100, calls = 20, laps = 3;
	int opt, fd;

	if (argc == 4 && !strcmp(argv[1], "--task")) {
		if (map_shared(atoi(argv[2])))
			die("mmap");
		take_turns(atoi(argv[3]));
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
	if (fd < 0 || ftruncate(fd, sizeof(*shared)) || map_shared(fd))
		die("memfd");
	/* what execs /proc/self/exe is a runtime, to the stages' rules */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("readlink");
	tasks = argc - optind;
	shared->calls = calls;
	shared->laps = laps;
	if ((uint64_t)tasks * laps > TURNS_MAX)
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
