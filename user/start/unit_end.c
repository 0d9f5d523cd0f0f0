/* SPDX-License-Identifier: Apache-2.0 */
#include "start/unit_end.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/* "SYS", as systemd has it, is sigabbrev_np's. */
static int signal_of(const char *name)
{
	uint64_t nr = 0;

	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcmp(known, name) == 0)
			return i;
	}
	return text_u64(name, NSIG, &nr) == 0 ? (int)nr : 0;
}

static enum trial_end exited(const char *result, const char *status, int *ret_code)
{
	bool success = strcmp(result, "success") == 0;
	uint64_t n;

	if (text_u64(status, 255, &n) < 0)
		return TRIAL_UNKNOWN;
	/* it said 0 and failed all the same: never got ready, say */
	*ret_code = success ? 0 : n > 0 ? (int)n : UNIT_END_FAILED;
	return TRIAL_EXITED;
}

enum trial_end unit_end_read(const char *result, const char *code, const char *status,
			     int *ret_code)
{
	static const char *const impatient[] = { "timeout", "watchdog", "protocol", NULL };
	static const char *const innocent[] = { "oom-kill", "exec-condition", "start-limit-hit",
						"resources", NULL };
	static const char *const killed[] = { "killed", "dumped", NULL };
	int nr;

	if (!result || !code || !status || is_one_of(result, innocent))
		return TRIAL_UNKNOWN;
	if (strcmp(code, "exited") == 0)
		return exited(result, status, ret_code);
	nr = is_one_of(code, killed) ? signal_of(status) : 0;
	if (nr == 0)
		return TRIAL_UNKNOWN;
	if (is_one_of(result, impatient) && nr != SIGSYS) {
		*ret_code = UNIT_END_FAILED;
		return TRIAL_EXITED;
	}
	*ret_code = nr;
	return TRIAL_KILLED;
}
