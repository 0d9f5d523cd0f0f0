/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who leaves a cgroup: the sensor is attached, processes are moved between cgroups of this test's
 * own, and the map is read as the daemon reads it.
 */
#include <sys/mman.h>

#include "bpf/leave_fixture.h"

/* --- tests ------------------------------------------------------------------------------- */

static void one_that_is_moved_out_has_left(void **state)
{
	pid_t pid = spawn(UNIT);
	struct tamis_leave leave;

	move(pid, OTHER);
	leave = leave_of(UNIT);
	assert_int_equal(leave.count, 1);
	assert_int_equal(leave.pid, pid);
	assert_int_equal(leave.to, id[OTHER]);
	assert_string_equal(leave.comm, "test_leave");
	assert_left(OTHER, 0);
	move(pid, OTHER); /* where it is: nothing happens */
	assert_left(UNIT, 1);
	assert_left(OTHER, 0);
	finish(pid);
}

static void where_one_goes_decides(void **state)
{
	static const struct {
		enum place from, to, left; /* PLACES: nobody */
	} rows[] = {
		{ UNIT, UNIT_SUB, PLACES },	 { UNIT_SUB, UNIT, PLACES },
		{ UNIT_SUB, UNIT_DEEP, PLACES }, { UNIT_DEEP, UNIT, PLACES },
		{ UNIT, OTHER_SUB, UNIT },	 { UNIT_DEEP, OTHER, UNIT },
		{ UNIT_SUB, OUTSIDE, UNIT },	 { UNIT, ROOT, UNIT },
		{ OTHER_SUB, UNIT_DEEP, OTHER }, { OUTSIDE, UNIT, PLACES },
		{ OUTSIDE, ROOT, PLACES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)open_sensor(NULL);
		moved(rows[i].from, rows[i].to);
		for (int p = 0; p < PLACES; p++)
			if (leave_of(p).count != (p == (int)rows[i].left))
				fail_msg("row %zu, place %d", i, p);
		(void)close_sensor(NULL);
	}
}

static void one_that_moves_twice_left_twice(void **state)
{
	pid_t pid = spawn(UNIT);

	move(pid, UNIT_SUB);
	drop_mark(pid);
	move(pid, OTHER);
	drop_mark(pid);
	move(pid, UNIT);
	drop_mark(pid);
	move(pid, OUTSIDE);
	assert_left(UNIT, 2);
	assert_left(OTHER, 1);
	finish(pid);
}

