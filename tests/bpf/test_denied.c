/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused calls: processes under filters of their own, in cgroups of this test, and what the kernel
 * half keeps of them.
 */
#include "bpf/denied_roles.h"
#include "bpf/leave_fixture.h"

#include <time.h>

#include "sensor/probe.h"

#if defined(__x86_64__)
#define NATIVE TAMIS_ABI_X86_64
#else
#define NATIVE TAMIS_ABI_AARCH64
#endif

/* --- a process with a role --------------------------------------------------------------- */

/* Waits, in its cgroup and its stage, until it is let go. */
static pid_t ready(enum place p, uint32_t stage, void (*act)(void))
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		if (try_move(0, p))
			_exit(1);
		raise(SIGSTOP);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	drop_mark(pid);
	if (stage != TAMIS_WORKLOAD)
		set_mark(pid, stage);
	return pid;
}

static pid_t play(enum place p, uint32_t stage, void (*act)(void))
{
	pid_t pid = ready(p, stage, act);
	int status;

	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return pid;
}

/* --- what is kept ------------------------------------------------------------------------ */

static struct {
	unsigned cnt; /* of the cgroups of this test */
	struct tamis_denied_key key;
	struct tamis_denied denied;
} got;

static int keep_denied(const struct tamis_denied_key *key, const struct tamis_denied *d, void *arg)
{
	for (int p = 0; p < PLACES; p++) {
		if (key->cgroup != id[p])
			continue;
		got.cnt++;
		got.key = *key;
		got.denied = *d;
	}
	return 0;
}

/* What makes no sense is not read back: it isn't there either. */
static unsigned count_keys(void)
{
	int fd = bpf_map(sensor->skel->maps.tamis_denials);
	struct tamis_denied_key key, *at = NULL;
	unsigned cnt = 0;

	for (; bpf_map_get_next_key(fd, at, &key) == 0; at = &key)
		for (int p = 0; p < PLACES; p++)
			cnt += key.cgroup == id[p];
	return cnt;
}

static unsigned read_denials(void)
{
	const struct sensor_walk walk = { .denied = keep_denied };

	memset(&got, 0, sizeof(got));
	assert_int_equal(sensor_denials(sensor, &walk), 0);
	assert_int_equal(count_keys(), got.cnt);
	return got.cnt;
}

static void drop_denials(void)
{
	while (read_denials())
		sensor_denial_drop(sensor, &got.key);
}

static struct {
	unsigned cnt;
	struct tamis_event event;
	char text[TAMIS_TEXT_CALL + 1];
} rung;

static void keep_event(const struct tamis_event *e, const char *text, void *arg)
{
	for (int p = 0; p < PLACES && e->kind == TAMIS_EV_DENIED; p++) {
		if (e->cgroup != id[p])
			continue;
		rung.cnt++;
		memcpy(&rung.event, e, sizeof(*e));
		snprintf(rung.text, sizeof(rung.text), "%s", text);
	}
}

static void read_ring(void)
{
	memset(&rung, 0, sizeof(rung));
	assert_int_equal(sensor_events(sensor, keep_event, NULL), 0);
}

static uint64_t boottime_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void watch(void)
{
	assert_int_equal(sensor_watch_denials(sensor, true), 0);
}

/* --- tests ------------------------------------------------------------------------------- */

static void a_refused_call_is_counted_and_named(void **state)
{
	uint64_t before = boottime_ms();
	uint32_t pid;

	watch();
	pid = (uint32_t)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.key.cgroup, id[UNIT]);
	assert_int_equal(got.key.abi, NATIVE);
	assert_int_equal(got.key.nr, SYS_getppid);
	assert_int_equal(got.denied.count, 3);
	assert_int_equal(got.denied.errno_ret, ENOSYS);
	assert_int_equal(got.denied.pid, pid);
	assert_string_equal(got.denied.comm, "test_denied");
	assert_in_range(got.denied.first_ms, before, got.denied.last_ms);
	assert_in_range(got.denied.last_ms, before, boottime_ms());

	read_ring();
	assert_int_equal(rung.cnt, 1);
	assert_int_equal(rung.event.nr, SYS_getppid);
	assert_int_equal(rung.event.abi, NATIVE);
	assert_int_equal(rung.event.stage, TAMIS_WORKLOAD);
	assert_int_equal(rung.event.pid, pid);
	assert_int_equal(strncmp(rung.text, "test_denied/", strlen("test_denied/")), 0);

	pid = (uint32_t)play(UNIT, TAMIS_WORKLOAD, thrice_perm);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.denied.count, 6);
	assert_int_equal(got.denied.errno_ret, EPERM);
	assert_int_equal(got.denied.pid, pid);
	read_ring();
	assert_int_equal(rung.cnt, 0);
}

