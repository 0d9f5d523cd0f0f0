/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says of itself while it goes on: to a file, and to a terminal. */
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/mine_job.h"

/* Standard error is another file while it tells. */
static void tell(int fd, const struct mine_progress *p, bool end)
{
	_close_ int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	(void)fflush(stderr);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	if (p)
		mine_progress(NULL, p);
	if (end)
		mine_progress_end();
	(void)fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
}

static void to_a_file(void **state)
{
	static const struct {
		struct mine_progress told;
		const char *line;
	} rows[] = {
		{ { .phase = MINE_OBSERVE, .tests = 3, .name = "a test" },
		  "observing 1/3 a test\n" },
		{ { .phase = MINE_ENFORCE, .test = 2, .tests = 3, .name = "\033[2J\n" },
		  "enforcing 3/3 \\x1b[2J\\x0a\n" },
		{ { .phase = MINE_OBSERVE, .test = 1, .tests = 3, .calls = 9 }, "" },
		{ { .phase = MINE_OBSERVE, .test = 3, .tests = 3, .calls = 71, .took_ms = 12345 },
		  "observing: 3 tests, 71 calls, 12.3 s\n" },
		{ { .phase = MINE_MINIMISE, .test = 4, .tests = 4, .calls = 5, .took_ms = 50 },
		  "minimising: 4 tests, 5 calls, 0.1 s\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		FILE *f = tmpfile();
		char said[200] = "";
		size_t n;

		assert_non_null(f);
		tell(fileno(f), &rows[i].told, true);
		rewind(f);
		n = fread(said, 1, sizeof(said) - 1, f);
		assert_true(n < sizeof(said));
		assert_string_equal(said, rows[i].line);
		assert_int_equal(fclose(f), 0);
	}
}

/* Of what was told, and the end of it, on a terminal so wide. */
static void assert_line(const struct mine_progress *p, unsigned short width, bool end,
			const char *line)
{
	const struct winsize size = { .ws_col = width, .ws_row = 24 };
	_close_ int ours = -1, theirs = -1;
	struct termios raw = { 0 };
	char said[400] = "";
	size_t len = 0;

	cfmakeraw(&raw);
	assert_int_equal(openpty(&ours, &theirs, NULL, &raw, &size), 0);
	tell(theirs, p, end);
	assert_int_equal(write(theirs, "!", 1), 1);
	while (!strchr(said, '!')) {
		ssize_t n = read(ours, said + len, sizeof(said) - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	said[len - 1] = '\0';
	assert_string_equal(said, line);
}

static void to_a_terminal(void **state)
{
	struct mine_progress p = {
		.phase = MINE_OBSERVE, .test = 1, .tests = 4, .calls = 60, .name = "second"
	};

	assert_line(&p, 120, false,
		    "\robserving  [#####...............] 1/4  60 calls  second\033[K");
	p.grown = 7;
	assert_line(&p, 30, false, "\robserving  [#####............\033[K");
	assert_line(NULL, 120, true, "\r\033[K");
	assert_line(NULL, 120, true, ""); /* there is none any more */
	/* one that has no size */
	assert_line(&p, 0, true,
		    "\robserving  [#####...............] 1/4  60 calls +7  second\033[K\r\033[K");
}

/* It is told between tests, and stays in the line until the next time. */
static void the_estimate_stays(void **state)
{
	struct mine_progress between = { .phase = MINE_OBSERVE,
					 .test = 2,
					 .tests = 4,
					 .unseen = { .is_known = true,
						     .coverage = 0.99999,
						     .coverage_low = 0.9,
						     .coverage_high = 1 } };
	const struct mine_progress next = {
		.phase = MINE_OBSERVE, .test = 2, .tests = 4, .name = "third"
	};

	assert_line(&between, 120, true,
		    "\robserving  [##########..........] 2/4  0 calls, coverage 99.9 % (90.0-100.0)"
		    "\033[K\r\033[K");
	assert_line(&next, 120, true,
		    "\robserving  [##########..........] 2/4  0 calls, coverage 99.9 % (90.0-100.0)"
		    "  third\033[K\r\033[K");
	between.unseen.is_known = false;
	assert_line(&between, 120, true,
		    "\robserving  [##########..........] 2/4  0 calls\033[K\r\033[K");
	between = (struct mine_progress){ .phase = MINE_END };
	assert_line(&between, 120, true,
		    "\rending     [....................] 0/0  0 calls\033[K\r\033[K");
}

static void percents_are_never_rounded_up(void **state)
{
	static const struct {
		double part, is;
	} rows[] = { { 0, 0 }, { 0.5, 50 }, { 0.99999, 99.9 }, { 0.1239, 12.3 }, { 1, 100 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_true(mine_percent(rows[i].part) == rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_a_file),
		cmocka_unit_test(to_a_terminal),
		cmocka_unit_test(the_estimate_stays),
		cmocka_unit_test(percents_are_never_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
