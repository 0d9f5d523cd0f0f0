/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "apply/trial.h"
#include "base/cleanup.h"

#define TRIAL_S 60
#define BOOT	(INT64_C(1) << 50) /* an earlier one */

static char group[] = "/a";

/* Seconds ago: began, ended. */
#define RUNS(id_, began)                                         \
	{                                                        \
		1, (began)*1000LL, -1, TRIAL_RUNS, 0, id_, group \
	}
#define GONE(id_, began)                                            \
	{                                                           \
		1, (began)*1000LL, -1, TRIAL_UNKNOWN, 0, id_, group \
	}
#define LOST(id_, began)                                           \
	{                                                          \
		1, (began)*1000LL, -1, TRIAL_UNKNOWN, 0, id_, NULL \
	}
#define ENDED(id_, began, ended)                                                \
	{                                                                       \
		1, (began)*1000LL, (ended)*1000LL, TRIAL_UNKNOWN, 0, id_, group \
	}
#define EXIT(id_, began, ended, code_)                                             \
	{                                                                          \
		1, (began)*1000LL, (ended)*1000LL, TRIAL_EXITED, code_, id_, group \
	}
#define SIGNAL(id_, began, ended, code_)                                           \
	{                                                                          \
		1, (began)*1000LL, (ended)*1000LL, TRIAL_KILLED, code_, id_, group \
	}

