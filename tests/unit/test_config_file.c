/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's config.json: replaced at once, with the same owner and mode, through no link. */
#include "start/config_file.h"

#include <dirent.h>
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
#include "base/text.h"

#define _config_file_ __attribute__((cleanup(config_file_done)))

static char dir[64], path[96];

static int set_up(void **state)
{
	strcpy(dir, "/tmp/tamis-bundle-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/config.json", dir);
	return file_write_atomic(path, "old", 3, 0640);
}

static int tear_down(void **state)
{
	_free_ char *command = text_format("rm -rf %s", dir);

	if (chdir("/") < 0)
		return -1;
	return command ? system(command) : -1;
}

static void assert_text(const char *file, const char *want)
{
	_free_ char *text = NULL;

	assert_int_equal(file_read(file, 4096, &text, NULL), 0);
	assert_string_equal(text, want);
}

static int entry_cnt(void)
{
	DIR *d = opendir(dir);
	int cnt = 0;

	assert_non_null(d);
	while (readdir(d))
		cnt++;
	closedir(d);
	return cnt - 2;
}

static void it_is_replaced_as_it_was(void **state)
{
	_config_file_ struct config_file f = { .dir = -1 };
	struct stat st;
	uid_t uid = geteuid() == 0 ? 1234 : geteuid();

	assert_int_equal(chown(path, uid, (gid_t)-1), 0);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), 0);
	assert_int_equal(f.len, 3);
	assert_string_equal(f.path, dir);
	assert_int_equal(config_file_replace(&f, "newer", 5), 0);
	assert_text(path, "newer");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(entry_cnt(), 1);
}

static void what_cannot_be_read_is_told(void **state)
{
	_config_file_ struct config_file f = { .dir = -1 };
	char elsewhere[96];

	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(config_file_open(dir, NULL, 2, &f), -EFBIG);
	assert_int_equal(config_file_open(dir, "none.json", 100, &f), -ENOENT);
	assert_int_equal(config_file_open(elsewhere, NULL, 100, &f), -ENOENT);
	assert_int_equal(config_file_open(path, NULL, 100, &f), -ENOTDIR);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), -EINVAL);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), -EINVAL);
	assert_int_equal(f.dir, -1);
}

/* crun's --config is from where it is started, a link in it leads to a file; but "config.json" is the
 * bundle's. */
static void another_name_is_another_file(void **state)
{
	static const char *const names[] = { "other.json", "../sub/./other.json", "link.json" };
	char sub[96], other[128];

	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(other, sizeof(other), "%s/other.json", sub);
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_int_equal(chdir(sub), 0);
	assert_int_equal(symlink("other.json", "link.json"), 0);
	for (size_t i = 0; i <= ARRAY_SIZE(names); i++) {
		const char *name = i < ARRAY_SIZE(names) ? names[i] : other;
		_config_file_ struct config_file f = { .dir = -1 };

		assert_int_equal(file_write_atomic(other, "old", 3, 0600), 0);
		assert_int_equal(config_file_open(dir, name, 100, &f), 0);
		assert_string_equal(f.path, dir);
		assert_int_equal(config_file_replace(&f, "new", 3), 0);
		assert_text(other, "new");
		assert_text(path, "old");
	}
}

static void its_own_name_is_the_bundles(void **state)
{
	_config_file_ struct config_file f = { .dir = -1 };

	assert_int_equal(chdir("/"), 0);
	assert_int_equal(config_file_open(dir, "config.json", 100, &f), 0);
	assert_int_equal(config_file_replace(&f, "new", 3), 0);
	assert_text(path, "new");
}

/* Whoever may write to the bundle puts a link there in the meantime. */
static void a_link_is_replaced_not_followed(void **state)
{
	_config_file_ struct config_file f = { .dir = -1 };
	char target[96];
	struct stat st;

	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(file_write_atomic(target, "mine", 4, 0600), 0);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(config_file_replace(&f, "new", 3), 0);
	assert_text(target, "mine");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

/* The directory was moved: what is written goes where it was read. */
static void a_directory_is_held(void **state)
{
	_config_file_ struct config_file f = { .dir = -1 };
	char moved[96], file[128];

	snprintf(moved, sizeof(moved), "%s.moved", dir);
	snprintf(file, sizeof(file), "%s/config.json", moved);
	assert_int_equal(config_file_open(dir, NULL, 100, &f), 0);
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(symlink("/nowhere", dir), 0);
	assert_int_equal(config_file_replace(&f, "new", 3), 0);
	assert_text(file, "new");
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(rename(moved, dir), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_replaced_as_it_was),	       TEST(what_cannot_be_read_is_told),
		TEST(another_name_is_another_file),    TEST(its_own_name_is_the_bundles),
		TEST(a_link_is_replaced_not_followed), TEST(a_directory_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
