/* SPDX-License-Identifier: Apache-2.0 */
/* A wrapper's configuration: its lines, and whose it has to be. */
#include "apply/runtime_conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"

static const struct {
	const char *text;
	size_t len; /* 0: to the NUL */
	int want;
	const char *runtime, *state, *why;
} texts[] = {
	{ "runtime = /usr/bin/runc\nstate = /var/lib/tamis\n", 0, 0, "/usr/bin/runc",
	  "/var/lib/tamis", NULL },
	{ "runtime=/r", 0, 0, "/r", NULL, NULL },
	{ "# runc\n\n\t runtime\t= /a b \r\nnew = thing\n", 0, 0, "/a b", NULL, NULL },
	{ "runtime = /a # why\nruntime = /b\n", 0, 0, "/b", NULL, NULL },
	{ "", 0, -EINVAL, NULL, NULL, "runtime: is missing" },
	{ "state = /s\n", 0, -EINVAL, NULL, NULL, "runtime: is missing" },
	{ "#runtime = /r\n", 0, -EINVAL, NULL, NULL, "runtime: is missing" },
	{ "runtime = runc\n", 0, -EINVAL, NULL, NULL, "runtime: not an absolute path" },
	{ "runtime =\n", 0, -EINVAL, NULL, NULL, "runtime: not an absolute path" },
	{ "runtime = /r\nstate = s\n", 0, -EINVAL, NULL, NULL, "state: not an absolute path" },
	{ "runtime /r\n", 0, -EINVAL, NULL, NULL, "runtime /r: no \"key = value\"" },
	{ "runtime # = /r\n", 0, -EINVAL, NULL, NULL, "runtime: no \"key = value\"" },
	{ "runtime = /r\0\n", 14, -EINVAL, NULL, NULL, "conf: has a NUL byte" },
};

static void same(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void lines_are_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t len = texts[i].len ? texts[i].len : strlen(texts[i].text);
		_runtime_conf_ struct runtime_conf c = { 0 };
		_free_ char *why = NULL;

		assert_int_equal(runtime_conf_parse(texts[i].text, len, &c, &why), texts[i].want);
		same(c.runtime, texts[i].runtime);
		same(c.state, texts[i].state);
		same(why, texts[i].why);
	}
}

static char program[64], path[80];

static int set_up(void **state)
{
	static const char text[] = "runtime = /usr/bin/runc\n";

	strcpy(program, "/tmp/tamis-conf-XXXXXX");
	int fd = mkstemp(program);

	if (fd < 0)
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "%s.conf", program);
	return file_write_atomic(path, text, strlen(text), 0644);
}

static int tear_down(void **state)
{
	(void)unlink(path);
	return unlink(program);
}

static void assert_read(int want, const char *why_end)
{
	_runtime_conf_ struct runtime_conf c = { 0 };
	_free_ char *why = NULL;

	assert_int_equal(runtime_conf_read(program, &c, &why), want);
	if (want == 0)
		assert_string_equal(c.runtime, "/usr/bin/runc");
	else
		assert_non_null(strstr(why, why_end));
	assert_int_equal(!c.runtime, want != 0);
}

static void its_owner_alone_writes_it(void **state)
{
	assert_read(0, NULL);
	assert_int_equal(chmod(path, 0664), 0);
	assert_read(-EPERM, ".conf: others may write to it");
	assert_int_equal(chmod(path, 0646), 0);
	assert_read(-EPERM, ".conf: others may write to it");
	assert_int_equal(chmod(path, 0600), 0);
	assert_read(0, NULL);
}

static void anothers_is_not_believed(void **state)
{
	if (geteuid() != 0)
		return; /* nothing can be given away */
	assert_int_equal(chown(path, 1234, 0), 0);
	assert_read(-EPERM, ".conf: is not of the owner of the program");
	assert_int_equal(chown(program, 1234, 0), 0);
	assert_read(0, NULL);
}

static void nothing_else_is_read(void **state)
{
	assert_int_equal(unlink(path), 0);
	assert_read(-ENOENT, ".conf: No such file");
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_read(-EPERM, ".conf: is a link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_read(-EPERM, ".conf: is no regular file");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		TEST(its_owner_alone_writes_it),
		TEST(anothers_is_not_believed),
		TEST(nothing_else_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
