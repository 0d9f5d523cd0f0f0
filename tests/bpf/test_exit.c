/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How what was started ended: the sensor is attached, this program is started as one of many roles
 * in a cgroup of its own, and what the ring says is compared with what wait(2) says.
 */
#include "bpf/exit_roles.h"
#include "bpf/leave_fixture.h"

#include <time.h>

/* --- starting ---------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define NATIVE TAMIS_ABI_X86_64
#else
#define NATIVE TAMIS_ABI_AARCH64
#endif

static char self[4096];

/* Joins a cgroup by itself and becomes one of the roles: a start. `stop`: before it ends. */
static pid_t start(enum place p, const char *role)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		if (try_move(0, p))
			_exit(1);
		execl(self, self, role, NULL);
		_exit(1);
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* --- what the ring said ------------------------------------------------------------------ */

#define EXITS_MAX 16

static struct {
	enum place place;
	struct tamis_event event;
} got[EXITS_MAX];
static size_t got_cnt;

static void keep_exit(const struct tamis_event *e, const char *text, void *arg)
{
	for (int p = 0; p < ROOT && e->kind == TAMIS_EV_EXIT; p++) {
		if (e->cgroup != id[p])
			continue;
		assert_true(got_cnt < EXITS_MAX);
		got[got_cnt].place = p;
		memcpy(&got[got_cnt++].event, e, sizeof(*e));
	}
}

/* All that was told by now; the exit event comes before wait(2) returns. */
static void read_ring(void)
{
	got_cnt = 0;
	assert_int_equal(sensor_events(sensor, keep_exit, NULL), 0);
}

static void assert_one(enum place p, uint32_t stage, uint32_t status)
{
	read_ring();
	assert_int_equal(got_cnt, 1);
	assert_int_equal(got[0].place, p);
	assert_int_equal(got[0].event.stage, stage);
	assert_int_equal(got[0].event.nr, status);
}

static void assert_silence(void)
{
	read_ring();
	assert_int_equal(got_cnt, 0);
}

/* --- tests ------------------------------------------------------------------------------- */

#define ANY -1

static void the_entrypoint_is_told_as_wait_tells_it(void **state)
{
	static const struct {
		const char *role;
		int status;
	} rows[] = {
		{ "exit 0", 0 },	  { "exit 3", 3 << 8 },
		{ "exit 255", 255 << 8 }, { "kill 9", 9 },
		{ "kill 15", 15 },	  { "kill 31", 31 },
		{ "refused", 31 },	  { "refused alone", 31 },
		{ "child exits", 0 },	  { "leader first", 3 << 8 },
		{ "leader's own", ANY }, /* the leader's, on newer kernels the last one's */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t pid = start(UNIT, rows[i].role);
		int status = end_of(pid);

		if (rows[i].status != ANY && (status & ~0x80) != rows[i].status)
			fail_msg("%s: ended with %#x", rows[i].role, status);
		read_ring();
		if (got_cnt != 1 || got[0].place != UNIT || got[0].event.nr != (uint32_t)status ||
		    got[0].event.stage != TAMIS_WORKLOAD || got[0].event.pid != (uint32_t)pid)
			fail_msg("%s: %zu told, %#x", rows[i].role, got_cnt, got[0].event.nr);
	}
}

/* Which call SIGSYS was for: the one who made it knows, whoever is the last to go. */
static void a_refused_call_is_named(void **state)
{
	static const struct {
		const char *role;
		uint32_t abi, call;
	} rows[] = {
		{ "refused", NATIVE, SYS_getppid },
		{ "refused alone", NATIVE, SYS_getppid },
		{ "trapped", NATIVE, SYS_getppid },
		{ "killed by thread", NATIVE, SYS_getppid },
		{ "trapped by thread", NATIVE, SYS_getppid },
#if defined(__x86_64__)
		{ "other door", TAMIS_ABI_I386, SYS_getppid },
#endif
		{ "kill 31", 0, TAMIS_CALLS },
		{ "killed by child", 0, TAMIS_CALLS },
		{ "kill 9", 0, TAMIS_CALLS },
		{ "exit 31", 0, TAMIS_CALLS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows) * 5; i++) {
		const char *role = rows[i % ARRAY_SIZE(rows)].role;
		uint32_t abi = rows[i % ARRAY_SIZE(rows)].abi;
		uint32_t call = rows[i % ARRAY_SIZE(rows)].call;
		pid_t pid = start(UNIT, role);
		int status = end_of(pid);

		read_ring();
		if (got_cnt != 1 || got[0].event.pid != (uint32_t)pid)
			fail_msg("%s: %zu told, status %#x", role, got_cnt, status);
		if (got[0].event.abi != abi || got[0].event.call != call)
			fail_msg("%s: call %u of %u", role, got[0].event.call, got[0].event.abi);
	}
}

static void nothing_is_kept_of_the_dead(void **state)
{
	uint32_t pid = (uint32_t)start(UNIT, "killed by thread"), kept[2];

	(void)end_of((pid_t)pid);
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_dying), &pid, kept), 0);
}

static void the_time_is_there(void **state)
{
	struct timespec before, after;
	uint32_t from;

	clock_gettime(CLOCK_BOOTTIME, &before);
	(void)end_of(start(UNIT, "exit 0"));
	clock_gettime(CLOCK_BOOTTIME, &after);
	read_ring();
	assert_int_equal(got_cnt, 1);
	from = before.tv_sec * 1000 + before.tv_nsec / 1000000;
	assert_in_range(got[0].event.at_ms - from, 0,
			after.tv_sec * 1000 + after.tv_nsec / 1000000 - from);
	assert_string_equal(got[0].event.comm, "test_exit");
}

