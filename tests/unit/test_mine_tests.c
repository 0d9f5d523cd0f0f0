/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that a line of `tamis mine` means, and the digest that says whether they are others now. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/mine_tests.h"

static char dir[] = "/tmp/tamis-test-tests.XXXXXX";

static void put(const char *path, const char *text, mode_t mode)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static int setup(void **state)
{
	if (!mkdtemp(dir) || chdir(dir) < 0 || mkdir("some", 0700) < 0 || mkdir("none", 0700) < 0)
		return -1;
	put("some/10-last", "#!/bin/sh\n", 0700);
	put("some/2-first", "#!/bin/sh\n", 0700);
	put("some/notes", "", 0600);
	put("none/notes", "", 0600);
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "some/10-last", "some/2-first", "some/notes",
					     "none/notes" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	return rmdir("some") == 0 && rmdir("none") == 0 && chdir("/") == 0 && rmdir(dir) == 0 ? 0
											      : -1;
}

static void a_directory_or_a_command(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *names[3];
		const char *word[3]; /* of the first */
	} rows[] = {
		{ "some", 0, { "2-first", "10-last" }, { "some/2-first" } },
		{ "none", -ENODATA, { NULL }, { NULL } },
		{ "./some/2-first -x 'a b'",
		  0,
		  { "./some/2-first -x 'a b'" },
		  { "./some/2-first", "-x", "a b" } },
		{ "true", 0, { "true" }, { "true" } },
		{ "not-there -x", 0, { "not-there -x" }, { "not-there", "-x" } },
		{ "./not-there -x", -ENOENT, { NULL }, { NULL } },
		{ "./some/notes/x", -ENOTDIR, { NULL }, { NULL } },
		{ "'open", -EINVAL, { NULL }, { NULL } },
		{ "", -EINVAL, { NULL }, { NULL } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_mine_tests_ struct mine_tests t = { 0 };

		assert_int_equal(mine_tests_take(rows[i].text, &t), rows[i].r);
		for (size_t n = 0; n < t.cnt; n++)
			assert_string_equal(t.test[n].name, rows[i].names[n]);
		assert_null(rows[i].names[t.cnt]);
		for (size_t n = 0; n < 3 && rows[i].word[n]; n++)
			assert_string_equal(strstr(t.test[0].argv[n], rows[i].word[n]),
					    rows[i].word[n]);
	}
}

static void each_adds_to_those_before(void **state)
{
	_mine_tests_ struct mine_tests t = { 0 };

	assert_int_equal(mine_tests_take("true", &t), 0);
	assert_int_equal(mine_tests_take("some", &t), 0);
	assert_int_equal(mine_tests_take("none", &t), -ENODATA);
	assert_int_equal(t.cnt, 3);
	assert_string_equal(t.test[2].name, "10-last");
}

/* The digest of tests that `text` means. Caller frees. */
static char *digest_of(const char *text)
{
	struct mine_job j = { 0 };

	assert_int_equal(mine_tests_take(text, &j.tests), 0);
	assert_int_equal(mine_tests_check(&j), 0);
	assert_int_equal(j.explorations.cnt, 0);
	mine_tests_done(&j.tests);
	return j.digest;
}

static void others_have_another_digest(void **state)
{
	_free_ char *all = digest_of("some"), *again = digest_of("some"),
		    *one = digest_of("./some/2-first"), *option = digest_of("./some/2-first -x"),
		    *changed = NULL, *back = NULL;

	put("some/2-first", "#!/bin/sh\nexit 1\n", 0700);
	changed = digest_of("some");
	put("some/2-first", "#!/bin/sh\n", 0700);
	back = digest_of("some");
	assert_int_equal(strlen(all), strlen("sha256:") + 64);
	assert_memory_equal(all, "sha256:", strlen("sha256:"));
	assert_string_equal(all, again);
	assert_string_equal(all, back);
	assert_string_not_equal(all, changed);
	assert_string_not_equal(all, one);
	assert_string_not_equal(one, option);
}

/* Without tests of one's own: what is built in, and a directory's beside. */
static void explorations_are_the_tests(void **state)
{
	struct mine_job j = { 0 };
	size_t built_in;

	assert_int_equal(mine_tests_check(&j), 0);
	built_in = j.explorations.cnt;
	assert_true(built_in > 0);
	explorations_done(&j.explorations);
	free(j.digest);
	j = (struct mine_job){ .explore = "not-there" };
	assert_true(mine_tests_check(&j) < 0);
	assert_null(j.digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_or_a_command),
		cmocka_unit_test(each_adds_to_those_before),
		cmocka_unit_test(others_have_another_digest),
		cmocka_unit_test(explorations_are_the_tests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
