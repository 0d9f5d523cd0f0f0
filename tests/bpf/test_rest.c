/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syscall program at rest: what is recorded, what is counted instead, what stays pinned. Processes
 * in cgroups of this test, a bpffs in a mount namespace of its own.
 */
#include "bpf/leave_fixture.h"

#include <sys/mount.h>

#if defined(__x86_64__)
#define NATIVE TAMIS_ABI_X86_64
#else
#define NATIVE TAMIS_ABI_AARCH64
#endif

static char top[] = "/tmp/tamis-test-rest.XXXXXX";
static char *pins;
static char self[4096];

static int make_all(void **state)
{
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || !mkdtemp(top) ||
	    unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tamis-test", top, "bpf", 0, NULL) < 0)
		return -1;
	pins = text_format("%s/pins", top);
	return make_cgroups(state);
}

static int remove_all(void **state)
{
	int r = remove_cgroups(state);

	free(pins);
	return r | umount(top) | rmdir(top);
}

/* The fixture's sensor, with pins. */
static void open_pinned(void)
{
	struct sensor_options o = { .pins = pins };
	struct tamis_cgroup started = { 0 };
	_free_ char *why = NULL;

	assert_int_equal(sensor_open(&o, &sensor, &why), 0);
	assert_int_equal(sensor_seed(sensor, id[UNIT], &started), 0);
}

static int close_and_unpin(void **state)
{
	sensor_close(TAKE_PTR(sensor));
	return sensor_unpin(pins);
}

static bool is_pinned(const char *name)
{
	_free_ char *path = text_format("%s/v%d/%s", pins, TAMIS_ABI_VERSION, name);

	return access(path, F_OK) == 0;
}

static void rest(bool yes)
{
	assert_int_equal(sensor_rest(sensor, yes), 0);
	assert_int_equal(sensor_rests(sensor), yes);
	assert_int_equal(sensor_state(sensor)->resting, yes);
}

/* --- processes --------------------------------------------------------------------------- */

/* One in the unit that makes a call when it is told to. */
struct caller {
	pid_t pid;
	int to[2], from[2];
};

static void obey(const struct caller *c)
{
	long nr;

	/* the sensor's: a link is there as long as anybody has it open */
	for (int fd = 3; fd < 1024; fd++)
		if (fd != c->to[0] && fd != c->from[1])
			close(fd);
	while (read(c->to[0], &nr, sizeof(nr)) == sizeof(nr)) {
		(void)syscall(nr);
		if (write(c->from[1], &nr, sizeof(nr)) != sizeof(nr))
			break;
	}
	_exit(0);
}

static void caller_start(struct caller *c)
{
	assert_int_equal(pipe2(c->to, O_CLOEXEC) | pipe2(c->from, O_CLOEXEC), 0);
	c->pid = fork_child();
	if (c->pid == 0)
		obey(c);
	move(c->pid, UNIT);
	drop_mark(c->pid);
}

static void caller_stop(struct caller *c)
{
	close(c->to[1]);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
	close(c->to[0]);
	close(c->from[0]);
	close(c->from[1]);
}

static void call(const struct caller *c, long nr)
{
	assert_int_equal(write(c->to[1], &nr, sizeof(nr)), sizeof(nr));
	assert_int_equal(read(c->from[0], &nr, sizeof(nr)), sizeof(nr));
}

static bool is_recorded(unsigned nr)
{
	struct tamis_key key = { id[UNIT], NATIVE, TAMIS_WORKLOAD };
	struct tamis_set set = { 0 };

	(void)bpf_map_lookup_elem(bpf_map(sensor->skel->maps.tamis_sets), &key, &set);
	return set.seen[nr / 64] >> (nr % 64) & 1;
}

