/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that hang, fail, never stop talking or lie: what check makes of them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/capture.h"
#include "cli/probes.h"

static char dir[64];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/tamis-probes-XXXXXX");
	return mkdtemp(dir) ? setenv("PATH", dir, 1) : -1;
}

static void put_program(const char *name, const char *script)
{
	_free_ char *path = text_format("%s/%s", dir, name);
	_free_ char *text = text_format("#!/bin/sh\nPATH=/usr/bin:/bin\n%s\n", script);

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0755), 0);
}

static int drop_dir(void **state)
{
	static const char *const names[] = { "x", "runc", "crun", "pid" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = text_format("%s/%s", dir, names[i]);

		(void)unlink(path);
	}
	return rmdir(dir);
}

static const struct {
	const char *script, *out;
	int r;
} runs[] = {
	{ "echo hello", "hello\n", 0 },
	{ "printf ''", "", 0 },
	{ "echo no >&2; echo yes", "yes\n", 0 },
	{ "cat", "", 0 }, /* nothing to read, at once */
	{ "echo half; exit 3", "half\n", -EIO },
	{ "kill -9 $$", "", -EIO },
	{ "echo early; sleep 20", "early\n", -ETIMEDOUT },
	{ "exec >&-; sleep 20", "", -ETIMEDOUT },
	{ "sleep 20 & echo out", "out\n", -ETIMEDOUT }, /* a child keeps the pipe */
	{ "printf 0123456789abcdefghijklmnopqrstuvwxyz", "0123456789abcde", 0 },
	{ "yes", "y\ny\ny\ny\ny\ny\ny\ny", -ETIMEDOUT },
};

static void outputs_are_bounded(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		char buf[16];
		_free_ char *path = text_format("%s/x", dir);
		char *argv[] = { path, NULL };

		put_program("x", runs[i].script);
		assert_int_equal(
			capture_run(argv, runs[i].r == -ETIMEDOUT ? 200 : 5000, buf, sizeof(buf)),
			runs[i].r);
		assert_string_equal(buf, runs[i].out);
	}
}

static void what_it_started_ends_with_it(void **state)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	/* It has ended itself by then. */
	_free_ char *script = text_format("sleep 30 & echo $! >%s/pid", dir);
	_free_ char *path = text_format("%s/x", dir);
	_free_ char *pid_path = text_format("%s/pid", dir);
	_free_ char *pid = NULL;
	char *argv[] = { path, NULL };
	char buf[16];

	put_program("x", script);
	assert_int_equal(capture_run(argv, 300, buf, sizeof(buf)), -ETIMEDOUT);
	assert_int_equal(file_read(pid_path, 100, &pid, NULL), 0);
	for (int i = 0; i < 40 && kill(atoi(pid), 0) == 0; i++) {
		_free_ char *stat_path = text_format("/proc/%d/stat", atoi(pid));
		_free_ char *stat = NULL;

		/* Nobody may be there to reap it: dead is enough. */
		if (file_read(stat_path, 4096, &stat, NULL) < 0 || strstr(stat, ") Z "))
			return;
		nanosleep(&pause, NULL);
	}
	assert_int_equal(kill(atoi(pid), 0), -1);
}

static void only_absolute_programs_are_found(void **state)
{
	_free_ char *path = NULL, *none = NULL, *relative = NULL;

	put_program("x", "true");
	path = capture_find("x");
	assert_non_null(path);
	assert_int_equal(strncmp(path, dir, strlen(dir)), 0);
	none = capture_find("no-such-program");
	assert_null(none);
	assert_int_equal(chdir(dir), 0);
	setenv("PATH", ".::", 1);
	relative = capture_find("x");
	assert_null(relative);
	setenv("PATH", dir, 1);
	assert_int_equal(chdir("/"), 0);
}

static const struct finding *find(const struct findings *f, const char *name)
{
	for (size_t i = 0; i < f->cnt; i++) {
		if (strcmp(f->item[i].name, name) == 0)
			return &f->item[i];
	}
	return NULL;
}

static const struct {
	const char *script, *text;
	enum support level;
} runtimes[] = {
	{ "case $1 in --version) echo 'runc version 9.9';; features) echo '{}';; esac",
	  "runc version 9.9; tells its features", SUPPORT_FINE },
	{ "case $1 in --version) echo 'runc version 1.0';; *) exit 1;; esac",
	  "no 'features' command", SUPPORT_DEGRADED },
	{ "echo 'not json'", "no 'features' command", SUPPORT_DEGRADED },
	{ "case $1 in --version) echo v;; *) yes '{' | head -c 1000000;; esac",
	  "no 'features' command", SUPPORT_DEGRADED },
	{ "exit 1", "does not answer --version", SUPPORT_DEGRADED },
};

static void runtimes_are_asked(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		struct findings f = { 0 };
		const struct finding *runc;

		put_program("runc", runtimes[i].script);
		put_program("crun", "exit 1");
		probes_tools(&f);
		runc = find(&f, "runc");
		assert_non_null(runc);
		assert_int_equal(runc->level, runtimes[i].level);
		assert_non_null(strstr(runc->text, runtimes[i].text));
		assert_non_null(strstr(runc->text, dir));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(outputs_are_bounded),
		TEST(what_it_started_ends_with_it),
		TEST(only_absolute_programs_are_found),
		TEST(runtimes_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
