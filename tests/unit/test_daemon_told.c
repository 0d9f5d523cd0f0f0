/* SPDX-License-Identifier: Apache-2.0 */
/* Losses in the daemon's log: once a minute, and none of them left out. */
#include "cli/daemon_told.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1700000000

/* The lines that were written meanwhile. */
static unsigned lines_of(struct daemon_told *t, const struct observer_stats *stats, uint64_t missed,
			 time_t now)
{
	char text[4096] = "";
	unsigned lines = 0;
	int old = dup(STDERR_FILENO), pair[2];
	ssize_t n;

	assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(dup2(pair[1], STDERR_FILENO) >= 0);
	daemon_told_tell(t, stats, missed, now);
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	n = read(pair[0], text, sizeof(text) - 1);
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	(void)close(old);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return lines;
}

static void once_a_minute(void **state)
{
	struct daemon_told t = { 0 };
	struct observer_stats stats = { 0 };

	assert_int_equal(lines_of(&t, &stats, 0, NOW), 0);
	stats.lost.full = 3;
	assert_int_equal(lines_of(&t, &stats, 0, NOW), 1);
	stats.lost.full = 9;
	stats.lost.ring = stats.unattributed = 1;
	assert_int_equal(lines_of(&t, &stats, 7, NOW + 59), 0);
	assert_int_equal(t.lost.full, 3);
	assert_int_equal(lines_of(&t, &stats, 7, NOW + 60), 4);
	assert_int_equal(lines_of(&t, &stats, 7, NOW + 300), 0);
}

/* Nothing new begins no minute; the daemon's end, and a clock that was set back, don't wait for one. */
static void no_loss_goes_untold(void **state)
{
	struct daemon_told t = { 0 };
	struct observer_stats stats = { 0 };

	stats.lost.task = 1;
	assert_int_equal(lines_of(&t, &stats, 0, NOW), 1);
	stats.lost.task = 2;
	assert_int_equal(lines_of(&t, &stats, 0, NOW - 5), 1);
	stats.lost.task = 3;
	assert_int_equal(lines_of(&t, &stats, 0, NOW), 0);
	assert_int_equal(lines_of(&t, &stats, 0, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_a_minute),
		cmocka_unit_test(no_loss_goes_untold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
