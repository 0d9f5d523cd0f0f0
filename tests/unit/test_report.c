/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of tamis-start: where they go, how they look, what they never do. */
#include "start/report.h"

#include <errno.h>
#include <fcntl.h>
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

static char dir[64], path[80];
static int old_stderr = -1;
static FILE *captured;

static int set_up(void **state)
{
	strcpy(dir, "/tmp/tamis-report-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/start.log", dir);
	report_to(dir, "tamis-start");
	captured = tmpfile();
	old_stderr = dup(STDERR_FILENO);
	return captured && dup2(fileno(captured), STDERR_FILENO) >= 0 ? 0 : -1;
}

static void release_stderr(void)
{
	if (old_stderr < 0)
		return;
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	old_stderr = -1;
}

static int tear_down(void **state)
{
	release_stderr();
	fclose(captured);
	(void)unlink(path);
	return rmdir(dir);
}

/* What is in the file; "" without one. Caller frees. */
static char *logged(void)
{
	char *text = NULL;

	if (file_read(path, 4 * REPORT_MAX, &text, NULL) < 0)
		text = strdup("");
	assert_non_null(text);
	return text;
}

static size_t line_cnt(const char *text)
{
	size_t cnt = 0;

	for (; (text = strchr(text, '\n')); text++)
		cnt++;
	return cnt;
}

static void assert_ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	if (len < n || strcmp(text + len - n, end) != 0)
		fail_msg("\"%s\" doesn't end in \"%s\"", text, end);
}

static void a_line_has_time_name_key(void **state)
{
	_free_ char *text = NULL;
	struct stat st;

	report_fault("podman/web", "worker %s", "died");
	text = logged();
	assert_int_equal(line_cnt(text), 1);
	assert_ends(text, "Z tamis-start: podman/web: worker died\n");
	assert_int_equal(strspn(text, "0123456789-T:"), strlen("2026-01-01T00:00:00"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void one_fault_a_start(void **state)
{
	_free_ char *text = NULL;

	report_fault(NULL, "first");
	report_fault("k", "second");
	report_done("k", "done");
	report_done("k", "done again");
	text = logged();
	assert_int_equal(line_cnt(text), 3);
	assert_null(strstr(text, "second"));
	assert_non_null(strstr(text, "tamis-start: first\n"));
}

static void hostile_text_is_one_line(void **state)
{
	_free_ char *text = NULL, *longest = malloc(100000);

	assert_non_null(longest);
	memset(longest, 'x', 99999);
	longest[99999] = '\0';
	report_fault("a\nb\x1b[2J", "c\\x0a\r\xff\xe2\x80\xae");
	report_done(longest, "%s", longest);
	text = logged();
	assert_int_equal(line_cnt(text), 2);
	assert_non_null(strstr(text, "a\\x0ab\\x1b[2J: c\\x0a\\x0d\\xff\\xe2\\x80\\xae\n"));
	assert_true(strlen(text) < 8192);
}

/* The newest lines stay, whole. */
static void the_file_is_bounded(void **state)
{
	_free_ char *text = NULL, *long_line = malloc(1001);
	struct stat st;

	assert_non_null(long_line);
	memset(long_line, 'x', 1000);
	long_line[1000] = '\0';
	for (int i = 0; i < 3000; i++)
		report_done("k", "%d %s", i, long_line);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= (off_t)REPORT_MAX + 2048);
	assert_true(st.st_size >= (off_t)REPORT_MAX / 2);
	text = logged();
	assert_int_equal(strncmp(text, "20", 2), 0);
	assert_non_null(strstr(text, "k: 2999 x"));
	assert_null(strstr(text, "k: 0 x"));
}

static void say_and_capture(char *ret, size_t size)
{
	report_fault("k", "told");
	release_stderr();
	rewind(captured);
	ret[fread(ret, 1, size - 1, captured)] = '\0';
}

/* Whoever could change what is there chose where the line would go. */
static void an_unsafe_place_is_not_written_to(void **state)
{
	char text[256];
	_free_ char *log = NULL;

	assert_int_equal(chmod(dir, 0777), 0);
	say_and_capture(text, sizeof(text));
	log = logged();
	assert_string_equal(log, "");
	if (access("/dev/log", F_OK) < 0)
		assert_string_equal(text, "tamis-start: k: told\n");
}

static void a_link_is_not_followed(void **state)
{
	char target[100], text[256];

	snprintf(target, sizeof(target), "%s/elsewhere", dir);
	assert_int_equal(symlink(target, path), 0);
	say_and_capture(text, sizeof(text));
	assert_int_equal(access(target, F_OK), -1);
	if (access("/dev/log", F_OK) < 0)
		assert_string_equal(text, "tamis-start: k: told\n");
}

static void a_second_name_is_not_written_to(void **state)
{
	char other[100], text[256];
	_free_ char *log = NULL;

	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(file_write_atomic(other, "mine", 4, 0600), 0);
	assert_int_equal(link(other, path), 0);
	say_and_capture(text, sizeof(text));
	log = logged();
	assert_string_equal(log, "mine");
	assert_int_equal(unlink(other), 0);
}

static void a_reader_that_is_none_keeps_nobody(void **state)
{
	char text[256];

	assert_int_equal(mkfifo(path, 0600), 0);
	say_and_capture(text, sizeof(text));
	if (access("/dev/log", F_OK) < 0)
		assert_string_equal(text, "tamis-start: k: told\n");
}

static void no_state_is_no_file(void **state)
{
	char text[256];

	report_to(NULL, "tamis-prestart");
	say_and_capture(text, sizeof(text));
	assert_int_equal(access(path, F_OK), -1);
	if (access("/dev/log", F_OK) < 0)
		assert_string_equal(text, "tamis-prestart: k: told\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_time_name_key),
		TEST(one_fault_a_start),
		TEST(hostile_text_is_one_line),
		TEST(the_file_is_bounded),
		TEST(an_unsafe_place_is_not_written_to),
		TEST(a_link_is_not_followed),
		TEST(a_second_name_is_not_written_to),
		TEST(a_reader_that_is_none_keeps_nobody),
		TEST(no_state_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