static void a_child_is_told_of_only_by_sigsys(void **state)
{
	pid_t pid = start(UNIT, "child refused");

	assert_int_equal(end_of(pid), 0);
	read_ring();
	assert_int_equal(got_cnt, 2);
	assert_int_equal(got[0].event.stage, TAMIS_SESSION);
	assert_int_equal(got[0].event.nr & 0x7f, SIGSYS);
	assert_int_equal(got[0].event.call, SYS_getppid);
	assert_int_not_equal(got[0].event.pid, pid);
	assert_int_equal(got[1].event.stage, TAMIS_WORKLOAD);
	assert_int_equal(got[1].event.nr, 0);
}

static void so_is_a_thread_that_goes_alone(void **state)
{
	pid_t pid = start(UNIT, "thread refused");

	assert_int_equal(end_of(pid), 4 << 8);
	read_ring();
	assert_int_equal(got_cnt, 2);
	assert_int_equal(got[0].event.stage, TAMIS_SESSION);
	assert_int_equal(got[0].event.nr & 0x7f, SIGSYS);
	assert_int_equal(got[0].event.call, SYS_getppid);
	assert_int_equal(got[0].event.pid, pid);
	assert_int_not_equal(got[0].event.tid, pid);
	assert_int_equal(got[1].event.stage, TAMIS_WORKLOAD);
}

/* A process of `p` with a mark of that stage (TAMIS_WORKLOAD: none) gets that signal. */
static void killed(enum place p, uint32_t stage, int sig)
{
	pid_t pid = spawn(p);

	if (stage != TAMIS_WORKLOAD)
		set_mark(pid, stage);
	assert_int_equal(kill(pid, sig), 0);
	assert_int_equal(end_of(pid) & 0x7f, sig);
}

static void who_did_not_start_it_is_told_of_only_by_sigsys(void **state)
{
	static const struct {
		enum place place, told; /* PLACES: nobody */
		uint32_t stage;
		int sig;
	} rows[] = {
		{ UNIT, PLACES, TAMIS_SESSION, SIGKILL },
		{ UNIT, PLACES, TAMIS_WORKLOAD, SIGTERM },
		{ UNIT, UNIT, TAMIS_SESSION, SIGSYS },
		{ UNIT, UNIT, TAMIS_WORKLOAD, SIGSYS },
		{ UNIT_DEEP, UNIT, TAMIS_WORKLOAD, SIGSYS },
		{ OTHER_SUB, OTHER, TAMIS_SESSION, SIGSYS },
		{ OUTSIDE, PLACES, TAMIS_WORKLOAD, SIGSYS },
		{ OUTSIDE, OUTSIDE, TAMIS_SETUP, SIGSYS }, /* refused before its first exec */
		{ OUTSIDE, PLACES, TAMIS_SETUP, SIGKILL },
	};

	(void)signal(SIGSYS, SIG_DFL); /* cmocka's handler is the children's too */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		killed(rows[i].place, rows[i].stage, rows[i].sig);
		read_ring();
		if (got_cnt != (rows[i].told != PLACES) ||
		    (got_cnt && got[0].place != rows[i].told))
			fail_msg("row %zu: %zu told", i, got_cnt);
		if (got_cnt && got[0].event.stage == TAMIS_WORKLOAD)
			fail_msg("row %zu: told as the entrypoint", i);
	}
}

static void only_the_last_entrypoint_counts(void **state)
{
	pid_t first = start(UNIT, "wait"), second;

	for (struct tamis_cgroup c = { 0 }; c.pid != (uint32_t)first; usleep(1000))
		assert_int_equal(bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_cgroups),
						     &id[UNIT], &c),
				 0);
	second = start(UNIT, "exit 7");
	assert_int_equal(end_of(second), 7 << 8);
	assert_one(UNIT, TAMIS_WORKLOAD, 7 << 8);
	finish(first);
	assert_silence();
}

static void one_that_moved_down_is_still_the_entrypoint(void **state)
{
	pid_t pid = start(UNIT, "wait");

	for (struct tamis_cgroup c = { 0 }; c.pid != (uint32_t)pid; usleep(1000))
		assert_int_equal(bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_cgroups),
						     &id[UNIT], &c),
				 0);
	move(pid, UNIT_DEEP);
	drop_mark(pid);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), SIGTERM);
	assert_one(UNIT, TAMIS_WORKLOAD, SIGTERM);
}

#define EXIT_TEST(test) cmocka_unit_test_setup_teardown(test, open_sensor, close_sensor)
#define DOOR_TEST(test, door)                                               \
	{                                                                   \
#test " (" #door ")", test, open_##door, close_sensor, NULL \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		EXIT_TEST(the_entrypoint_is_told_as_wait_tells_it),
		EXIT_TEST(a_refused_call_is_named),
		DOOR_TEST(a_refused_call_is_named, portable),
		DOOR_TEST(a_refused_call_is_named, legacy),
		DOOR_TEST(the_entrypoint_is_told_as_wait_tells_it, legacy),
		DOOR_TEST(only_the_last_entrypoint_counts, legacy),
		EXIT_TEST(nothing_is_kept_of_the_dead),
		EXIT_TEST(the_time_is_there),
		EXIT_TEST(a_child_is_told_of_only_by_sigsys),
		EXIT_TEST(so_is_a_thread_that_goes_alone),
		EXIT_TEST(who_did_not_start_it_is_told_of_only_by_sigsys),
		EXIT_TEST(only_the_last_entrypoint_counts),
		EXIT_TEST(one_that_moved_down_is_still_the_entrypoint),
	};

	if (argc > 1)
		return play(argv[1]);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