#define NONE TAMIS_ABI_MAX /* nothing is kept */

static void what_is_a_refusal_and_what_not(void **state)
{
	const struct {
		const char *name;
		void (*act)(void);
		enum place place;
		uint32_t stage;
		uint32_t abi, nr;
	} rows[] = {
		{ "ENOSYS", thrice_nosys, UNIT, TAMIS_WORKLOAD, NATIVE, SYS_getppid },
		{ "EPERM", thrice_perm, UNIT, TAMIS_WORKLOAD, NATIVE, SYS_getppid },
		{ "inner cgroup", thrice_perm, UNIT_DEEP, TAMIS_WORKLOAD, NATIVE, SYS_getppid },
		{ "session", thrice_perm, OTHER, TAMIS_SESSION, NATIVE, SYS_getppid },
		{ "setup", thrice_perm, OTHER, TAMIS_SETUP, NONE, 0 },
		{ "root", thrice_perm, ROOT, TAMIS_WORKLOAD, NONE, 0 },
		{ "EACCES", other_errno, UNIT, TAMIS_WORKLOAD, NONE, 0 },
		{ "logged", logged, UNIT, TAMIS_WORKLOAD, NONE, 0 },
		{ "trapped", trapped, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "no filter", no_filter, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "kernel's", kernels_own, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "out of range", out_of_range, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "fork", child_of_refused, OTHER, TAMIS_WORKLOAD, NONE, 0 },
#if defined(__x86_64__)
		{ "sigreturn", back_from_handler, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "i386", other_door, OTHER, TAMIS_WORKLOAD, TAMIS_ABI_I386, SYS_getppid },
		{ "x32", x32, OTHER, TAMIS_WORKLOAD, probe_x32() ? TAMIS_ABI_X32 : NONE,
		  SYS_getppid },
#endif
		/* last: it is in OTHER's set from now on */
		{ "made before", made_before, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "made by another", thrice_nosys, OTHER, TAMIS_WORKLOAD, NONE, 0 },
		{ "made in another stage", thrice_nosys, OTHER, TAMIS_SESSION, NATIVE,
		  SYS_getppid },
	};

	watch();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* a call that was logged has passed: each has sets of its own */
		if (strncmp(rows[i].name, "made by", 7) != 0 && rows[i].place != ROOT) {
			struct tamis_cgroup started = { 0 };

			sensor_forget(sensor, id[rows[i].place]);
			(void)sensor_seed(sensor, id[rows[i].place], &started);
		}
		(void)play(rows[i].place, rows[i].stage, rows[i].act);
		if (read_denials() != (rows[i].abi != NONE))
			fail_msg("%s: %u kept", rows[i].name, got.cnt);
		if (got.cnt && (got.key.cgroup != id[rows[i].place] || got.key.abi != rows[i].abi ||
				got.key.nr != rows[i].nr))
			fail_msg("%s: call %u of %u", rows[i].name, got.key.nr, got.key.abi);
		drop_denials();
	}
}

/* With no call recorded, what the kernel answers itself can't be told from a refusal. */
static void while_resting_the_kernels_own_are_candidates(void **state)
{
	watch();
	assert_int_equal(sensor_rest(sensor, true), 0);
	(void)play(UNIT, TAMIS_WORKLOAD, no_filter);
	assert_int_equal(read_denials(), 0);
	(void)play(UNIT, TAMIS_WORKLOAD, kernels_own);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.key.nr, NOBODYS_CALL);
}

static void nothing_is_counted_unwatched(void **state)
{
	(void)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 0);
	watch();
	watch();
	(void)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.denied.count, 3);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sensor_watch_denials(sensor, false), 0);
	(void)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.denied.count, 3);
}

static void what_is_dropped_begins_anew(void **state)
{
	watch();
	(void)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	(void)play(OTHER, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 2);
	sensor_forget(sensor, id[UNIT]);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.key.cgroup, id[OTHER]);
	sensor_denial_drop(sensor, &got.key);
	assert_int_equal(read_denials(), 0);
	read_ring();
	(void)play(OTHER, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.denied.count, 3);
	read_ring();
	assert_int_equal(rung.cnt, 1);
}