/* An entrypoint, by its own exec, that does nothing. */
static void start_and_end(enum place p)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		if (try_move(0, p))
			_exit(1);
		execl(self, self, "end", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- what is counted --------------------------------------------------------------------- */

static int keep_rest(uint64_t cgroup, const struct tamis_loss *loss, void *arg)
{
	for (int p = 0; p < ROOT; p++)
		if (cgroup == id[p])
			((uint64_t *)arg)[p] = loss->rest;
	return 0;
}

static void assert_rest_lost(uint64_t unit, uint64_t other)
{
	uint64_t lost[PLACES] = { 0 };
	const struct sensor_walk walk = { .loss = keep_rest, .arg = lost };

	assert_int_equal(sensor_drain(sensor, &walk, true), 0);
	assert_int_equal(lost[UNIT], unit);
	assert_int_equal(lost[OTHER], other);
	assert_true(sensor_lost(sensor).rest >= unit + other);
}

/* --- tests ------------------------------------------------------------------------------- */

static void at_rest_nothing_is_recorded(void **state)
{
	struct caller c;

	caller_start(&c);
	assert_false(sensor_rests(sensor));
	call(&c, SYS_getppid);
	assert_true(is_recorded(SYS_getppid));
	rest(true);
	call(&c, SYS_getpgid);
	assert_false(is_recorded(SYS_getpgid));
	rest(true); /* as it is */
	rest(false);
	call(&c, SYS_getpgid);
	assert_true(is_recorded(SYS_getpgid));
	rest(false);
	call(&c, SYS_getuid);
	assert_true(is_recorded(SYS_getuid));
	caller_stop(&c);
}

/* A kernel set that was forgotten meanwhile begins anew: what a task has in its cache is of a unit. */
static void what_was_recorded_before_stays(void **state)
{
	struct caller c;

	caller_start(&c);
	for (int i = 0; i < 3; i++)
		call(&c, SYS_getppid);
	rest(true);
	rest(false);
	assert_true(is_recorded(SYS_getppid));
	sensor_unit_next(sensor);
	rest(true);
	sensor_forget(sensor, id[UNIT]);
	sensor_unit_next(sensor);
	rest(false);
	call(&c, SYS_getppid);
	assert_true(is_recorded(SYS_getppid));
	caller_stop(&c);
}

static void a_start_at_rest_is_a_loss_of_its_cgroup(void **state)
{
	start_and_end(UNIT);
	assert_rest_lost(0, 0);
	rest(true);
	start_and_end(UNIT);
	assert_rest_lost(1, 0);
	start_and_end(UNIT);
	start_and_end(OTHER);
	assert_rest_lost(2, 1);
	rest(false);
	start_and_end(UNIT);
	assert_rest_lost(2, 1);
}

/* All the others stay: exits, moves, cgroups. */
static void the_other_programs_stay(void **state)
{
	pid_t pid;

	rest(true);
	start_and_end(UNIT); /* an exec that ends setup */
	pid = spawn(UNIT);
	move(pid, OTHER);
	assert_true(has_mark(pid));
	assert_left(UNIT, 1);
	finish(pid);
	assert_false(has_mark(pid));
}

static void the_pin_goes_and_comes(void **state)
{
	open_pinned();
	assert_true(is_pinned("on_enter"));
	rest(true);
	assert_false(is_pinned("on_enter"));
	assert_true(is_pinned("on_exec") && is_pinned("on_mkdir") && is_pinned("sets"));
	rest(false);
	assert_true(is_pinned("on_enter"));
	assert_false(is_pinned("new_enter"));
	assert_int_equal(sensor_watch_denials(sensor, true), 0);
	assert_false(is_pinned("on_return"));
}

/* Put back, it outlives us as ever. */
static void put_back_it_is_kept(void **state)
{
	struct caller c;

	open_pinned();
	rest(true);
	rest(false);
	caller_start(&c);
	sensor_close(TAKE_PTR(sensor));
	call(&c, SYS_getpgid); /* while nobody has the maps open but the programs */
	open_pinned();
	assert_true(sensor_was_pinned(sensor));
	assert_true(is_recorded(SYS_getpgid));
	caller_stop(&c);
}

/* A daemon that was killed at rest: nobody records until the next, and starts are counted. */
static void killed_at_rest(void **state)
{
	struct caller c;
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		struct sensor_options o = { .pins = pins };
		_free_ char *why = NULL;

		if (sensor_open(&o, &sensor, &why) || sensor_rest(sensor, true))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGKILL);
	assert_false(is_pinned("on_enter"));
	start_and_end(UNIT);
	open_pinned();
	assert_true(sensor_was_pinned(sensor));
	assert_false(sensor_rests(sensor));
	assert_true(is_pinned("on_enter"));
	assert_rest_lost(1, 0);
	caller_start(&c);
	call(&c, SYS_getpgid);
	assert_true(is_recorded(SYS_getpgid));
	caller_stop(&c);
	start_and_end(UNIT);
	assert_rest_lost(1, 0);
}

