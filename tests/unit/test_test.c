/* SPDX-License-Identifier: Apache-2.0 */
/* Which tests a directory has, and what becomes of one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "mine/target_internal.h"
#include "mine/test.h"

static char dir[] = "/tmp/tamis-test-test.XXXXXX";

static int setup(void **state)
{
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static void put(const char *name, int mode)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, (mode_t)mode), 0);
	close(fd);
}

static void a_directory(void **state)
{
	static const char *const order[] = { "10-last", "2-second", "a", "b9", "b10" };
	_mine_tests_ struct mine_tests t = { 0 };

	assert_int_equal(mine_tests_dir("nothing", &t), -ENOENT);
	assert_int_equal(mine_tests_dir("/etc/passwd", &t), -ENOTDIR);
	assert_int_equal(mine_tests_dir(".", &t), -ENODATA);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		put(order[ARRAY_SIZE(order) - 1 - i], 0755);
	put("README", 0644);
	put(".hidden", 0755);
	assert_int_equal(mkdir("data", 0755), 0);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(mine_tests_dir(".", &t), 0);
	assert_int_equal(t.cnt, ARRAY_SIZE(order) + 1);
	assert_string_equal(t.test[0].name, "2-second");
	assert_string_equal(t.test[1].name, "10-last");
	assert_string_equal(t.test[2].name, "a");
	assert_string_equal(t.test[3].name, "b9");
	assert_string_equal(t.test[4].name, "b10");
	assert_string_equal(t.test[5].name, "link");
	assert_int_equal(t.test[0].argv[0][0], '/');
	assert_null(t.test[0].argv[1]);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(unlink(order[i]), 0);
	assert_int_equal(unlink("README") + unlink(".hidden") + unlink("link") + rmdir("data"), 0);
}

static struct mine_outcome outcome_of(const char *script, int64_t limit_ms)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	_mine_tests_ struct mine_tests t = { 0 };
	struct target target = { .pidfd = -1 };
	struct mine_outcome o = { 0 };

	assert_int_equal(mine_tests_add(&t, "x", argv), 0);
	assert_int_equal(mine_test_run(&t.test[0], &target, limit_ms, -1, &o), 0);
	return o;
}

static void outcomes(void **state)
{
	static const struct {
		const char *script;
		enum matrix_outcome outcome;
		unsigned ok, failed;
		const char *why;
	} rows[] = {
		{ "true", MATRIX_PASS },
		{ "exit 77", MATRIX_PASS },
		{ "echo 1..1; echo ok 1", MATRIX_PASS, 1 },
		{ "echo not ok, says it", MATRIX_PASS },
		{ "echo 'line one'; echo; echo 'what is wrong'; echo; exit 3", MATRIX_FAIL, 0, 0,
		  "exit status 3: what is wrong" },
		{ "exit 1", MATRIX_FAIL, 0, 0, "exit status 1" },
		{ "kill -SYS $$", MATRIX_FAIL, 0, 0, "ended by signal 31 (SYS)" },
		{ "echo 1..2; echo ok 1; echo not ok 2 - two", MATRIX_FAIL, 1, 1,
		  "not ok 2 - two" },
		{ "echo 1..2; echo ok 1", MATRIX_FAIL, 1, 0, "2 tests were planned, 1 ran" },
		{ "echo 'Bail out!'", MATRIX_FAIL, 0, 0, "it bailed out" },
		{ "echo 1..1; echo ok 1; exit 2", MATRIX_FAIL, 1, 0, "exit status 2: ok 1" },
		{ "echo 1..1; echo not ok 1 '#' TODO", MATRIX_PASS, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mine_outcome o = outcome_of(rows[i].script, 60000);

		if (o.outcome != rows[i].outcome || o.tap_ok != rows[i].ok ||
		    o.tap_failed != rows[i].failed)
			fail_msg("%s: %s, %u ok, %u failed", rows[i].script,
				 matrix_outcome_name(o.outcome), o.tap_ok, o.tap_failed);
		if (rows[i].why)
			assert_string_equal(o.why, rows[i].why);
		else
			assert_null(o.why);
		mine_outcome_done(&o);
	}
}

/* Points in the middle are lost; what failed may be said all the same. */
static void much_tap(void **state)
{
	static const char much[] = "echo 1..400000; seq -f 'ok %.0f' 400000";
	_free_ char *bad = text_format("%s; echo 'not ok 400001'", much);
	struct mine_outcome o = outcome_of(much, 60000);

	assert_int_equal(o.outcome, MATRIX_PASS);
	assert_true(o.tap_ok < 400000);
	mine_outcome_done(&o);
	o = outcome_of(bad, 60000);
	assert_int_equal(o.outcome, MATRIX_FAIL);
	assert_string_equal(o.why, "not ok 400001");
	mine_outcome_done(&o);
}

