/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of cgroups, the sensor attached, processes that go from one cgroup to another. What not
 * every test needs is inline. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "sensor/sensor_internal.h"

static char *cgroup_mount;
static struct sensor *sensor;

/* A tree of cgroups, in the order they are made: something was started in the units. */
enum place {
	OUTSIDE,
	UNIT,
	OTHER,
	UNIT_SUB,
	UNIT_DEEP,
	OTHER_SUB,
	DOMAIN,
	THREADS,
	BESIDE,
	ROOT,
	PLACES
};
static const char *const below[ROOT] = {
	"",	      "/unit",	 "/other",	 "/unit/sub",	   "/unit/sub/deep",
	"/other/sub", "/domain", "/domain/unit", "/domain/beside",
};
static char *dir[PLACES];
static uint64_t id[PLACES];

/* --- cgroups ----------------------------------------------------------------------------- */

static int write_file(enum place p, const char *name, const char *text)
{
	_free_ char *path = text_format("%s/%s", dir[p], name);
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0 ? 0 : -1;
}

static int make_cgroups(void **state)
{
	if (geteuid() != 0 || cgroups_find(&cgroup_mount) < 0 || !cgroup_mount)
		return -1;
	for (int i = 0; i < ROOT; i++) {
		_free_ char *path = text_format("/tamis-test-leave.%d%s", getpid(), below[i]);

		dir[i] = text_format("%s%s", cgroup_mount, path);
		if (mkdir(dir[i], 0755) < 0 || cgroups_id(cgroup_mount, path, &id[i]) < 0)
			return -1;
	}
	dir[ROOT] = strdup(cgroup_mount);
	id[ROOT] = 1;
	return write_file(THREADS, "cgroup.type", "threaded") |
	       write_file(BESIDE, "cgroup.type", "threaded");
}

static int remove_cgroups(void **state)
{
	int r = 0;

	for (int i = ROOT; i-- > 0;)
		r |= rmdir(dir[i]);
	for (int i = 0; i < PLACES; i++)
		free(dir[i]);
	free(cgroup_mount);
	return r;
}

static int try_move(pid_t pid, enum place to)
{
	_free_ char *text = text_format("%d", pid);

	return write_file(to, "cgroup.procs", text);
}

static void move(pid_t pid, enum place to)
{
	assert_int_equal(try_move(pid, to), 0);
}

/* --- the sensor -------------------------------------------------------------------------- */

static int bpf_map(struct bpf_map *map)
{
	return bpf_map__fd(map);
}

static int open_with(struct sensor_options o)
{
	struct tamis_cgroup started = { 0 };
	_free_ char *why = NULL;

	if (sensor_open(&o, &sensor, &why) < 0)
		return -1;
	return sensor_seed(sensor, id[UNIT], &started) | sensor_seed(sensor, id[OTHER], &started) |
	       sensor_seed(sensor, id[THREADS], &started);
}

static int open_sensor(void **state)
{
	return open_with((struct sensor_options){ 0 });
}

static inline int open_portable(void **state)
{
	return open_with((struct sensor_options){ .portable = true });
}

static inline int open_legacy(void **state)
{
	return open_with((struct sensor_options){ .legacy = true });
}

static int close_sensor(void **state)
{
	sensor_close(TAKE_PTR(sensor));
	return 0;
}

/* A namespace that isn't ours: whoever has it as its starter's has its own mounts. */
#define FOREIGN_NS 4711

static inline uint32_t mnt_ns(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
	return st.st_ino;
}

static inline bool has_mark(pid_t pid)
{
	struct tamis_task mark;
	uint32_t tgid = pid;

	return bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_tasks), &tgid, &mark) == 0;
}

static void set_mark(pid_t pid, uint32_t stage)
{
	struct tamis_task mark = { .cgroup = id[UNIT], .stage = stage };
	uint32_t tgid = pid;

	assert_int_equal(
		bpf_map_update_elem(bpf_map(sensor->skel->maps.tamis_tasks), &tgid, &mark, BPF_ANY),
		0);
}

static void drop_mark(pid_t pid)
{
	uint32_t tgid = pid;

	(void)bpf_map_delete_elem(bpf_map(sensor->skel->maps.tamis_tasks), &tgid);
}

struct wanted {
	uint64_t cgroup;
	struct tamis_leave leave;
};

static int keep_wanted(uint64_t cgroup, const struct tamis_leave *leave, void *arg)
{
	struct wanted *w = arg;

	if (cgroup == w->cgroup)
		w->leave = *leave;
	return 0;
}

/* All zeros when nobody left. */
static struct tamis_leave leave_of(enum place p)
{
	struct wanted w = { .cgroup = id[p] };
	struct sensor_walk walk = { .leave = keep_wanted, .arg = &w };

	assert_int_equal(sensor_drain(sensor, &walk, true), 0);
	return w.leave;
}

static void assert_left(enum place p, uint64_t count)
{
	assert_int_equal(leave_of(p).count, count);
}

static inline void assert_nobody_left(void)
{
	for (int p = 0; p < PLACES; p++)
		assert_left(p, 0);
}

/* --- processes --------------------------------------------------------------------------- */

/* Its end comes with ours, should a test fail. */
static pid_t fork_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* One that waits, and that the stages take for the workload of its cgroup. */
static pid_t spawn(enum place p)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork_child();
	if (pid == 0) {
		if (try_move(0, p) || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	drop_mark(pid);
	return pid;
}

static void finish(pid_t pid)
{
	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline void moved(enum place from, enum place to)
{
	pid_t pid = spawn(from);

	move(pid, to);
	finish(pid);
}

/* Born in a cgroup by CLONE_INTO_CGROUP, waiting. */
static pid_t born_in(enum place p)
{
	_close_ int fd = open(dir[p], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = fd };
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* A workload process in `from` has a child born in `to`. */
static inline void bears(enum place from, enum place to, uint32_t stage)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		if (try_move(0, from))
			_exit(1);
		raise(SIGSTOP);
		pid = born_in(to);
		if (pid <= 0)
			_exit(1);
		(void)kill(pid, SIGKILL);
		_exit(waitpid(pid, NULL, 0) != pid);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	drop_mark(pid);
	if (stage != TAMIS_WORKLOAD)
		set_mark(pid, stage);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
