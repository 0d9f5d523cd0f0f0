/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/gate.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "apply/runtime_ask.h"
#include "apply/runtime_cache.h"
#include "dir_fixture.h"
#include "model/abi.h"
#include "policy/data.h"

/* A machine under load: what has to come in time has this long. */
#define LONG_MS 60000

static char *program(const char *name, const char *script)
{
	char *path = in_dir(name);
	_free_ char *text = text_format("#!/bin/sh\n%s\n", script);

	assert_non_null(text);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0755), 0);
	return path;
}

static bool same(const struct sysset *a, const struct sysset *b)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_equal(&a[abi], &b[abi]))
			return false;
	return true;
}

static bool is_all(const struct sysset *gate)
{
	struct sysset all[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_gate(NULL, all), 0);
	return same(gate, all);
}

static const struct {
	const char *line, *spec;
} lines[] = {
	{ "runc version 1.1.5+ds1\ncommit: x", "runc@1.1.5+ds1" },
	{ "crun version 1.8.1\n", "crun@1.8.1" },
	{ "youki version 0.3.0", "youki@0.3.0" },
	{ "runc version 1.1.5\r\n", "runc@1.1.5" },
	{ "", NULL },
	{ "runc", NULL },
	{ "runc version ", NULL },
	{ "runc version \n1.1.5", NULL },
	{ " version 1.1.5", NULL },
	{ "RUNC version 1.1.5", NULL },
	{ "a b version 1.1.5", NULL },
	{ "runc version 1.1\x01", NULL },
	{ "runc version 1.1\xff", NULL },
	{ "runc version 1111111111111111111111111111111111111111111111111111111111111111", NULL },
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char spec[RUNTIME_SAID_MAX] = "untouched";
		int r = runtime_version_parse(lines[i].line, spec, sizeof(spec));

		assert_int_equal(r, lines[i].spec ? 0 : -EINVAL);
		assert_string_equal(spec, lines[i].spec ? lines[i].spec : "untouched");
	}
}

/* The machine's own. */
static void test_real(void **state)
{
	static const struct {
		const char *path, *name;
	} real[] = { { "/usr/sbin/runc", "runc@" }, { "/usr/bin/crun", "crun@" } };

	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		struct sysset gate[TAMIS_ABI_MAX] = { 0 }, own[TAMIS_ABI_MAX] = { 0 };
		_free_ char *spec = NULL;

		assert_int_equal(gate_of_runtime(dir, real[i].path, LONG_MS, gate, &spec), 0);
		assert_true(strncmp(spec, real[i].name, strlen(real[i].name)) == 0);
		assert_int_equal(data_gate(spec, own), 0);
		assert_true(same(gate, own));
		assert_false(is_all(gate));
	}
}

static void test_installed(void **state)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 }, want[TAMIS_ABI_MAX] = { 0 };
	_free_ char *spec = NULL, *crun = NULL, *runc = NULL;

	assert_int_equal(gate_of_installed(dir, LONG_MS, gate, &spec), 0);
	assert_int_equal(gate_of_runtime(dir, "/usr/bin/crun", LONG_MS, want, &crun), 0);
	assert_int_equal(gate_of_runtime(dir, "/usr/sbin/runc", LONG_MS, want, &runc), 0);
	assert_non_null(strstr(spec, crun));
	assert_non_null(strstr(spec, runc));
	assert_true(same(gate, want));
}

/* What was there stays, what can't be told is all. */
static void test_unknown(void **state)
{
	static const struct {
		const char *name, *script;
	} rows[] = {
		{ "garbage", "echo 'hello world'" },
		{ "silent", "exit 0" },
		{ "failing", "exit 3" },
		{ "newer", "echo 'runc version 99.0.0'" },
		{ "older", "echo 'crun version 0.0.1'" },
		{ "youki", "echo 'youki version 0.3.3'" },
		{ "odd", "echo 'runc version ../../etc'" },
		{ "flood", "exec yes runc version" },
		{ "bytes", "exec head -c 100000000 /dev/zero" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *path = program(rows[i].name, rows[i].script), *spec = NULL;
		struct sysset gate[TAMIS_ABI_MAX] = { 0 };

		assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, &spec), 0);
		assert_string_equal(spec, "all");
		if (!is_all(gate))
			fail_msg("%s", rows[i].name);
	}
}

static void test_missing(void **state)
{
	_free_ char *path = in_dir("nothing"), *spec = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 }, of_dir[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, &spec), 0);
	assert_string_equal(spec, "all");
	assert_true(is_all(gate));
	assert_int_equal(gate_of_runtime(dir, dir, LONG_MS, of_dir, NULL), 0);
	assert_true(is_all(of_dir));
}

/* Adds to what is in it already. */
static void test_merges(void **state)
{
	_free_ char *path = program("merges", "echo 'crun version 1.8.1'");
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };

	sysset_add(&gate[abi_native()], 499);
	assert_int_equal(gate_of_runtime(NULL, path, LONG_MS, gate, NULL), 0);
	assert_true(sysset_has(&gate[abi_native()], 499));
	assert_true(sysset_count(&gate[abi_native()]) > 3);
}

