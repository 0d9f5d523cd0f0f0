/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/started.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define KEY "podman/web"
#define ID  "0123abcd"

static char dir[32];

static int setup(void **state)
{
	strcpy(dir, "/tmp/started-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static char *file(void)
{
	char *path = text_format("%s/started", dir);

	assert_non_null(path);
	return path;
}

static char *text(void)
{
	_free_ char *path = file();
	char *text = NULL;

	assert_int_equal(file_read(path, 4u << 20, &text, NULL), 0);
	return text;
}

static void put(const char *text)
{
	_free_ char *path = file();

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600), 0);
}

static void assert_found(const char *key, const char *id, uint32_t generation,
			 enum policy_mode mode)
{
	struct started s = { 0 };

	assert_int_equal(started_find(dir, key, id, &s), 0);
	assert_int_equal(s.generation, generation);
	assert_int_equal(s.mode, mode);
	assert_in_range(s.began_ms, 0, 3600 * 1000);
}

static void assert_none(const char *key, const char *id)
{
	struct started s = { .generation = 77 };

	assert_int_equal(started_find(dir, key, id, &s), -ENOENT);
	assert_int_equal(s.generation, 77);
}

static void finds_the_last(void **state)
{
	_free_ char *path = file();
	struct stat st;

	assert_none(KEY, ID);
	assert_int_equal(started_add(dir, KEY, ID, 1, MODE_ENFORCE), 0);
	assert_int_equal(started_add(dir, KEY, "other", 9, MODE_ENFORCE), 0);
	assert_found(KEY, ID, 1, MODE_ENFORCE);
	assert_int_equal(started_add(dir, KEY, ID, 2, MODE_PROBATION), 0);
	assert_found(KEY, ID, 2, MODE_PROBATION);
	assert_found(KEY, "other", 9, MODE_ENFORCE);
	assert_none("podman/we", ID);
	assert_none(KEY, "0123abc");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* A container that starts again, and is left alone this time. */
static void leaves(void **state)
{
	_free_ char *before = NULL, *after = NULL, *path = file();

	assert_int_equal(started_leave(dir, KEY, ID), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(started_add(dir, KEY, ID, 3, MODE_ENFORCE), 0);
	assert_int_equal(started_leave(dir, KEY, "other"), 0);
	assert_found(KEY, ID, 3, MODE_ENFORCE);
	assert_int_equal(started_leave(dir, KEY, ID), 0);
	assert_none(KEY, ID);
	before = text();
	assert_int_equal(started_leave(dir, KEY, ID), 0);
	after = text();
	assert_string_equal(before, after);
	assert_int_equal(started_add(dir, KEY, ID, 4, MODE_PROBATION), 0);
	assert_found(KEY, ID, 4, MODE_PROBATION);
}

/* Fields that would end a line, or be another's. */
static void escapes(void **state)
{
	static const char *const ids[] = { "a b", "a\nstarted x", "%41", "\xff", " . " };
	_free_ char *all = NULL;
	size_t lines = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(started_add(dir, KEY " x", ids[i], (uint32_t)i + 1, MODE_ENFORCE),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_found(KEY " x", ids[i], (uint32_t)i + 1, MODE_ENFORCE);
	assert_none(KEY, "a");
	assert_none(KEY " x", "A");
	all = text();
	for (const char *c = all; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 2 * ARRAY_SIZE(ids));
	/* an unknown id is nobody's */
	assert_int_equal(started_add(dir, KEY, "", 5, MODE_ENFORCE), 0);
	assert_none(KEY, "");
}

static const struct {
	const char *text;
	bool found;
} texts[] = {
	{ "started podman/web 0123abcd 7 enforce 1@x .\n", true },
	{ "started podman/web 0123abcd 7 enforce 1@x .", true },
	{ "\n\n\nstarted podman/web 0123abcd 7 probation 1@x .\nstarted podman/we", true },
	{ "started podman/web 0123abcd 7 enforce 1@x\n", false },
	{ "started podman/web 0123abcd 7 enforce 1@x . .\n", false },
	{ "started podman/web 0123abcd 7 enforce .\n", false },
	{ "start podman/web 0123abcd 7 enforce 1@x .\n", false },
	{ "started podman/web 0123abcd 4294967296 enforce 1@x .\n", false },
	{ "started podman/web 0123abcd -1 enforce 1@x .\n", false },
	{ "started podman/web 0123abcd 7 enforced 1@x .\n", false },
	{ "xstarted podman/web 0123abcd 7 enforce 1@x .\n", false },
	{ "", false },
};

static void reads(void **state)
{
	static const char *const times[] = {
		"1@x", "x@x", "@", "-", "1", "99999999999999999999@x"
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct started s;

		put(texts[i].text);
		assert_int_equal(started_find(dir, KEY, ID, &s), texts[i].found ? 0 : -ENOENT);
		if (texts[i].found)
			assert_int_equal(s.generation, 7);
	}
	/* of another boot, or of none */
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		_free_ char *line =
			text_format("started " KEY " " ID " 7 enforce %s .\n", times[i]);
		struct started s = { 0 };

		assert_non_null(line);
		put(line);
		assert_int_equal(started_find(dir, KEY, ID, &s), 0);
		assert_int_equal(s.began_ms, -1);
	}
}

/* What is torn takes no later line with it. */
static void torn(void **state)
{
	put("started podman/web 0123abcd 7 enfo");
	assert_int_equal(started_add(dir, KEY, ID, 8, MODE_ENFORCE), 0);
	assert_found(KEY, ID, 8, MODE_ENFORCE);
}

static size_t size(void)
{
	_free_ char *path = file();
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void bounded(void **state)
{
	_free_ char *path = file();

	assert_int_equal(started_add(dir, KEY, "first", 1, MODE_ENFORCE), 0);
	while (size() <= STARTED_MAX)
		assert_int_equal(started_add(dir, KEY, "between", 2, MODE_ENFORCE), 0);
	assert_found(KEY, "first", 1, MODE_ENFORCE);
	assert_int_equal(started_add(dir, KEY, "last", 3, MODE_ENFORCE), 0);
	assert_in_range(size(), STARTED_MAX / 4, STARTED_MAX / 2 + 256);
	assert_none(KEY, "first");
	assert_found(KEY, "between", 2, MODE_ENFORCE);
	assert_found(KEY, "last", 3, MODE_ENFORCE);
	/* far too large for any reason */
	assert_int_equal(truncate(path, 3 * STARTED_MAX), 0);
	assert_int_equal(started_add(dir, KEY, ID, 4, MODE_ENFORCE), 0);
	assert_found(KEY, ID, 4, MODE_ENFORCE);
}

static void at_once(void **state)
{
	enum { WHO = 8, LINES = 50 };

	for (uint32_t who = 0; who < WHO; who++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		for (uint32_t i = 1; i <= LINES; i++) {
			char id[16];

			snprintf(id, sizeof(id), "id-%u", who);
			if (started_add(dir, KEY, id, i, MODE_ENFORCE) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (uint32_t who = 0; who < WHO; who++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (uint32_t who = 0; who < WHO; who++) {
		char id[16];

		snprintf(id, sizeof(id), "id-%u", who);
		assert_found(KEY, id, LINES, MODE_ENFORCE);
	}
}

/* Nobody else has a say in it. */
static void mistrusts(void **state)
{
	_free_ char *path = file();
	struct started s;

	assert_int_equal(started_add(dir, KEY, ID, 1, MODE_ENFORCE), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(started_find(dir, KEY, ID, &s), -EPERM);
	assert_int_equal(started_add(dir, KEY, ID, 1, MODE_ENFORCE), -EPERM);
	assert_int_equal(started_leave(dir, KEY, ID), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(started_find(dir, KEY, ID, &s), -EPERM);
	assert_int_equal(started_add(dir, KEY, ID, 1, MODE_ENFORCE), -EPERM);
	assert_int_equal(started_find("/nowhere", KEY, ID, &s), -ENOENT);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_DIR(finds_the_last), IN_DIR(leaves),	 IN_DIR(escapes), IN_DIR(reads),
		IN_DIR(torn),		IN_DIR(bounded), IN_DIR(at_once), IN_DIR(mistrusts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
