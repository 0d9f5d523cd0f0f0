/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"

static int saved_stderr = -1;
static FILE *captured;

static int capture(void **state)
{
	captured = tmpfile();
	saved_stderr = dup(STDERR_FILENO);
	log_set_level(LOG_LEVEL_INFO);
	log_set_name("tamis");
	unsetenv("JOURNAL_STREAM");
	return captured && saved_stderr >= 0 && dup2(fileno(captured), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int release(void **state)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	fclose(captured);
	return 0;
}

/* What was logged since the start of the test. */
static const char *logged(void)
{
	static char text[32768];
	ssize_t n = pread(fileno(captured), text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void one_line_with_the_name(void **state)
{
	log_info("%d calls", 7);
	log_set_name("keeper");
	log_warn("second");
	assert_string_equal(logged(), "tamis: 7 calls\nkeeper: second\n");
}

static void names_cannot_forge_a_line(void **state)
{
	log_err("no workload \"%s\"", "x\ntamis: all is well\033[2J\xff\\x");
	assert_string_equal(logged(),
			    "tamis: no workload \"x\\x0atamis: all is well\\x1b[2J\\xff\\x\"\n");
}

static void levels_above_are_dropped(void **state)
{
	log_debug("not this");
	log_set_level(LOG_LEVEL_ERR);
	log_warn("nor this");
	log_err("this");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("and this");
	assert_string_equal(logged(), "tamis: this\ntamis: and this\n");
}

static void errno_is_kept_and_returned(void **state)
{
	errno = EXDEV;
	assert_int_equal(log_err_errno(-ENOSPC, "store %s", "x"), -ENOSPC);
	log_info("y");
	assert_int_equal(errno, EXDEV);
	log_set_level(LOG_LEVEL_ERR);
	assert_int_equal(log_warn_errno(-EIO, "dropped"), -EIO);
	assert_string_equal(logged(), "tamis: store x: No space left on device\ntamis: y\n");
}

static void long_lines_are_cut(void **state)
{
	_free_ char *name = malloc(100001);

	assert_non_null(name);
	memset(name, 'a', 100000);
	name[100000] = '\0';
	log_info("%s", name);
	assert_true(strlen(logged()) < 8300);
	assert_non_null(strstr(logged(), "a...\n"));
}

static void set_journal(unsigned long long off)
{
	struct stat st;
	char text[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + off);
	setenv("JOURNAL_STREAM", text, 1);
}

static void journal_lines_have_priorities(void **state)
{
	set_journal(0);
	log_err("a");
	log_warn("b");
	log_info("c");
	set_journal(1); /* someone else's stream */
	log_info("d");
	assert_string_equal(logged(), "<3>a\n<4>b\n<6>c\ntamis: d\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, capture, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_line_with_the_name),	TEST(names_cannot_forge_a_line),
		TEST(levels_above_are_dropped), TEST(errno_is_kept_and_returned),
		TEST(long_lines_are_cut),	TEST(journal_lines_have_priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