/* One that was killed in a nap left what has no filter unobserved: the next one is told, once. */
static void killed_in_a_nap(void **state)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		struct sensor_options o = { .pins = pins };
		_free_ char *why = NULL;

		if (sensor_open(&o, &sensor, &why) || sensor_was_napping(sensor) ||
		    sensor_rest(sensor, TAMIS_NAPS))
			_exit(1);
		sensor_tell_execs(sensor, true);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGKILL);
	start_and_end(UNIT);
	open_pinned();
	assert_true(sensor_was_napping(sensor));
	assert_false(sensor_rests(sensor));
	assert_int_equal(sensor_state(sensor)->execs, 0);
	assert_rest_lost(1, 0);
	sensor_close(TAKE_PTR(sensor));
	open_pinned();
	assert_false(sensor_was_napping(sensor));
}

/* A rest of another kind is said so at once. */
static void a_nap_may_become_a_rest(void **state)
{
	assert_int_equal(sensor_rest(sensor, TAMIS_NAPS), 0);
	assert_int_equal(sensor_state(sensor)->resting, TAMIS_NAPS);
	assert_int_equal(sensor_rest(sensor, TAMIS_RESTS), 0);
	assert_int_equal(sensor_state(sensor)->resting, TAMIS_RESTS);
	rest(false);
}

static void *toggle(void *arg)
{
	for (int i = 0; i < 200; i++)
		if (sensor_rest(sensor, (i ^ *(int *)arg) & 1))
			return arg;
	return NULL;
}

/* The loop's thread and the ring's. */
static void two_threads_may_change_it(void **state)
{
	static int which[] = { 0, 1 };
	pthread_t thread[2];
	struct caller c;
	void *r;

	open_pinned();
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, toggle, &which[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++) {
		pthread_join(thread[i], &r);
		assert_null(r);
	}
	assert_int_equal(is_pinned("on_enter"), !sensor_rests(sensor));
	rest(true);
	assert_false(is_pinned("on_enter"));
	rest(false);
	caller_start(&c);
	call(&c, SYS_getpgid);
	assert_true(is_recorded(SYS_getpgid));
	caller_stop(&c);
}

#define REST_TEST(test) cmocka_unit_test_setup_teardown(test, open_sensor, close_sensor)
#define PINS_TEST(test) cmocka_unit_test_teardown(test, close_and_unpin)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		REST_TEST(at_rest_nothing_is_recorded),
		REST_TEST(what_was_recorded_before_stays),
		REST_TEST(a_start_at_rest_is_a_loss_of_its_cgroup),
		REST_TEST(the_other_programs_stay),
		PINS_TEST(the_pin_goes_and_comes),
		PINS_TEST(put_back_it_is_kept),
		PINS_TEST(killed_at_rest),
		PINS_TEST(killed_in_a_nap),
		REST_TEST(a_nap_may_become_a_rest),
		PINS_TEST(two_threads_may_change_it),
	};

	if (argc > 1)
		return 0;
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