static const struct {
	const char *name;
	struct trial_start s[6];
	const char *next; /* NULL: the daemon looks, nothing starts */
	enum trial_verdict want;
	const char *why;
} rows[] = {
	{ "nothing yet", { { 0 } }, NULL, TRIAL_OPEN, "" },
	{ "nothing yet, a first start", { { 0 } }, "a", TRIAL_OPEN, "" },
	{ "runs for 59 s", { RUNS("a", 59) }, NULL, TRIAL_OPEN, "" },
	{ "runs for 60 s", { RUNS("a", 60) }, NULL, TRIAL_PASSED, "lived for 60 s" },
	{ "lived for 60 s", { EXIT("a", 90, 30, 1) }, NULL, TRIAL_PASSED, "lived" },
	{ "lived for 59 s", { EXIT("a", 90, 31, 1) }, NULL, TRIAL_FAILED, "exited with 1" },
	{ "gone after 60 s, nobody saw how", { ENDED("a", 100, 20) }, NULL, TRIAL_PASSED, "" },
	{ "gone, nobody saw when", { GONE("a", 100) }, NULL, TRIAL_OPEN, "" },

	/* A batch job, every 20 s. */
	{ "a job of a second", { EXIT("a", 20, 19, 0) }, NULL, TRIAL_PASSED, "exited with 0" },
	{ "a job, again and again",
	  { EXIT("a", 60, 59, 0), EXIT("a", 40, 39, 0), EXIT("a", 20, 19, 0) },
	  "a",
	  TRIAL_PASSED,
	  "exited with 0" },
	{ "a job that fails once in a while",
	  { EXIT("a", 60, 59, 0), EXIT("b", 40, 39, 2) },
	  NULL,
	  TRIAL_PASSED,
	  "exited with 0" },
	{ "a job that fails at first",
	  { EXIT("a", 60, 59, 2), EXIT("b", 40, 39, 0) },
	  NULL,
	  TRIAL_FAILED,
	  "exited with 2" },
	{ "one a minute, unseen", { GONE("a", 130), GONE("b", 65) }, "c", TRIAL_OPEN, "" },

	/* Replicas. */
	{ "three at once", { RUNS("a", 1), RUNS("b", 1), RUNS("c", 0) }, NULL, TRIAL_OPEN, "" },
	{ "a fourth comes", { RUNS("a", 1), RUNS("b", 1), RUNS("c", 0) }, "d", TRIAL_OPEN, "" },
	{ "one of them is gone",
	  { GONE("a", 9), GONE("b", 8), GONE("c", 7), RUNS("d", 7) },
	  "e",
	  TRIAL_OPEN,
	  "" },
	{ "one failed while another ran for its time",
	  { RUNS("a", 70), EXIT("b", 40, 1, 1) },
	  NULL,
	  TRIAL_PASSED,
	  "lived" },
	{ "one failed before another had its time",
	  { RUNS("a", 70), EXIT("b", 60, 20, 1) },
	  NULL,
	  TRIAL_FAILED,
	  "exited with 1" },
	{ "of no cgroup nobody knows",
	  { LOST("a", 9), LOST("b", 8), LOST("c", 7) },
	  "d",
	  TRIAL_OPEN,
	  "" },

	/* What breaks. */
	{ "crashed", { SIGNAL("a", 9, 8, SIGSEGV) }, NULL, TRIAL_FAILED, "signal 11" },
	{ "aborted", { SIGNAL("a", 9, 8, SIGABRT) }, "a", TRIAL_FAILED, "signal 6" },
	{ "a shell's word for it",
	  { EXIT("a", 9, 8, 128 + SIGSEGV) },
	  NULL,
	  TRIAL_FAILED,
	  "exited with 139" },
	{ "crashed after its time", { SIGNAL("a", 90, 8, SIGSEGV) }, NULL, TRIAL_PASSED, "lived" },
	{ "refused with a signal", { SIGNAL("a", 9, 8, SIGSYS) }, NULL, TRIAL_FAILED, "SIGSYS" },
	{ "refused with a signal, by a shell",
	  { EXIT("a", 9, 8, 128 + SIGSYS) },
	  NULL,
	  TRIAL_FAILED,
	  "SIGSYS" },
	{ "refused with a signal after its time",
	  { SIGNAL("a", 600, 8, SIGSYS) },
	  NULL,
	  TRIAL_FAILED,
	  "SIGSYS" },
	{ "refused after another had passed",
	  { EXIT("a", 600, 599, 0), SIGNAL("b", 90, 8, SIGSYS) },
	  NULL,
	  TRIAL_FAILED,
	  "SIGSYS" },

	/* What doesn't. */
	{ "stopped by a person", { SIGNAL("a", 9, 8, SIGTERM) }, NULL, TRIAL_OPEN, "" },
	{ "stopped, its own code for it",
	  { EXIT("a", 9, 8, 128 + SIGTERM) },
	  NULL,
	  TRIAL_OPEN,
	  "" },
	{ "interrupted", { SIGNAL("a", 9, 8, SIGINT) }, NULL, TRIAL_OPEN, "" },
	{ "hung up", { EXIT("a", 9, 8, 128 + SIGHUP) }, NULL, TRIAL_OPEN, "" },
	{ "out of memory", { SIGNAL("a", 9, 8, SIGKILL) }, NULL, TRIAL_OPEN, "" },
	{ "stopped after its time", { SIGNAL("a", 90, 8, SIGTERM) }, NULL, TRIAL_PASSED, "" },
	{ "restarted by a person, twice",
	  { SIGNAL("a", 30, 20, SIGTERM), EXIT("a", 20, 10, 137), RUNS("a", 10) },
	  NULL,
	  TRIAL_OPEN,
	  "" },
	{ "about to be restarted by a person",
	  { SIGNAL("a", 30, 20, SIGTERM), SIGNAL("a", 20, 0, SIGTERM) },
	  "a",
	  TRIAL_OPEN,
	  "" },

	/* Restarts of which nobody saw an end. */
	{ "two starts", { GONE("a", 9), GONE("a", 8) }, NULL, TRIAL_OPEN, "" },
	{ "a second start", { GONE("a", 9) }, "a", TRIAL_OPEN, "" },
	{ "a third start", { GONE("a", 9), GONE("a", 8) }, "a", TRIAL_FAILED, "restarted twice" },
	{ "a third start of what was killed",
	  { SIGNAL("a", 9, 8, SIGKILL), SIGNAL("a", 7, 6, SIGKILL) },
	  "a",
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "killed twice by a person",
	  { SIGNAL("a", 9, 7, SIGKILL), SIGNAL("a", 6, 4, SIGKILL) },
	  "a",
	  TRIAL_OPEN,
	  "" },
	{ "restarted twice by a person",
	  { SIGNAL("a", 9, 8, SIGTERM), SIGNAL("a", 7, 6, SIGTERM) },
	  "a",
	  TRIAL_OPEN,
	  "" },
	{ "a third start runs",
	  { GONE("a", 9), GONE("a", 8), RUNS("a", 3) },
	  NULL,
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "others run",
	  { RUNS("b", 9), GONE("a", 9), GONE("a", 8) },
	  "a",
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "seen to end, not how",
	  { ENDED("a", 9, 8), ENDED("a", 7, 6) },
	  "a",
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "slowly", { GONE("a", 130), GONE("a", 61) }, "a", TRIAL_OPEN, "" },
	{ "by new containers",
	  { GONE("a", 9), GONE("b", 8) },
	  "c",
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "by new containers, all gone",
	  { GONE("a", 9), GONE("b", 8), GONE("c", 7) },
	  NULL,
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "the runtime refused it",
	  { GONE("a", 9), GONE("a", 8) },
	  "a",
	  TRIAL_FAILED,
	  "restarted twice" },
	{ "another's start", { GONE("a", 9), GONE("b", 8) }, NULL, TRIAL_OPEN, "" },
	{ "one passed before",
	  { EXIT("a", 50, 49, 0), GONE("a", 9), GONE("a", 8) },
	  "a",
	  TRIAL_PASSED,
	  "exited with 0" },
	/* What is taken back stays so: the container that lives now is under another policy. */
	{ "one passed after",
	  { GONE("a", 99), GONE("a", 98), GONE("a", 97), RUNS("a", 80) },
	  NULL,
	  TRIAL_FAILED,
	  "restarted twice" },

	/* Reboots. */
	{ "once in each boot",
	  { GONE("a", 3 * BOOT / 1000), GONE("a", 2 * BOOT / 1000), GONE("a", BOOT / 1000) },
	  "a",
	  TRIAL_OPEN,
	  "" },
	{ "crashed before the reboot",
	  { EXIT("a", BOOT / 1000 + 5, BOOT / 1000 + 4, 1) },
	  "a",
	  TRIAL_FAILED,
	  "exited with 1" },
	{ "lived before the reboot",
	  { EXIT("a", BOOT / 1000 + 99, BOOT / 1000 + 4, 1) },
	  "a",
	  TRIAL_PASSED,
	  "lived" },
};

