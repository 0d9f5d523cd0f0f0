/* SPDX-License-Identifier: Apache-2.0 */
/* rollback and release as commands: which generation, and that store and file agree. */
#include "applying_fixture.h"

/* Three generations of podman/web, the newest applied. */
static int64_t three(void)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(APPLY("web"), EXIT_OK);
	learn(SET(WRITE));
	assert_int_equal(APPLY("web"), EXIT_OK);
	learn(SET(FUTEX));
	assert_int_equal(APPLY("web", "--keep-new-image"), EXIT_OK);
	assert_applied(id, 3, 0, MODE_ENFORCE);
	return id;
}

static void to_the_newest_good_one(void **state)
{
	int64_t id = three();
	_applied_ struct applied a = { 0 };

	set_state(id, 1, GENERATION_GOOD);
	assert_int_equal(ROLLBACK("web"), EXIT_OK);
	check_said("podman/web: from generation 3 to 1 (good); in force when web next starts\n");
	assert_applied(id, 1, 0, MODE_ENFORCE);
	a = file_of("podman/web");
	assert_true(a.keep_new_image);
	assert_false(sysset_has(&a.now.learned.set[TAMIS_WORKLOAD][MACHINE], FUTEX));
}

/* What lived through its trial is good before the daemon has settled it. */
static void to_one_that_is_good_by_now(void **state)
{
	int64_t id = three();

	set_state(id, 1, GENERATION_GOOD);
	assert_int_equal(trial_add_start(state_dir, "podman/web", 2, "c1", NULL), 0);
	assert_int_equal(trial_add_end(state_dir, "podman/web", "c1", TRIAL_EXITED, 0), 0);
	assert_int_equal(ROLLBACK("web"), EXIT_OK);
	assert_applied(id, 2, 1, MODE_ENFORCE);
	assert_int_equal(ROLLBACK("web"), EXIT_OK);
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

static void to_one_by_number(void **state)
{
	int64_t id = three();

	set_state(id, 1, GENERATION_GOOD);
	assert_int_equal(ROLLBACK("web", "2"), EXIT_OK);
	assert_applied(id, 2, 1, MODE_ENFORCE);
	assert_int_equal(ROLLBACK("web", "3"), EXIT_OK);
	assert_applied(id, 3, 1, MODE_ENFORCE);
	set_state(id, 2, GENERATION_FAILED);
	assert_int_equal(ROLLBACK("web", "2"), EXIT_FAIL);
	assert_complained("generation 2 failed: died");
	assert_int_equal(ROLLBACK("web", "4"), EXIT_FAIL);
	assert_complained("there is no generation 4; 'tamis history' shows them");
	assert_applied(id, 3, 1, MODE_ENFORCE);
}

static void to_nothing(void **state)
{
	int64_t id = three();

	assert_int_equal(ROLLBACK("web"), EXIT_FAIL);
	assert_complained("podman/web: no good generation before 3; 'tamis release'");
	assert_applied(id, 3, 0, MODE_ENFORCE);
}

static void keeps_the_mode(void **state)
{
	int64_t id = three();

	set_state(id, 2, GENERATION_GOOD);
	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	assert_int_equal(ROLLBACK("web"), EXIT_OK);
	assert_printed("in shadow when web next starts");
	assert_applied(id, 2, 0, MODE_SHADOW);
}

static void releases(void **state)
{
	int64_t id = three();
	_free_ char *path = text_format("%s/applied", state_dir);

	assert_int_equal(RELEASE("web"), EXIT_OK);
	check_said(
		"podman/web: released from generation 3; under the engine's own profile when web "
		"next starts\n");
	assert_applied(id, 0, 0, MODE_OBSERVE);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(count_generations(id), 3);
	assert_int_equal(ROLLBACK("web"), EXIT_FAIL);
	assert_complained("nothing is applied to it, so there is nothing to roll back");
}

/* A file that no store knows of goes too. */
static void releases_what_is_left(void **state)
{
	int64_t id = three();
	_applied_ struct applied a = file_of("podman/web");

	assert_int_equal(RELEASE("web"), EXIT_OK);
	assert_int_equal(applied_write(state_dir, &a), 0);
	assert_int_equal(RELEASE("web"), EXIT_OK);
	check_said("podman/web: nothing was applied to it\n");
	assert_applied(id, 0, 0, MODE_OBSERVE);
}

static void names_what_is_wrong(void **state)
{
	static const struct failure failures[] = {
		{ &cmd_rollback, { "--state", "DIR" }, EXIT_USAGE, "missing" },
		{ &cmd_rollback, { "web", "0", "--state", "DIR" }, EXIT_USAGE, "\"0\"" },
		{ &cmd_rollback, { "web", "-1", "--state", "DIR" }, EXIT_USAGE, "-1" },
		{ &cmd_rollback, { "web", "x", "--state", "DIR" }, EXIT_USAGE, "\"x\"" },
		{ &cmd_rollback, { "web", "4294967296" }, EXIT_USAGE, "4294967296" },
		{ &cmd_rollback, { "web", "1", "2" }, EXIT_USAGE, "\"2\"" },
		{ &cmd_rollback,
		  { "shop", "--config", "/dev/null", "--state", "DIR" },
		  EXIT_FAIL,
		  "unknown workload \"shop\"" },
		{ &cmd_release, { "--state", "DIR" }, EXIT_USAGE, "missing" },
		{ &cmd_release, { "web", "shop" }, EXIT_USAGE, "shop" },
		{ &cmd_release,
		  { "shop", "--config", "/dev/null", "--state", "DIR" },
		  EXIT_FAIL,
		  "unknown workload \"shop\"" },
	};

	learn(SET(READ));
	check_failures(failures, ARRAY_SIZE(failures));
}

/* The state directory is somebody's: the store stays as it is. */
static void both_or_neither(void **state)
{
	int64_t id = three();

	assert_int_equal(chmod(state_dir, 0777), 0);
	assert_int_equal(RELEASE("web"), EXIT_FAIL);
	assert_complained("nothing was changed: podman/web");
	assert_int_equal(ROLLBACK("web", "1"), EXIT_FAIL);
	assert_int_equal(chmod(state_dir, 0711), 0);
	assert_applied(id, 3, 0, MODE_ENFORCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_the_newest_good_one), TEST(to_one_that_is_good_by_now),
		TEST(to_one_by_number),	      TEST(to_nothing),
		TEST(keeps_the_mode),	      TEST(releases),
		TEST(releases_what_is_left),  TEST(names_what_is_wrong),
		TEST(both_or_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