static void *wait_in_thread(void *arg)
{
	int *ready = arg, tid = gettid();

	if (write(*ready, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
	return NULL;
}

/* Of 9 threads. *ret_tid is of one that isn't the first. */
static pid_t spawn_threads(int *ret_tid)
{
	int ready[2], tid;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork_child();
	if (pid == 0) {
		pthread_t thread;

		for (int i = 0; i < 8; i++)
			if (pthread_create(&thread, NULL, wait_in_thread, &ready[1]))
				_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(read(ready[0], &tid, sizeof(tid)), sizeof(tid));
	close(ready[0]);
	close(ready[1]);
	*ret_tid = tid;
	return pid;
}

static void a_process_of_many_threads_leaves_once(void **state)
{
	int tid;
	pid_t pid = spawn_threads(&tid);

	move(pid, UNIT);
	drop_mark(pid);
	move(pid, OTHER);
	assert_left(UNIT, 1);
	finish(pid);
}

static void move_thread(pid_t tid, enum place to)
{
	_free_ char *text = text_format("%d", tid);

	assert_int_equal(write_file(to, "cgroup.threads", text), 0);
}

static void a_thread_goes_without_its_process(void **state)
{
	int tid;
	pid_t pid = spawn_threads(&tid);

	move(pid, THREADS);
	drop_mark(pid);
	move_thread(tid, BESIDE);
	assert_left(THREADS, 0);
	move_thread(pid, BESIDE);
	assert_left(THREADS, 1);
	finish(pid);
}

static void one_that_is_born_elsewhere_has_left(void **state)
{
	bears(UNIT_SUB, UNIT, TAMIS_WORKLOAD);
	bears(UNIT, UNIT_DEEP, TAMIS_WORKLOAD);
	assert_nobody_left();
	bears(UNIT_SUB, OTHER, TAMIS_WORKLOAD);
	assert_left(UNIT, 1);
	assert_int_equal(leave_of(UNIT).to, id[OTHER]);
	assert_string_equal(leave_of(UNIT).comm, "test_leave");
	bears(UNIT, OTHER_SUB, TAMIS_SESSION);
	assert_left(UNIT, 2);
	assert_left(OTHER, 0);
}

static void what_is_on_its_way_in_never_left(void **state)
{
	pid_t pid = spawn(OUTSIDE);

	move(pid, UNIT);
	assert_true(has_mark(pid));
	move(pid, OTHER);
	move(pid, ROOT);
	finish(pid);
	bears(UNIT, OTHER, TAMIS_SETUP);
	assert_nobody_left();
}

static void a_session_that_is_moved_out_left(void **state)
{
	pid_t pid = spawn(UNIT);

	set_mark(pid, TAMIS_SESSION);
	move(pid, ROOT);
	assert_left(UNIT, 1);
	finish(pid);
}

/* What the programs alone use is not mapped by the sensor. */
static struct sensor_bpf__bss *map_bss(void)
{
	struct sensor_bpf__bss *bss = mmap(NULL, sizeof(*bss), PROT_READ | PROT_WRITE, MAP_SHARED,
					   bpf_map__fd(sensor->skel->maps.bss), 0);

	assert_ptr_not_equal(bss, MAP_FAILED);
	return bss;
}

static void a_taken_slot_is_guessed_by_the_parent(void **state)
{
	struct sensor_bpf__bss *bss = map_bss();
	uint64_t *places = (uint64_t *)bss->places;
	size_t slots = sizeof(bss->places) / 16;
	pid_t pid = spawn(UNIT);

	move(getpid(), OTHER);
	drop_mark(getpid());
	places[pid % slots * 2] = 0;
	move(pid, OUTSIDE);
	assert_left(UNIT, 0);
	assert_left(OTHER, 1);
	assert_int_equal(leave_of(OTHER).pid, pid);
	finish(pid);

	/* another's cgroup under its number: the id doesn't fit */
	pid = spawn(UNIT);
	assert_left(OTHER, 2); /* from where we are now */
	places[pid % slots * 2] ^= 1;
	move(pid, OUTSIDE);
	assert_left(OTHER, 3);
	finish(pid);
	move(getpid(), ROOT);
	drop_mark(getpid());
	munmap(bss, sizeof(*bss));
}

static void an_engine_is_no_guess_for_its_container(void **state)
{
	struct sensor_bpf__bss *bss = map_bss();
	uint64_t *places = (uint64_t *)bss->places;
	size_t slots = sizeof(bss->places) / 16;
	int status;
	pid_t pid;

	move(getpid(), OTHER);
	pid = fork_child();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	drop_mark(pid);
	places[pid % slots * 2] = 0;
	move(pid, OUTSIDE);
	assert_nobody_left();
	finish(pid);
	move(getpid(), ROOT);
	drop_mark(getpid());
	munmap(bss, sizeof(*bss));
}

/* Those that were there before us: their first call tells, at the latest that of the move. */
static void one_that_was_there_before_is_known_by_its_calls(void **state)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		if (try_move(0, UNIT))
			_exit(1);
		raise(SIGSTOP);
		_exit(try_move(0, OTHER));
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(open_sensor(NULL), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_left(UNIT, 1);
	(void)close_sensor(NULL);
}

static void a_full_map_is_a_loss(void **state)
{
	int fd = bpf_map(sensor->skel->maps.tamis_leaves);
	struct tamis_leave none = { .count = 1 };
	uint64_t key = 1000000;
	struct tamis_loss loss;

	for (; bpf_map_update_elem(fd, &key, &none, BPF_NOEXIST) == 0; key++)
		assert_true(key < 1000000 + 65536);
	moved(UNIT, OTHER);
	assert_left(UNIT, 0);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_losses), &id[UNIT], &loss), 0);
	assert_int_equal(loss.task, 1);
}

static void leavers_are_news_until_forgotten(void **state)
{
	pid_t pid = spawn(UNIT);
	uint64_t before = sensor_state(sensor)->notes;

	move(pid, OTHER);
	assert_true(sensor_state(sensor)->notes > before);
	assert_left(UNIT, 1);
	sensor_forget(sensor, id[UNIT]);
	assert_left(UNIT, 0);
	finish(pid);
}

