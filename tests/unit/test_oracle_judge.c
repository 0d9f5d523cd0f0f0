/* SPDX-License-Identifier: Apache-2.0 */
/* What a twin's end and log say, and what becomes of its calls. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "learn/oracle.h"

static void a_twin_that_lived(void **state)
{
	static const struct {
		const char *what;
		struct oracle_twin t;
		bool up, reported;
	} rows[] = {
		{ "it runs", { .was_up = true }, true, false },
		{ "it was stopped",
		  { .was_up = true, .killed = true, .code = SIGTERM },
		  true,
		  false },
		{ "it had to be killed",
		  { .was_up = true, .killed = true, .code = SIGKILL },
		  true,
		  false },
		{ "it did its job", { .was_up = true, .ended = true }, true, false },
		{ "it went with an error",
		  { .was_up = true, .ended = true, .code = 1 },
		  false,
		  false },
		{ "it never was", { .was_up = false, .ended = true, .code = 127 }, false, false },
		{ "it wasn't started", { 0 }, false, false },
		{ "somebody killed it",
		  { .ended = true, .killed = true, .code = SIGKILL },
		  false,
		  false },
		{ "it crashed", { .ended = true, .killed = true, .code = SIGSEGV }, false, true },
		{ "it crashed when it was stopped",
		  { .was_up = true, .killed = true, .code = SIGABRT },
		  true,
		  true },
		{ "by a filter", { .ended = true, .killed = true, .code = SIGSYS }, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oracle_said said = oracle_judge_twin(&rows[i].t);

		if (said.up != rows[i].up || said.reported != rows[i].reported ||
		    !said.report[0] != !said.reported)
			fail_msg("%s: up %d, reported %d: %s", rows[i].what, said.up, said.reported,
				 said.report);
	}
}

static void sanitizers_lines(void **state)
{
	static const struct {
		const char *line;
		bool report;
	} rows[] = {
		{ "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x6020", true },
		{ "==7==ERROR: HWAddressSanitizer: tag-mismatch on address 0x0041", true },
		{ "AddressSanitizer:DEADLYSIGNAL", true },
		{ "==7==ERROR: LeakSanitizer: detected memory leaks", true },
		{ "==7==WARNING: MemorySanitizer: use-of-uninitialized-value", true },
		{ "WARNING: ThreadSanitizer: data race (pid=7)", true },
		{ "UndefinedBehaviorSanitizer:DEADLYSIGNAL", true },
		{ "x.c:12:3: runtime error: signed integer overflow", true },
		{ "x.c:12: runtime error: load of misaligned address", true },
		{ "ubsan: add-overflow by 0x00005581", true },
		{ "==7==AddressSanitizer CHECK failed: asan_thread.cpp:371", true },
		{ "*** GWP-ASan detected a memory error ***", true },
		{ "SUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 allocation(s).", true },
		/* of the sanitizer itself, or of others */
		{ "==7==LeakSanitizer has encountered a fatal error.", false },
		{ "==7==ERROR: AddressSanitizer failed to allocate 0x1000 bytes", false },
		{ "panic: runtime error: index out of range [5]", false },
		{ "built with AddressSanitizer", false },
		{ ": runtime error: ", false },
		{ "GET /ubsan: HTTP/1.1", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char log[512];
		int len = snprintf(log, sizeof(log), "listening\n%s\nbye", rows[i].line);
		const struct oracle_twin t = { .was_up = true, .log = log, .log_len = (size_t)len };
		struct oracle_said said = oracle_judge_twin(&t);

		if (said.reported != rows[i].report ||
		    strcmp(said.report, rows[i].report ? rows[i].line : "") != 0)
			fail_msg("\"%s\": %d \"%s\"", rows[i].line, said.reported, said.report);
		assert_true(said.up);
	}
}

static void a_log_is_bounded_and_may_hold_anything(void **state)
{
	static const char nul[] = "a\0b\nx\0==1==ERROR: AddressSanitizer: crash\n";
	char lines[4000];
	struct oracle_twin t = { .was_up = true, .log = nul, .log_len = sizeof(nul) - 1 };

	assert_true(oracle_judge_twin(&t).reported);
	/* the length counts, not a NUL behind it */
	t.log_len = 5;
	assert_false(oracle_judge_twin(&t).reported);
	t.log_len = 0;
	assert_false(oracle_judge_twin(&t).reported);
	memset(lines, 'x', sizeof(lines));
	memcpy(lines + 3000, "AddressSanitizer: ", 18);
	t.log = lines;
	t.log_len = sizeof(lines);
	assert_true(oracle_judge_twin(&t).reported);
	assert_int_equal(strlen(oracle_judge_twin(&t).report), 199);
}

