/* SPDX-License-Identifier: Apache-2.0 */
/* Executables that are new to a cgroup: who is told of which, and when nobody is. */
#include "bpf/leave_fixture.h"

#include <poll.h>

#include "base/file.h"

#define PATHS 4

static char top[] = "/tmp/tamis-test-exec.XXXXXX";
static char self[4096];
static char *path[PATHS]; /* a copy of this program, a link to it, a script, another */
enum what { COPY, LINK, SCRIPT, OTHER_SCRIPT };

static int write_script(const char *name, char **ret)
{
	_free_ char *text = text_format("#!%s end\n", self);
	FILE *f;

	*ret = text_format("%s/%s", top, name);
	f = fopen(*ret, "we");
	if (!f)
		return -1;
	fputs(text, f);
	return fclose(f) | chmod(*ret, 0755);
}

static int copy_self(void)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = file_read(self, 64 << 20, &text, &len);
	FILE *f = r < 0 ? NULL : fopen(path[COPY], "we");

	if (!f)
		return -1;
	r = fwrite(text, len, 1, f) != 1;
	return r | fclose(f) | chmod(path[COPY], 0755);
}

static int make_all(void **state)
{
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || !mkdtemp(top))
		return -1;
	path[COPY] = text_format("%s/copy", top);
	path[LINK] = text_format("%s/link", top);
	return copy_self() | link(path[COPY], path[LINK]) | write_script("one", &path[SCRIPT]) |
	       write_script("two", &path[OTHER_SCRIPT]) | make_cgroups(state);
}

static int remove_all(void **state)
{
	for (int i = 0; i < PATHS; i++) {
		(void)unlink(path[i]);
		free(path[i]);
	}
	return remove_cgroups(state) | rmdir(top);
}

static void run(enum place p, const char *file)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0) {
		if (try_move(0, p))
			_exit(1);
		execl(file, file, "end", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static unsigned told[PLACES];

static void on_event(const struct tamis_event *e, const char *text, void *arg)
{
	for (int p = 0; p < ROOT; p++)
		told[p] += e->kind == TAMIS_EV_EXEC && e->cgroup == id[p];
}

static void assert_told(enum place p, unsigned cnt)
{
	memset(told, 0, sizeof(told));
	assert_int_equal(sensor_events(sensor, on_event, NULL), 0);
	if (told[p] != cnt)
		fail_msg("place %d: told of %u, %u wanted", p, told[p], cnt);
}

/* --- tests ------------------------------------------------------------------------------- */

static void nobody_is_told_who_does_not_ask(void **state)
{
	run(UNIT, self);
	assert_told(UNIT, 0);
	sensor_tell_execs(sensor, true);
	sensor_tell_execs(sensor, false);
	run(UNIT, self);
	assert_told(UNIT, 0);
}

static void each_file_is_told_once_a_cgroup(void **state)
{
	sensor_tell_execs(sensor, true);
	run(UNIT, self);
	assert_told(UNIT, 1);
	run(UNIT, self);
	assert_told(UNIT, 0);
	run(UNIT, path[COPY]);
	assert_told(UNIT, 1);
	run(UNIT, path[LINK]); /* the same file */
	assert_told(UNIT, 0);
	run(OTHER, path[COPY]);
	assert_told(OTHER, 1);
	run(OTHER, path[COPY]);
	assert_told(OTHER, 0);
}

static void a_script_is_told_by_its_path(void **state)
{
	sensor_tell_execs(sensor, true);
	run(UNIT, self); /* the interpreter of both */
	assert_told(UNIT, 1);
	run(UNIT, path[SCRIPT]);
	assert_told(UNIT, 1);
	run(UNIT, path[SCRIPT]);
	assert_told(UNIT, 0);
	run(UNIT, path[OTHER_SCRIPT]);
	assert_told(UNIT, 1);
}

/* What is told of a nap rings the bell. */
static void a_nap_hears_of_it_at_once(void **state)
{
	struct pollfd bell = { .fd = sensor_fd(sensor), .events = POLLIN };

	sensor_tell_execs(sensor, true);
	run(UNIT, self);
	assert_told(UNIT, 1);
	assert_int_equal(sensor_rest(sensor, TAMIS_NAPS), 0);
	while (poll(&bell, 1, 0) > 0)
		assert_told(OTHER_SUB, 0);
	run(UNIT, path[COPY]);
	assert_int_equal(poll(&bell, 1, 60000), 1);
	assert_told(UNIT, 1);
	assert_int_equal(sensor_rest(sensor, TAMIS_AWAKE), 0);
}

static int keep_rest(uint64_t cgroup, const struct tamis_loss *loss, void *arg)
{
	if (cgroup == id[UNIT])
		*(uint64_t *)arg = loss->rest;
	return 0;
}

/* The start itself is a loss in a nap; an exec that nobody could be told of is one more. */
static void what_finds_the_ring_full_in_a_nap_is_a_loss(void **state)
{
	uint64_t before = 0, after = 0;
	const struct sensor_walk walk = { .loss = keep_rest, .arg = &after };

	sensor_tell_execs(sensor, true);
	assert_int_equal(sensor_rest(sensor, TAMIS_NAPS), 0);
	while (sensor_lost(sensor).ring == 0) { /* cgroups that come and go, until it is full */
		_free_ char *sub = text_format("%s/x", dir[OTHER]);

		assert_int_equal(mkdir(sub, 0755) | rmdir(sub), 0);
	}
	for (uint64_t lost = sensor_lost(sensor).ring; sensor_lost(sensor).ring == lost;)
		run(OTHER, self); /* its end is told in less room */
	before = sensor_lost(sensor).rest;
	run(UNIT, self);
	assert_int_equal(sensor_drain(sensor, &walk, true), 0);
	assert_int_equal(after, 2);
	assert_true(sensor_lost(sensor).rest >= before + 2);
}

#define EXEC_TEST(test) cmocka_unit_test_setup_teardown(test, open_sensor, close_sensor)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		EXEC_TEST(nobody_is_told_who_does_not_ask),
		EXEC_TEST(each_file_is_told_once_a_cgroup),
		EXEC_TEST(a_script_is_told_by_its_path),
		EXEC_TEST(a_nap_hears_of_it_at_once),
		EXEC_TEST(what_finds_the_ring_full_in_a_nap_is_a_loss),
	};

	if (argc > 1)
		return 0;
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
