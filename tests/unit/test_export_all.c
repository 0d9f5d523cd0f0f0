/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/export_all.h"
#include "unit/dir_fixture.h"

static char *out;

static int set_up(void **state)
{
	int r = setup(state);

	out = text_format("%s/a/policies", dir);
	return r < 0 || !out ? -1 : 0;
}

static int tear_down(void **state)
{
	free(out);
	return teardown(state);
}

static bool has(const char *name)
{
	_free_ char *path = text_format("%s/%s", out, name);

	return access(path, F_OK) == 0;
}

static void assert_holds(const char *name, const char *text)
{
	_free_ char *path = text_format("%s/%s", out, name), *is = NULL;

	assert_int_equal(file_read(path, 100, &is, NULL), 0);
	assert_string_equal(is, text);
}

static void add(struct export_all *e, const char *key, const char *text)
{
	assert_int_equal(export_all_add(e, key, ".x", text, strlen(text)), 0);
}

static void files_have_their_names_when_all_are_there(void **state)
{
	struct export_all *e;

	assert_int_equal(export_all_new(out, &e), 0);
	add(e, "podman/web", "one");
	add(e, "cgroup/a/b", "two");
	assert_false(has("podman/web.x"));
	assert_int_equal(export_all_commit(e), 0);
	export_all_free(e);
	assert_holds("podman/web.x", "one");
	assert_holds("cgroup/a/b.x", "two");
}

static void what_was_there_is_replaced(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct export_all *e;

		assert_int_equal(export_all_new(out, &e), 0);
		add(e, "podman/web", i ? "new" : "old");
		assert_int_equal(export_all_commit(e), 0);
		export_all_free(e);
		assert_holds("podman/web.x", i ? "new" : "old");
	}
}

static void without_a_commit_nothing_is_left(void **state)
{
	struct export_all *e;

	assert_int_equal(export_all_new(out, &e), 0);
	add(e, "podman/web", "one");
	export_all_free(e);
	/* an empty directory alone can be removed */
	assert_int_equal(rmdir(out), 0);
}

static void keys_stay_in_the_directory(void **state)
{
	static const char *const bad[] = { "", "/etc/x", "../x", "a/../x", "a//b", "a/", ".x" };
	struct export_all *e;

	assert_int_equal(export_all_new(out, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(export_all_add(e, bad[i], ".x", "", 0), -EINVAL);
	export_all_free(e);
}

/* A full disk: what couldn't be written whole isn't put in place, the others are. */
static void half_a_file_is_none(void **state)
{
	struct rlimit before, small;
	struct export_all *e;

	assert_int_equal(export_all_new(out, &e), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ 4, before.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	add(e, "podman/a", "one");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(export_all_add(e, "podman/b", ".x", "too long", 8), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	add(e, "podman/c", "three");
	assert_int_equal(export_all_commit(e), 0);
	export_all_free(e);
	assert_holds("podman/a.x", "one");
	assert_false(has("podman/b.x"));
	assert_holds("podman/c.x", "three");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_have_their_names_when_all_are_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_was_there_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_commit_nothing_is_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(half_a_file_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_stay_in_the_directory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
