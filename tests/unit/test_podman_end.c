/* SPDX-License-Identifier: Apache-2.0 */
/* podman's events, as 4.3.1 and 5.x write them, and what isn't one. */
#include "start/podman_end.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define ID    "d11ace51949be0cfe79abb37556c009a65f24003cc10be3a0e7c03889fbb9873"
#define OTHER "bec9ec5338e16c39dc9b44cfd697649b4ec8ad6ab67fda8c46dbed65276a7ccb"
#define NOON  INT64_C(1795348800) /* 2026-11-22T12:00:00Z */

static const struct {
	const char *text;
	int want;
	int64_t time;
} times[] = {
	{ "2026-11-22T12:00:00Z", 0, NOON },
	{ "2026-11-22T12:00:00.884199414Z", 0, NOON },
	{ "2026-11-22T13:30:00.5+01:30", 0, NOON },
	{ "2026-11-22T04:00:00-08:00", 0, NOON },
	{ "2026-11-22T12:00:00", -EINVAL, 0 },
	{ "2026-11-22T12:00:00Zulu", -EINVAL, 0 },
	{ "2026-11-22T12:00:00+1", -EINVAL, 0 },
	{ "2026-11-22", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
};

static void times_are_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t t = 0;

		assert_int_equal(podman_end_time(times[i].text, &t), times[i].want);
		assert_true(t == times[i].time);
	}
}

#define EVENT(code, id, status, time)                                                   \
	"{" code "\"ID\":\"" id "\",\"Image\":\"localhost/x:latest\",\"Name\":\"web\"," \
	"\"Status\":\"" status "\",\"Time\":\"2026-11-22T" time "Z\",\"Type\":\"container\"}\n"
#define CODE(n) "\"ContainerExitCode\":" n ","

static const struct {
	const char *text;
	int want; /* exit code, or -ENOENT */
} logs[] = {
	{ EVENT(CODE("7"), ID, "died", "12:00:05.1"), 7 },
	{ EVENT("", ID, "died", "12:00:05"), 0 },
	{ EVENT(CODE("7"), ID, "died", "12:00:05") EVENT(CODE("9"), OTHER, "died", "12:00:06"), 7 },
	{ EVENT(CODE("7"), ID, "died", "12:00:05") EVENT(CODE("9"), ID, "died", "12:00:06"), 9 },
	{ EVENT(CODE("7"), ID, "died", "12:00:05")
		  EVENT("", ID, "cleanup", "12:00:06") "{\"ID\":\"" ID,
	  7 },
	{ "\n\n" EVENT(CODE("7"), ID, "died", "12:00:05") "\n\n", 7 },
	/* of an earlier life */
	{ EVENT(CODE("7"), ID, "died", "11:59:59"), -ENOENT },
	{ EVENT(CODE("7"), OTHER, "died", "12:00:05"), -ENOENT },
	{ EVENT(CODE("7"), ID, "start", "12:00:05"), -ENOENT },
	{ EVENT(CODE("256"), ID, "died", "12:00:05"), -ENOENT },
	{ EVENT(CODE("-1"), ID, "died", "12:00:05"), -ENOENT },
	{ EVENT(CODE("\"7\""), ID, "died", "12:00:05"), -ENOENT },
	/* somebody's name for a container */
	{ "{\"ContainerExitCode\":7,\"ID\":\"" OTHER "\",\"Name\":\"" ID
	  "\",\"Status\":\"died\",\"Time\":\"2026-11-22T12:00:05Z\"}\n",
	  -ENOENT },
	{ ID "\n", -ENOENT },
	{ "[\"" ID "\"]\n", -ENOENT },
	{ "", -ENOENT },
	{ "\n", -ENOENT },
};

static void the_newest_death_counts(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		int code = -1;
		int r = podman_end_of_events(logs[i].text, strlen(logs[i].text), ID, NOON, &code);

		print_message("%zu\n", i);
		assert_int_equal(r < 0 ? r : code, logs[i].want);
		assert_int_equal(code < 0, r < 0);
	}
}

static void codes_stand_for_signals(void **state)
{
	static const struct {
		int exit_code;
		enum trial_end end;
		int code;
	} codes[] = { { 0, TRIAL_EXITED, 0 },	  { 1, TRIAL_EXITED, 1 },
		      { 128, TRIAL_EXITED, 128 }, { 137, TRIAL_KILLED, 9 },
		      { 159, TRIAL_KILLED, 31 },  { 192, TRIAL_KILLED, 64 },
		      { 193, TRIAL_EXITED, 193 }, { 255, TRIAL_EXITED, 255 } };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		int code = -1;

		assert_int_equal(podman_end_of_code(codes[i].exit_code, &code), codes[i].end);
		assert_int_equal(code, codes[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(the_newest_death_counts),
		cmocka_unit_test(codes_stand_for_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