static size_t count(const struct trial_start *s)
{
	size_t cnt = 0;

	while (cnt < 6 && s[cnt].generation)
		cnt++;
	return cnt;
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t cnt = count(rows[i].s);
		struct trial_said said =
			rows[i].next ? trial_judge_next(rows[i].s, cnt, TRIAL_S, rows[i].next)
				     : trial_judge(rows[i].s, cnt, TRIAL_S);

		if (said.verdict != rows[i].want || !strstr(said.why, rows[i].why))
			fail_msg("%s: %d, %s", rows[i].name, said.verdict, said.why);
		assert_int_equal(said.verdict == TRIAL_OPEN, said.why[0] == '\0');
	}
}

/* An unknown id is nobody's. */
static void test_without_ids(void **state)
{
	const struct trial_start s[] = { LOST("", 9), LOST("", 8), LOST("", 7) };

	assert_int_equal(trial_judge(s, 3, TRIAL_S).verdict, TRIAL_OPEN);
	assert_int_equal(trial_judge_next(s, 3, TRIAL_S, "").verdict, TRIAL_OPEN);
}

/* Once it is decided, time changes nothing. */
static void test_stays(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trial_start later[6];
		size_t cnt = count(rows[i].s);

		if (rows[i].next || rows[i].want == TRIAL_OPEN)
			continue;
		memcpy(later, rows[i].s, sizeof(later));
		for (size_t n = 0; n < cnt; n++) {
			later[n].began_ms += 3600000;
			if (later[n].ended_ms >= 0)
				later[n].ended_ms += 3600000;
		}
		assert_int_equal(trial_judge(later, cnt, TRIAL_S).verdict, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_without_ids),
		cmocka_unit_test(test_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
