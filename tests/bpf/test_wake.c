/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program at rest and starts that come at any moment: the ring's own thread wakes it when a cgroup is
 * made. However late that is, what a start called is recorded, or the start is counted as lost.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/herald.h"
#include "learn/rest.h"
#include "sensor/sensor_internal.h"

#define STARTS 100

#if defined(__x86_64__)
#define NATIVE TAMIS_ABI_X86_64
#else
#define NATIVE TAMIS_ABI_AARCH64
#endif

static char self[4096];
static char *mount;
static struct sensor *sensor;
static struct rest *rest;
static struct herald *herald;
static int64_t now_ms;

/* All that runs is under a filter. */
bool under_all_filtered(const struct under *u)
{
	return true;
}

static useconds_t late; /* the thread has to wait for the processor */

static void on_made(void *arg)
{
	usleep(__atomic_load_n(&late, __ATOMIC_RELAXED));
	rest_wake(rest);
}

static int begin(void **state)
{
	static const struct identity_options identity = { 0 };
	const struct sensor_options so = { 0 };
	struct herald_options ho = { .identity = &identity, .made = on_made };
	_free_ char *why = NULL;

	if (geteuid() != 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    cgroups_find(&mount) < 0 || !mount || sensor_open(&so, &sensor, &why) < 0)
		return -1;
	ho.sensor = sensor;
	return rest_new(sensor, NULL, &rest) | herald_new(&ho, &herald);
}

static int end(void **state)
{
	herald_free(herald);
	rest_free(rest);
	sensor_close(sensor);
	free(mount);
	return 0;
}

/* Others make cgroups too, and wake it: until it rests. */
static void lie_down(void)
{
	bool resting;

	while (!sensor_rests(sensor)) {
		now_ms += REST_QUIET_MS;
		assert_true(rest_look(rest, now_ms, &resting) >= 0);
		usleep(1000);
	}
}

/* Where a start is: a cgroup, made just now. */
struct place {
	char *path, *dir;
	uint64_t id;
};

static void place_make(struct place *p, int i)
{
	p->path = text_format("/tamis-test-wake.%d.%d", getpid(), i);
	p->dir = text_format("%s%s", mount, p->path);
	assert_int_equal(mkdir(p->dir, 0755), 0);
	assert_int_equal(cgroups_id(mount, p->path, &p->id), 0);
}

static void place_remove(struct place *p)
{
	sensor_forget(sensor, p->id);
	(void)rmdir(p->dir);
	free(p->path);
	free(p->dir);
}

/* Moves itself and becomes the entrypoint, which calls getpgrp. */
static void start_in(const struct place *p, useconds_t delay)
{
	_free_ char *procs = text_format("%s/cgroup.procs", p->dir);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open(procs, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(1);
		usleep(delay);
		execl(self, self, "start", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool is_recorded(uint64_t id, unsigned nr)
{
	struct tamis_key key = { id, NATIVE, TAMIS_WORKLOAD };
	struct tamis_set set = { 0 };

	(void)bpf_map_lookup_elem(bpf_map__fd(sensor->skel->maps.tamis_sets), &key, &set);
	return set.seen[nr / 64] >> (nr % 64) & 1;
}

static bool is_counted(uint64_t id)
{
	struct tamis_loss loss = { 0 };

	(void)bpf_map_lookup_elem(bpf_map__fd(sensor->skel->maps.tamis_losses), &id, &loss);
	return loss.rest > 0;
}

static void every_start_is_seen_or_counted(void **state)
{
	unsigned whole = 0;

	for (int i = 0; i < STARTS; i++) {
		struct place p;
		bool counted;

		lie_down();
		if (i % 2)
			usleep(30000); /* a grace period: as quick as it can be; else as slow */
		__atomic_store_n(&late, i % 3 ? 0 : 20000, __ATOMIC_RELAXED);
		place_make(&p, i);
		start_in(&p, i % 10 * 500);
		counted = is_counted(p.id);
		whole += !counted;
		if (!counted && (!is_recorded(p.id, SYS_getpgid) || !is_recorded(p.id, SYS_mmap)))
			fail_msg("start %d: neither recorded nor counted", i);
		place_remove(&p);
	}
	print_message("%u of %d starts are whole\n", whole, STARTS);
}

static void what_is_made_wakes_it(void **state)
{
	struct place p;

	lie_down();
	place_make(&p, STARTS);
	while (sensor_rests(sensor))
		usleep(1000);
	start_in(&p, 0);
	assert_true(is_recorded(p.id, SYS_getpgid));
	assert_false(is_counted(p.id));
	place_remove(&p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_made_wakes_it, begin, end),
		cmocka_unit_test_setup_teardown(every_start_is_seen_or_counted, begin, end),
	};

	if (argc > 1)
		return syscall(SYS_getpgid, 0) < 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
