/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int enter(void **state)
{
	char dir[] = "/tmp/tamis-file-XXXXXX";

	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	_free_ char *dir = getcwd(NULL, 0);

	return dir && chdir("/") == 0 ? nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static unsigned files_here(void)
{
	unsigned n = 0;
	DIR *d = opendir(".");

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void assert_holds(const char *path, const char *text)
{
	_free_ char *got = NULL;
	size_t len;

	assert_int_equal(file_read(path, 1 << 20, &got, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(got, text);
}

static void reads_what_was_written(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_free_ char *data = malloc(sizes[i] + 1);
		_free_ char *got = NULL;
		size_t len = 77;

		assert_non_null(data);
		memset(data, 'x', sizes[i]);
		assert_int_equal(file_write_atomic("f", data, sizes[i], 0644), 0);
		assert_int_equal(file_read("f", sizes[i], &got, &len), 0);
		assert_int_equal(len, sizes[i]);
		assert_int_equal(strlen(got), sizes[i]);
		assert_memory_equal(got, data, sizes[i]);
		if (sizes[i] > 0) {
			char *untouched = (char *)1;

			assert_int_equal(file_read("f", sizes[i] - 1, &untouched, &len), -EFBIG);
			assert_ptr_equal(untouched, (char *)1);
		}
	}
}

static void reads_files_without_a_size(void **state)
{
	_free_ char *status = NULL;
	_free_ char *zero = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 1 << 20, &status, NULL), 0);
	assert_non_null(strstr(status, "VmPeak"));
	assert_int_equal(file_read("/dev/zero", 100000, &zero, NULL), -EFBIG);
}

static void refuses_what_would_hang(void **state)
{
	char *out = NULL;
	_close_ int dir = open(".", O_RDONLY | O_DIRECTORY);

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(file_read_at(dir, "fifo", 100, &out, NULL), -EINVAL);
	assert_int_equal(file_read_at(dir, "dir", 100, &out, NULL), -EISDIR);
	assert_int_equal(file_read_at(dir, "none", 100, &out, NULL), -ENOENT);
	assert_int_equal(file_read("dir", 100, &out, NULL), -EISDIR);
	assert_null(out);
}

static void replaces_with_the_mode(void **state)
{
	struct stat st;

	assert_int_equal(file_write_atomic("f", "old", 3, 0600), 0);
	assert_int_equal(file_write_atomic("f", "new", 3, 0666), 0);
	assert_holds("f", "new");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(files_here(), 1);
}

static void takes_the_longest_name(void **state)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(file_write_atomic(name, "x", 1, 0600), 0);
	assert_holds(name, "x");
}

static void follows_links_and_devices(void **state)
{
	struct stat st;

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_write_atomic("d/f", "old", 3, 0600), 0);
	assert_int_equal(symlink("d/f", "link"), 0);
	assert_int_equal(file_write_atomic("link", "new", 3, 0600), 0);
	assert_holds("d/f", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_write_atomic("/dev/null", "x", 1, 0600), 0);
	assert_int_equal(lstat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(file_write_atomic("/dev/full", "x", 1, 0600), -ENOSPC);
}

static const struct {
	const char *path;
	int r;
} bad_paths[] = {
	{ "", -ENOENT },  { "none/f", -ENOENT }, { "f/g", -ENOTDIR },
	{ "d", -EISDIR }, { "d/", -EISDIR },	 { "none/", -EISDIR },
};

static void bad_paths_leave_nothing(void **state)
{
	assert_int_equal(file_write_atomic("f", "old", 3, 0600), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_paths); i++)
		assert_int_equal(file_write_atomic(bad_paths[i].path, "x", 1, 0600),
				 bad_paths[i].r);
	assert_holds("f", "old");
	assert_int_equal(files_here(), 2);
}

/* In a child, as limits can't be raised again: 0 when the write failed as it should. */
static int write_beyond_the_limit(void)
{
	const struct rlimit limit = { 1000, 1000 };
	char big[5000] = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	return file_write_atomic("f", big, sizeof(big), 0600) == -EFBIG ? 0 : 2;
}

static void a_failed_write_keeps_the_old_file(void **state)
{
	int status;
	pid_t pid;

	assert_int_equal(file_write_atomic("f", "old", 3, 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_beyond_the_limit());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_holds("f", "old");
	assert_int_equal(files_here(), 1);
}

static void makes_directories(void **state)
{
	static const struct {
		const char *path;
		int r;
	} rows[] = {
		{ "a/b/c", 0 },	    { "a/b/c", 0 },
		{ "a//b/./d/", 0 }, { "/", 0 },
		{ "", -ENOENT },    { "f/x", -ENOTDIR },
		{ "f", -ENOTDIR },  { "/proc/none/x", -ENOENT },
	};
	struct stat st;

	assert_int_equal(file_write_atomic("f", "x", 1, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(file_mkdirs(rows[i].path, 0700), rows[i].r);
	assert_int_equal(stat("a/b/d", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_what_was_written),  TEST(reads_files_without_a_size),
		TEST(refuses_what_would_hang), TEST(replaces_with_the_mode),
		TEST(takes_the_longest_name),  TEST(follows_links_and_devices),
		TEST(bad_paths_leave_nothing), TEST(a_failed_write_keeps_the_old_file),
		TEST(makes_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
