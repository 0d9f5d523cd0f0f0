/* SPDX-License-Identifier: Apache-2.0 */
#include "start/unit_end.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *result, *code, *status;
	enum trial_end end;
	int value;
} ends[] = {
	{ "success", "exited", "0", TRIAL_EXITED, 0 },
	{ "success", "exited", "143", TRIAL_EXITED, 0 }, /* SuccessExitStatus= */
	{ "exit-code", "exited", "1", TRIAL_EXITED, 1 },
	{ "exit-code", "exited", "203", TRIAL_EXITED, 203 },
	{ "success", "killed", "TERM", TRIAL_KILLED, SIGTERM },
	{ "signal", "killed", "SYS", TRIAL_KILLED, SIGSYS },
	{ "core-dump", "dumped", "SYS", TRIAL_KILLED, SIGSYS },
	{ "core-dump", "dumped", "SEGV", TRIAL_KILLED, SIGSEGV },
	{ "signal", "killed", "34", TRIAL_KILLED, 34 }, /* one of real time */
	/* what systemd ended, or gave up */
	{ "protocol", "exited", "0", TRIAL_EXITED, UNIT_END_FAILED },
	{ "protocol", "exited", "3", TRIAL_EXITED, 3 },
	{ "timeout", "killed", "TERM", TRIAL_EXITED, UNIT_END_FAILED },
	{ "timeout", "exited", "0", TRIAL_EXITED, UNIT_END_FAILED },
	{ "watchdog", "dumped", "ABRT", TRIAL_EXITED, UNIT_END_FAILED },
	{ "watchdog", "dumped", "SYS", TRIAL_KILLED, SIGSYS },
	/* says nothing of a filter */
	{ "oom-kill", "killed", "KILL", TRIAL_UNKNOWN, -1 },
	{ "exec-condition", "exited", "1", TRIAL_UNKNOWN, -1 },
	{ "start-limit-hit", NULL, NULL, TRIAL_UNKNOWN, -1 },
	{ "resources", NULL, NULL, TRIAL_UNKNOWN, -1 },
	/* not as systemd has it */
	{ NULL, "exited", "1", TRIAL_UNKNOWN, -1 },
	{ "exit-code", NULL, "1", TRIAL_UNKNOWN, -1 },
	{ "exit-code", "exited", NULL, TRIAL_UNKNOWN, -1 },
	{ "exit-code", "exited", "", TRIAL_UNKNOWN, -1 },
	{ "exit-code", "exited", "-1", TRIAL_UNKNOWN, -1 },
	{ "exit-code", "exited", "256", TRIAL_UNKNOWN, -1 },
	{ "exit-code", "exited", "1 ", TRIAL_UNKNOWN, -1 },
	{ "signal", "killed", "SIGSYS", TRIAL_UNKNOWN, -1 },
	{ "signal", "killed", "0", TRIAL_UNKNOWN, -1 },
	{ "signal", "killed", "4294967327", TRIAL_UNKNOWN, -1 },
	{ "signal", "stopped", "SYS", TRIAL_UNKNOWN, -1 },
};

static void reads_how_a_service_ended(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		int value = -1;
		enum trial_end end =
			unit_end_read(ends[i].result, ends[i].code, ends[i].status, &value);

		if (end != ends[i].end || value != ends[i].value)
			fail_msg("row %zu (%s): %d %d", i, ends[i].result ? ends[i].result : "-",
				 end, value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_how_a_service_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
