/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: what they print, how they end, and that nothing of them stays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mine/run.h"

static struct run_result shell(const char *script, const struct run_options *with, int expected)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct run_options o = with ? *with : (struct run_options){ .stop_fd = -1 };
	struct run_result r = { 0 };

	o.argv = argv;
	assert_int_equal(run_program(&o, &r), expected);
	return r;
}

static void output_and_status(void **state)
{
	struct run_result r = shell("echo one; echo two >&2; exit 3", NULL, 0);

	assert_string_equal(r.out, "one\ntwo\n");
	assert_false(r.cut);
	assert_int_equal(r.out_len, 8);
	assert_true(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 3);
	assert_false(r.hung || r.stopped || run_succeeded(&r));
	run_result_done(&r);
	r = shell("kill -SEGV $$", NULL, 0);
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGSEGV);
	assert_false(run_succeeded(&r));
	run_result_done(&r);
	r = shell("true", NULL, 0);
	assert_true(run_succeeded(&r));
	assert_string_equal(r.out, "");
	run_result_done(&r);
}

static void not_there(void **state)
{
	static const struct {
		const char *program, *dir;
		int r;
	} rows[] = { { "/nonexistent/program", NULL, -ENOENT },
		     { "/etc/passwd", NULL, -EACCES },
		     { "true", "/nonexistent", -ENOENT } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const argv[] = { rows[i].program, NULL };
		const struct run_options o = { .argv = argv, .dir = rows[i].dir, .stop_fd = -1 };
		struct run_result r = { .out_len = 7 };

		assert_int_equal(run_program(&o, &r), rows[i].r);
		assert_int_equal(r.out_len, 7);
	}
}

static void environment(void **state)
{
	static const char *const env[] = { "TAMIS_X=1", "TAMIS_Y=two words", NULL };
	const struct run_options o = { .env = env, .dir = "/", .stop_fd = -1 };
	struct run_result r;

	setenv("TAMIS_Y", "ours", 1);
	setenv("TAMIS_Z", "stays", 1);
	r = shell("echo $TAMIS_X $TAMIS_Y $TAMIS_Z; pwd; cat", &o, 0);
	assert_string_equal(r.out, "1 two words stays\n/\n");
	run_result_done(&r);
}

/* The beginning stays, and the end, without a hole in it. */
static void much_output(void **state)
{
	struct run_result r = shell("echo first; seq 1000000 1500000; echo last", NULL, 0);
	const char *at = r.out + r.out_len - 5;

	assert_true(r.cut);
	assert_true(r.out_len <= RUN_OUT_MAX && r.out_len > RUN_OUT_MAX / 2);
	assert_memory_equal(r.out, "first\n1000000\n", 14);
	assert_string_equal(at, "last\n");
	for (int n = 1500000; n > 1500000 - 20000; n--) {
		at -= 8;
		assert_int_equal(atoi(at), n);
	}
	run_result_done(&r);
}

static bool is_gone(const char *pid)
{
	for (int i = 0; i < 1000; i++) {
		if (kill(atoi(pid), 0) < 0)
			return true;
		usleep(10000);
	}
	return false;
}

static void its_time_is_over(void **state)
{
	const struct run_options o = { .limit_ms = 300, .stop_fd = -1 };
	struct run_result r = shell("sleep 600 & echo $!; wait", &o, 0);

	assert_true(r.hung);
	assert_false(run_succeeded(&r));
	assert_true(is_gone(r.out));
	run_result_done(&r);
}

static void one_that_ignores_it(void **state)
{
	const struct run_options o = { .limit_ms = 300, .stop_fd = -1 };
	struct run_result r = shell("trap '' TERM; echo $$; while :; do sleep 1; done", &o, 0);

	assert_true(r.hung);
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
	assert_true(is_gone(r.out));
	run_result_done(&r);
}

/* What it leaves in its group ends with it, and holds nobody up. */
static void leftovers(void **state)
{
	const struct run_options o = { .limit_ms = 60000, .stop_fd = -1 };
	struct run_result r = shell("sleep 600 & echo $!", &o, 0);

	assert_true(run_succeeded(&r));
	assert_true(r.took_ms < 50000);
	assert_true(is_gone(r.out));
	run_result_done(&r);
}

static void a_stop(void **state)
{
	struct run_options o = { .limit_ms = 600000 };
	struct run_result r;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	o.stop_fd = fd[0];
	r = shell("sleep 600", &o, -EINTR);
	assert_true(r.stopped);
	assert_false(r.hung || run_succeeded(&r));
	run_result_done(&r);
	/* what is under way may end */
	o.grace_ms = 60000;
	r = shell("sleep 0.3; echo done", &o, -EINTR);
	assert_true(r.stopped);
	assert_string_equal(r.out, "done\n");
	run_result_done(&r);
	close(fd[0]);
	close(fd[1]);
}

/* Signals that we block are its own again, and so are descriptors. */
static void a_clean_start(void **state)
{
	struct run_result r;
	sigset_t set, before;
	int fd = dup(1);

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	r = shell("ls /proc/self/fd | wc -w; kill -TERM $$; echo survived", NULL, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_string_equal(r.out, "4\n"); /* 0, 1, 2 and the directory */
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
	run_result_done(&r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_status), cmocka_unit_test(not_there),
		cmocka_unit_test(environment),	     cmocka_unit_test(much_output),
		cmocka_unit_test(its_time_is_over),  cmocka_unit_test(one_that_ignores_it),
		cmocka_unit_test(leftovers),	     cmocka_unit_test(a_stop),
		cmocka_unit_test(a_clean_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