static pid_t pid_in(const char *path)
{
	_free_ char *text = NULL;
	uint64_t pid;

	assert_int_equal(file_read(path, 64, &text, NULL), 0);
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(text_u64(text, 1u << 30, &pid), 0);
	return (pid_t)pid;
}

static bool is_gone(pid_t pid)
{
	for (unsigned i = 0; i < LONG_MS / 10; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

/* It would sleep for an hour; nothing is left of it, nor of its child. */
static void test_hangs(void **state)
{
	_free_ char *script =
		text_format("sleep 3600 & echo $! >%s/child.tmp; mv %s/child.tmp %s/child; wait",
			    dir, dir, dir);
	_free_ char *path = program("hangs", script), *spec = NULL, *child = in_dir("child");
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	struct stat st;
	char cached[RUNTIME_SAID_MAX];

	/* Until it came as far, however slow the machine is. */
	for (unsigned wait = 100; stat(child, &st) < 0 && wait < LONG_MS; wait *= 2) {
		free(TAKE_PTR(spec));
		assert_int_equal(gate_of_runtime(dir, path, wait, gate, &spec), 0);
		assert_string_equal(spec, "all");
	}
	assert_true(is_all(gate));
	assert_true(is_gone(pid_in(child)));
	/* Asked again the next time. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(runtime_cache_find(dir, "runtimes", &st, cached), -ENOENT);
}

/* Who keeps standard output open, and has said it, isn't waited for. */
static void test_lingers(void **state)
{
	_free_ char *path = program("lingers", "echo 'runc version 1.1.5'; exec sleep 3600");
	_free_ char *spec = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, &spec), 0);
	assert_string_equal(spec, "runc@1.1.5");
}

static void test_environment(void **state)
{
	_free_ char *path = program("env", "echo \"crun version 1.8.1$TAMIS_TEST\"");
	_free_ char *spec = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(setenv("TAMIS_TEST", "-from-outside", 1), 0);
	assert_int_equal(gate_of_runtime(NULL, path, LONG_MS, gate, &spec), 0);
	assert_string_equal(spec, "crun@1.8.1");
}

/* Asked once; again when the file is another. */
static void test_cache(void **state)
{
	_free_ char *path = program("counted", "echo x >>$0.count; echo 'runc version 1.1.5'");
	_free_ char *count = in_dir("counted.count"), *cache = in_dir("runtimes");
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	struct stat st;

	for (unsigned i = 0; i < 3; i++) {
		_free_ char *spec = NULL;

		assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, &spec), 0);
		assert_string_equal(spec, "runc@1.1.5");
	}
	assert_int_equal(stat(count, &st), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(stat(cache, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	free(TAKE_PTR(path));
	path = program("counted", "echo xx >>$0.count; echo 'runc version 1.1.4'");
	for (unsigned i = 0; i < 2; i++) {
		_free_ char *spec = NULL;

		assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, &spec), 0);
		assert_string_equal(spec, "runc@1.1.4");
	}
	assert_int_equal(stat(count, &st), 0);
	assert_int_equal(st.st_size, 5);
	/* Somebody else's word isn't taken. */
	assert_int_equal(chmod(cache, 0666), 0);
	assert_int_equal(gate_of_runtime(dir, path, LONG_MS, gate, NULL), 0);
	assert_int_equal(stat(count, &st), 0);
	assert_int_equal(st.st_size, 8);
}

/* Lines that make no sense, and many of them. */
static void test_cache_bounds(void **state)
{
	_free_ char *cache = in_dir("runtimes"), *text = NULL, *path = program("one", "exit 0");
	char spec[RUNTIME_SAID_MAX] = "";
	struct stat st;
	size_t len = 0, line_cnt = 0;

	assert_int_equal(file_write_atomic(cache, "x\n\n1 2\n", 7, 0644), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(runtime_cache_find(dir, "runtimes", &st, spec), -ENOENT);
	for (unsigned i = 0; i < 100; i++) {
		st.st_ino = 1000 + i;
		assert_int_equal(runtime_cache_add(dir, "runtimes", &st, "crun@1.8.1"), 0);
	}
	assert_int_equal(runtime_cache_find(dir, "runtimes", &st, spec), 0);
	assert_string_equal(spec, "crun@1.8.1");
	assert_int_equal(runtime_cache_add(dir, "runtimes", &st, "crun@1.9"), 0);
	assert_int_equal(runtime_cache_find(dir, "runtimes", &st, spec), 0);
	assert_string_equal(spec, "crun@1.9");
	st.st_size++;
	assert_int_equal(runtime_cache_find(dir, "runtimes", &st, spec), -ENOENT);
	assert_int_equal(file_read(cache, 1u << 20, &text, &len), 0);
	for (size_t i = 0; i < len; i++)
		line_cnt += text[i] == '\n';
	assert_in_range(line_cnt, 2, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), IN_DIR(test_real),	 IN_DIR(test_installed),
		IN_DIR(test_unknown),	      IN_DIR(test_missing),	 IN_DIR(test_merges),
		IN_DIR(test_hangs),	      IN_DIR(test_lingers),	 IN_DIR(test_environment),
		IN_DIR(test_cache),	      IN_DIR(test_cache_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