static void a_full_map_is_said(void **state)
{
	int fd = bpf_map(sensor->skel->maps.tamis_denials);
	uint32_t room = bpf_map__max_entries(sensor->skel->maps.tamis_denials);
	struct tamis_denied_key key = { 0 };
	struct tamis_denied d = { 0 };

	for (key.cgroup = 1ull << 40; key.cgroup < (1ull << 40) + room; key.cgroup++)
		assert_int_equal(bpf_map_update_elem(fd, &key, &d, BPF_ANY), 0);
	assert_int_equal(sensor_denials_lost(sensor), 0);
	watch();
	(void)play(UNIT, TAMIS_WORKLOAD, thrice_nosys);
	assert_int_equal(read_denials(), 0);
	assert_true(sensor_denials_lost(sensor) >= 3);
}

/* --- what a call that is begun again comes back as ---------------------------------------- */

static void sleeps(void)
{
	struct timespec t = { .tv_sec = 1000 };

	refuse_with(SYS_restart_syscall, ENOSYS);
	must_fail(syscall(SYS_nanosleep, &t, NULL), ENOSYS);
}

static bool is_in(pid_t pid, long nr)
{
	_free_ char *path = text_format("/proc/%d/syscall", pid);
	char text[64] = "";
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 10) == nr &&
	       text[0] >= '0' && text[0] <= '9';
}

static void a_sleep_that_cannot_go_on_is_told_as_it_is(void **state)
{
	int status;
	pid_t pid;

	watch();
	pid = ready(UNIT, TAMIS_WORKLOAD, sleeps);
	assert_int_equal(kill(pid, SIGCONT), 0);
	while (!is_in(pid, SYS_nanosleep))
		usleep(1000);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.key.nr, SYS_restart_syscall);
	assert_int_equal(got.denied.count, 1);
}

/* --- who is asked ------------------------------------------------------------------------ */

static int listener = -1;
static bool lets_pass;

/* Not under the filter: it was there before. Answers once. */
static void *answer(void *arg)
{
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_resp a = { 0 };
	int fd;

	while ((fd = __atomic_load_n(&listener, __ATOMIC_ACQUIRE)) < 0)
		usleep(1000);
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
		_exit(94);
	a.id = n.id;
	a.error = lets_pass ? 0 : -ENOSYS;
	a.flags = lets_pass ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &a))
		_exit(93);
	return NULL;
}

static void asks(void)
{
	pthread_t thread;
	long fd;

	if (pthread_create(&thread, NULL, answer, NULL))
		_exit(92);
	fd = refuse(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	__atomic_store_n(&listener, (int)fd, __ATOMIC_RELEASE);
	if ((syscall(SYS_getppid) > 0) != lets_pass)
		_exit(91);
	pthread_join(thread, NULL);
}

static void what_a_listener_refuses_counts(void **state)
{
	watch();
	lets_pass = false;
	(void)play(UNIT, TAMIS_WORKLOAD, asks);
	assert_int_equal(read_denials(), 1);
	assert_int_equal(got.key.nr, SYS_getppid);
	drop_denials();
	lets_pass = true;
	(void)play(OTHER, TAMIS_WORKLOAD, asks);
	assert_int_equal(read_denials(), 0);
}

#define DENIED_TEST(test) cmocka_unit_test_setup_teardown(test, open_sensor, close_sensor)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DENIED_TEST(a_refused_call_is_counted_and_named),
		DENIED_TEST(what_is_a_refusal_and_what_not),
		cmocka_unit_test_setup_teardown(what_is_a_refusal_and_what_not, open_portable,
						close_sensor),
		cmocka_unit_test_setup_teardown(what_is_a_refusal_and_what_not, open_legacy,
						close_sensor),
		DENIED_TEST(while_resting_the_kernels_own_are_candidates),
		DENIED_TEST(nothing_is_counted_unwatched),
		DENIED_TEST(what_is_dropped_begins_anew),
		DENIED_TEST(a_full_map_is_said),
		DENIED_TEST(a_sleep_that_cannot_go_on_is_told_as_it_is),
		DENIED_TEST(what_a_listener_refuses_counts),
	};

	return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