/* --- calls -------------------------------------------------------------------------------- */

enum { A = 1, B, C, D, ABI = TAMIS_ABI_MAX - 1 };

static struct sysset set_of(const char *calls)
{
	struct sysset s = { 0 };

	for (; *calls; calls++)
		sysset_add(&s, (unsigned)(*calls - 'a' + A));
	return s;
}

struct sets {
	struct sysset abi[TAMIS_ABI_MAX];
};

static struct sets sets_of(const char *calls)
{
	struct sets s = { 0 };

	s.abi[ABI] = set_of(calls);
	return s;
}

static void what_becomes_of_calls(void **state)
{
	static const struct {
		const char *what, *made, *asked, *guard, *sanitizer, *known;
		bool reported;
		const char *learned, *rejected;
	} rows[] = {
		{ "all it made", "abc", "a", "", "", "", false, "abc", "" },
		{ "but what is known", "abc", "a", "", "", "bc", false, "a", "" },
		{ "asked and not made: no verdict", "b", "a", "", "", "", false, "b", "" },
		{ "the sanitizer's own", "ab", "a", "", "b", "", false, "a", "" },
		{ "unless production asked", "ab", "b", "", "b", "", false, "ab", "" },
		{ "guarded, made", "ab", "a", "b", "", "", false, "a", "b" },
		{ "guarded, asked", "a", "ab", "b", "", "", false, "a", "b" },
		{ "guarded, the sanitizer's", "ab", "a", "b", "b", "", false, "a", "" },
		{ "guarded, and allowed by a person", "ab", "a", "b", "", "b", false, "a", "" },
		{ "a report: what was asked", "abc", "ad", "", "", "", true, "", "ad" },
		{ "a report: known stays", "abc", "ad", "", "", "d", true, "", "a" },
		{ "a report, guarded", "abc", "a", "b", "", "", true, "", "a" },
		{ "nothing made", "", "a", "", "", "", false, "", "" },
		{ "rejected before", "ab", "ab", "", "", "a", false, "b", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sets made = sets_of(rows[i].made), asked = sets_of(rows[i].asked);
		struct sets guard = sets_of(rows[i].guard), own = sets_of(rows[i].sanitizer);
		struct sets known = sets_of(rows[i].known), learned, rejected;
		struct sysset wanted = set_of(rows[i].learned), refused = set_of(rows[i].rejected);

		memset(&learned, 0xff, sizeof(learned));
		memset(&rejected, 0xff, sizeof(rejected));
		oracle_judge_calls(made.abi, asked.abi, guard.abi, own.abi, known.abi,
				   rows[i].reported, learned.abi, rejected.abi);
		if (!sysset_equal(&learned.abi[ABI], &wanted) ||
		    !sysset_equal(&rejected.abi[ABI], &refused))
			fail_msg("%s", rows[i].what);
		for (unsigned abi = 0; abi < ABI; abi++)
			assert_true(sysset_is_empty(&learned.abi[abi]) &&
				    sysset_is_empty(&rejected.abi[abi]));
	}
}

static void what_a_bootstrap_saved(void **state)
{
	int64_t one[] = { 5000 }, same[] = { 5000, 5000, 6000, 19000 };
	int64_t apart[] = { 90000, 5000, 50000, 6000 };

	assert_int_equal(oracle_saved(NULL, 0, 15), 0);
	assert_int_equal(oracle_saved(one, 1, 15), 1);
	assert_int_equal(oracle_saved(same, ARRAY_SIZE(same), 15), 1);
	assert_int_equal(oracle_saved(apart, ARRAY_SIZE(apart), 15), 3);
	assert_int_equal(oracle_saved(apart, ARRAY_SIZE(apart), 3600), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_twin_that_lived),
		cmocka_unit_test(sanitizers_lines),
		cmocka_unit_test(a_log_is_bounded_and_may_hold_anything),
		cmocka_unit_test(what_becomes_of_calls),
		cmocka_unit_test(what_a_bootstrap_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