static void skips(void **state)
{
	static const struct {
		const char *before, *after;
		enum matrix_outcome outcome;
	} rows[] = {
		{ "true", "true", MATRIX_PASS },
		{ "exit 77", "exit 77", MATRIX_PASS },
		{ "exit 77", "true", MATRIX_PASS },
		{ "true", "exit 77", MATRIX_FAIL },
		{ "echo 1..1; echo ok 1", "echo '1..0 # SKIP'", MATRIX_FAIL },
		{ "echo 1..1; echo ok 1", "echo 1..1; echo 'ok 1 # skip it'", MATRIX_FAIL },
		{ "echo 1..1; echo 'ok 1 # TODO'", "echo 1..1; echo 'not ok 1 # TODO'",
		  MATRIX_FAIL },
		{ "echo 1..1; echo 'not ok 1 # TODO'", "echo 1..1; echo 'ok 1 # TODO'",
		  MATRIX_PASS },
		{ "false", "exit 77", MATRIX_PASS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mine_outcome before = outcome_of(rows[i].before, 60000);
		struct mine_outcome o = outcome_of(rows[i].after, 60000);

		assert_int_equal(mine_outcome_compare(&o, &before), 0);
		if (o.outcome != rows[i].outcome || (o.why != NULL) != (o.outcome == MATRIX_FAIL))
			fail_msg("%s after %s: %s", rows[i].after, rows[i].before,
				 matrix_outcome_name(o.outcome));
		mine_outcome_done(&before);
		mine_outcome_done(&o);
	}
}

static void one_that_hangs(void **state)
{
	struct mine_outcome o = outcome_of("sleep 600", 1000);

	assert_int_equal(o.outcome, MATRIX_HUNG);
	assert_string_equal(o.why, "no end after 1 s");
	assert_true(o.took_ms >= 1000);
	mine_outcome_done(&o);
}

static void one_that_is_no_program(void **state)
{
	const char *const argv[] = { "/nonexistent", NULL };
	_mine_tests_ struct mine_tests t = { 0 };
	struct target target = { .pidfd = -1 };
	struct mine_outcome o = { 0 };

	assert_int_equal(mine_tests_add(&t, "x", argv), 0);
	assert_int_equal(mine_test_run(&t.test[0], &target, 1000, -1, &o), 0);
	assert_int_equal(o.outcome, MATRIX_FAIL);
	assert_string_equal(o.why, "can't be run: No such file or directory");
	mine_outcome_done(&o);
}

static void where_the_service_is(void **state)
{
	struct mine_outcome o = outcome_of(
		"echo \"${TAMIS_HOST-no}/${TAMIS_PORT-no}/${TAMIS_PORTS-no}/${TAMIS_CONTAINER-no}/"
		"${TAMIS_IMAGE-no}/${TAMIS_PID-no}\"; exit 1",
		60000);

	assert_string_equal(o.why, "exit status 1: /////0");
	mine_outcome_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory),
		cmocka_unit_test(outcomes),
		cmocka_unit_test(much_tap),
		cmocka_unit_test(skips),
		cmocka_unit_test(one_that_hangs),
		cmocka_unit_test(one_that_is_no_program),
		cmocka_unit_test(where_the_service_is),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