static void a_name_without_an_end_gets_one(void **state)
{
	struct tamis_leave odd = { .count = UINT64_MAX };

	memset(odd.comm, 'x', sizeof(odd.comm));
	assert_int_equal(bpf_map_update_elem(bpf_map(sensor->skel->maps.tamis_leaves), &id[UNIT],
					     &odd, BPF_ANY),
			 0);
	odd = leave_of(UNIT);
	assert_int_equal(strnlen(odd.comm, sizeof(odd.comm)), sizeof(odd.comm) - 1);
}

/* What the observer seeds for our sake must change no stage. */
static void a_seed_hides_no_container(void **state)
{
	struct tamis_cgroup container = { .starts = 1,
					  .pid_ns = FOREIGN_NS,
					  .mnt_ns = mnt_ns(),
					  .starter_pid_ns = FOREIGN_NS,
					  .starter_mnt_ns = FOREIGN_NS };
	struct tamis_cgroup seed = { 0 };
	pid_t pid = spawn(OUTSIDE);

	sensor_forget(sensor, id[UNIT]);
	assert_int_equal(sensor_seed(sensor, id[UNIT], &container), 0);
	assert_int_equal(sensor_seed(sensor, id[UNIT_SUB], &seed), 0);
	move(pid, UNIT_SUB); /* we are in that container's mount namespace: its own process moves */
	assert_false(has_mark(pid));
	move(pid, UNIT); /* while a leaver it is */
	assert_left(UNIT_SUB, 1);
	move(pid, OUTSIDE);
	drop_mark(pid);
	move(pid, OTHER_SUB); /* and below a plain seed all is as in a cgroup without one */
	assert_true(has_mark(pid));
	finish(pid);
}

static void wait_stopped(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

/* A shell that was started in the unit: what it does with cgroups, then it stops. */
static pid_t start_shell(const char *script)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		if (setenv("sub", dir[UNIT_SUB], 1) || setenv("unit", dir[UNIT], 1) ||
		    setenv("other", dir[OTHER], 1) || try_move(0, UNIT))
			_exit(1);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(1);
	}
	wait_stopped(pid);
	return pid;
}

static void who_arranges_himself_is_not_being_started(void **state)
{
	static const struct {
		const char *script;
		bool marked;
	} rows[] = {
		{ "echo 0 >$sub/cgroup.procs; kill -STOP $$", false },
		{ "echo $$ >$unit/cgroup.procs; kill -STOP $$", false },
		{ "echo 0 >$other/cgroup.procs; kill -STOP $$", true },
		/* a child of its own moves it */
		{ "/bin/sh -c 'echo $PPID >$sub/cgroup.procs'; kill -STOP $$", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t pid = start_shell(rows[i].script);

		if (has_mark(pid) != rows[i].marked)
			fail_msg("%s", rows[i].script);
		finish(pid);
	}
}

/* As a service manager's child does, before the exec of what it is for. */
static void what_is_forked_for_another_cgroup_is(void **state)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		(void)try_move(0, UNIT);
		raise(SIGSTOP);
		(void)try_move(0, UNIT_SUB);
		raise(SIGSTOP);
	}
	wait_stopped(pid);
	drop_mark(pid);
	assert_int_equal(kill(pid, SIGCONT), 0);
	wait_stopped(pid);
	assert_true(has_mark(pid));
	assert_nobody_left();
	finish(pid);
}

#define LEAVE_TEST(test) cmocka_unit_test_setup_teardown(test, open_sensor, close_sensor)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAVE_TEST(one_that_is_moved_out_has_left),
		cmocka_unit_test(where_one_goes_decides),
		LEAVE_TEST(one_that_moves_twice_left_twice),
		LEAVE_TEST(a_process_of_many_threads_leaves_once),
		LEAVE_TEST(a_thread_goes_without_its_process),
		LEAVE_TEST(one_that_is_born_elsewhere_has_left),
		LEAVE_TEST(what_is_on_its_way_in_never_left),
		LEAVE_TEST(a_session_that_is_moved_out_left),
		LEAVE_TEST(a_taken_slot_is_guessed_by_the_parent),
		LEAVE_TEST(an_engine_is_no_guess_for_its_container),
		cmocka_unit_test(one_that_was_there_before_is_known_by_its_calls),
		LEAVE_TEST(a_full_map_is_a_loss),
		LEAVE_TEST(leavers_are_news_until_forgotten),
		LEAVE_TEST(a_name_without_an_end_gets_one),
		LEAVE_TEST(a_seed_hides_no_container),
		LEAVE_TEST(who_arranges_himself_is_not_being_started),
		LEAVE_TEST(what_is_forked_for_another_cgroup_is),
	};

	return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
