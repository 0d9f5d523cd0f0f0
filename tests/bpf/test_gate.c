/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of what is being started are remembered as all others, and yet what it does once it has loaded
 * a filter is the gate's: the sensor is attached, a process is moved into a cgroup, makes a namespace of
 * its own, and loads a filter in one way or another.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "bpf/leave_fixture.h"

#define ASKED SYS_getpgid /* a call that nothing else here makes */

struct made {
	uint32_t stage, nr;
	bool yes;
};

static int look(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	struct made *m = arg;

	if (key->cgroup == id[OUTSIDE] && key->stage == m->stage)
		m->yes |= set->seen[m->nr / 64] >> (m->nr % 64) & 1;
	return 0;
}

static bool made(uint32_t stage, uint32_t nr)
{
	struct made m = { stage, nr, false };
	struct sensor_walk walk = { .set = look, .arg = &m };

	assert_int_equal(sensor_drain(sensor, &walk, true), 0);
	return m.yes;
}

/* --- what is being started --------------------------------------------------------------- */

static void load_by_seccomp(unsigned flags)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program))
		_exit(2);
}

static void load(void)
{
	load_by_seccomp(0);
}

static void load_for_all_threads(void)
{
	load_by_seccomp(SECCOMP_FILTER_FLAG_TSYNC);
}

static void load_by_prctl(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(2);
}

static void load_none(void)
{
}

static pthread_barrier_t turn;

static void *ask_before_and_after(void *arg)
{
	syscall(ASKED, 0);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	syscall(ASKED, 0);
	return NULL;
}

/* Stops once it may be moved, and once it has asked for the first time. */
static void be_started(void (*load_filter)(void), bool by_thread)
{
	pthread_t thread;

	raise(SIGSTOP);
	if (unshare(CLONE_NEWUTS))
		_exit(1);
	if (!by_thread) {
		syscall(ASKED, 0);
		raise(SIGSTOP);
		load_filter();
		syscall(ASKED, 0);
		_exit(0);
	}
	if (pthread_barrier_init(&turn, NULL, 2) ||
	    pthread_create(&thread, NULL, ask_before_and_after, NULL))
		_exit(1);
	pthread_barrier_wait(&turn);
	raise(SIGSTOP);
	load_filter();
	pthread_barrier_wait(&turn);
	pthread_join(thread, NULL);
	_exit(0);
}

static void wait_stopped(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

/* Returns when it has asked for the first time. */
static pid_t start(void (*load_filter)(void), bool by_thread)
{
	pid_t pid = fork_child();

	if (pid == 0)
		be_started(load_filter, by_thread);
	wait_stopped(pid);
	move(pid, OUTSIDE);
	assert_true(has_mark(pid));
	assert_int_equal(kill(pid, SIGCONT), 0);
	wait_stopped(pid);
	assert_true(made(TAMIS_SETUP, ASKED));
	return pid;
}

static void go_on(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- tests ------------------------------------------------------------------------------- */

static void after_a_filter_it_is_the_gate(void **state)
{
	static const struct {
		void (*load)(void);
		bool by_thread;
	} rows[] = {
		{ load, false },
		{ load_by_prctl, false },
		{ load_for_all_threads, false },
		{ load_for_all_threads, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		go_on(start(rows[i].load, rows[i].by_thread));
		if (!made(TAMIS_GATE, ASKED))
			fail_msg("row %zu: not seen at the gate", i);
		sensor_forget(sensor, id[OUTSIDE]);
	}
}

static void without_one_it_is_not_recorded_again(void **state)
{
	pid_t pid = start(load_none, false);

	sensor_forget(sensor, id[OUTSIDE]);
	go_on(pid);
	assert_false(made(TAMIS_SETUP, ASKED));
	assert_false(made(TAMIS_GATE, ASKED));
	assert_true(made(TAMIS_SETUP, SYS_exit_group));
}

#define GATE_TEST(test, door)                                               \
	{                                                                   \
#test " (" #door ")", test, open_##door, close_sensor, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GATE_TEST(after_a_filter_it_is_the_gate, sensor),
		GATE_TEST(after_a_filter_it_is_the_gate, portable),
		GATE_TEST(after_a_filter_it_is_the_gate, legacy),
		GATE_TEST(without_one_it_is_not_recorded_again, sensor),
		GATE_TEST(without_one_it_is_not_recorded_again, legacy),
	};

	return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
