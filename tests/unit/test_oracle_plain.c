/* SPDX-License-Identifier: Apache-2.0 */
/* What certainly has no sanitizer: executables below a hostile root, and whose calls those are. */
#include "learn/oracle_plain.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/text.h"
#include "model/policy.h"
#include "store_fixture.h"

#define CHUNK (1u << 20)

static void put(const char *name, const char *mark, size_t at, size_t len)
{
	_free_ char *path = text_format("%s/%s", state_dir, name), *text = calloc(1, len);

	assert_non_null(text);
	if (mark)
		memcpy(text + at, mark, strlen(mark));
	assert_int_equal(file_write_atomic(path, text, len, 0755), 0);
}

static void executables(void **state)
{
	static const struct {
		const char *name, *mark;
		size_t at, len;
	} files[] = {
		{ "none", NULL, 0, 3 * CHUNK },
		{ "empty", NULL, 0, 0 },
		{ "options", "ASAN_OPTIONS", 10, 100 },
		{ "linked", "libubsan.so.1", 0, 13 },
		{ "clang", "libclang_rt.asan-x86_64.so", 0, 100 },
		/* between two that are read at once */
		{ "border", "TSAN_OPTIONS", CHUNK - 5, 2 * CHUNK },
		{ "last", "MSAN_OPTIONS", 2 * CHUNK - 12, 2 * CHUNK },
	};
	int root = open(state_dir, O_PATH | O_DIRECTORY);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_free_ char *path = text_format("/%s", files[i].name);

		put(files[i].name, files[i].mark, files[i].at, files[i].len);
		if (oracle_plain_exe(root, path) != !files[i].mark)
			fail_msg("%s", path);
	}
	close(root);
}

/* Nothing outside, nothing that blocks. */
static void what_is_no_executable(void **state)
{
	int root = open(state_dir, O_PATH | O_DIRECTORY);

	put("in", NULL, 0, 10);
	assert_int_equal(symlinkat("../../../../in", root, "up"), 0);
	assert_int_equal(symlinkat("/proc/self/exe", root, "out"), 0);
	assert_int_equal(mkfifoat(root, "fifo", 0600), 0);
	assert_int_equal(mkdirat(root, "dir", 0700), 0);
	assert_int_equal(oracle_plain_exe(root, "/up"), 1);
	assert_int_equal(oracle_plain_exe(root, "/out"), -ENOENT);
	assert_true(oracle_plain_exe(root, "/fifo") < 0);
	assert_true(oracle_plain_exe(root, "/dir") < 0);
	assert_int_equal(oracle_plain_exe(root, "/none"), -ENOENT);
	close(root);
}

static void made(int64_t instance, enum tamis_stage stage, uint32_t nr, const char *exe)
{
	const struct policy_origin o = {
		.stage = stage, .nr = nr, .first = NOW, .pid = 1, .comm = "x", .exe = exe
	};

	assert_stored(store_origin(st, instance, &o));
}

static void whose_calls(void **state)
{
	_free_ char *path = text_format("%s/plain", state_dir);
	static const char text[] = "/bin/sh\n/usr/bin/web\n";
	struct sysset calls[TAMIS_ABI_MAX];
	int64_t id;

	IN_TRANSACTION
	{
		int64_t i;

		id = add_workload("podman/twin", "twin");
		i = add_instance("twin", id, NOW);
		add_calls(i, add_unit(NOW), TAMIS_WORKLOAD, SET(1, 2, 3, 4, 5), NOW);
		add_calls(i, add_unit(NOW), TAMIS_SESSION, SET(1, 3), NOW);
		made(i, TAMIS_WORKLOAD, 1, "/bin/sh");
		made(i, TAMIS_SESSION, 1, "/usr/bin/web");
		made(i, TAMIS_WORKLOAD, 2, "/usr/bin/web-asan");
		made(i, TAMIS_WORKLOAD, 3, "/bin/sh");
		made(i, TAMIS_SESSION, 3, "/usr/bin/web-asan");
		made(i, TAMIS_WORKLOAD, 4, "/bin/s");
		made(i, TAMIS_WORKLOAD, 5, "");
	}
	assert_int_equal(oracle_plain_calls(st, id, path, calls), 0);
	assert_set(calls[TAMIS_ABI_X86_64], SET(-1));
	assert_int_equal(file_write_atomic(path, text, sizeof(text) - 1, 0600), 0);
	assert_int_equal(oracle_plain_calls(st, id, path, calls), 0);
	assert_set(calls[TAMIS_ABI_X86_64], SET(1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(executables),
		TEST(what_is_no_executable),
		TEST(whose_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
