/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "policy/data.h"
#include "policy/data_text.h"

static const char *why_of(enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	if (nr < 0)
		fail_msg("%s has no %s", abi_name(abi), name);
	return data_keep_why(abi, (uint32_t)nr);
}

/* What the issue names, and what has to be tried. */
static void what_tests_cant_show(void **state)
{
	static const struct {
		const char *call, *why;
	} rows[] = {
		{ "setuid", "identity" },
		{ "setresgid", "identity" },
		{ "setgroups", "identity" },
		{ "geteuid", "identity" },
		{ "wait4", "children" },
		{ "getpeername", "peers" },
		{ "capset", "privilege" },
		{ "prctl", "privilege" },
		{ "seccomp", "privilege" },
		{ "landlock_restrict_self", "privilege" },
		{ "chroot", "privilege" },
		{ "umask", "permissions" },
		{ "fsync", "durability" },
		{ "fdatasync", "durability" },
		{ "msync", "durability" },
		{ "mprotect", "memory-protection" },
		{ "pkey_mprotect", "memory-protection" },
		{ "mseal", "memory-protection" },
		{ "getrandom", "randomness" },
		{ "set_tid_address", "locks" },
		{ "prlimit64", "limits" },
		{ "flock", "locks" },
		{ "futex", "locks" },
		{ "rt_sigaction", "signals" },
		{ "tgkill", "signals" },
		{ "exit_group", "exit" },
		{ "read", NULL },
		{ "openat", NULL },
		{ "ptrace", NULL },
		{ "execve", NULL },
		{ "unshare", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *why = why_of(TAMIS_ABI_X86_64, rows[i].call);

		if (!why != !rows[i].why || (why && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %s", rows[i].call, why ?: "not kept");
	}
	assert_string_equal(why_of(TAMIS_ABI_I386, "setuid32"), "identity");
	assert_string_equal(why_of(TAMIS_ABI_ARM, "arm_sync_file_range"), "durability");
	assert_string_equal(why_of(TAMIS_ABI_AARCH64, "futex"), "locks");
	assert_null(data_keep_why(TAMIS_ABI_X86_64, 570));
	assert_null(data_keep_why(TAMIS_ABI_MAX, 1));
}

/* The set and the reasons are of the same calls, in every ABI. */
static void each_has_a_reason(void **state)
{
	struct sysset keep[TAMIS_ABI_MAX];

	assert_int_equal(data_keep(keep), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
			assert_int_equal(sysset_has(&keep[abi], nr), !!data_keep_why(abi, nr));
	assert_true(sysset_count(&keep[TAMIS_ABI_X86_64]) > 60);
}

/* Every line has a group and known calls, none of them twice. */
static void lines_are_clean(void **state)
{
	struct data_text text = data_text_keep(), line;
	struct sysset all[TAMIS_ABI_MAX] = { 0 };

	while (data_line(&text, &line)) {
		char word[DATA_WORD];

		assert_int_equal(data_word(&line, word), 1);
		assert_true(word[strlen(word) - 1] == ':');
		while (data_word(&line, word) > 0) {
			struct sysset one[TAMIS_ABI_MAX] = { 0 };

			if (data_add_call(word, one) < 0)
				fail_msg("no such call: %s", word);
			for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
				for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
					if (all[abi].bits[i] & one[abi].bits[i])
						fail_msg("twice: %s", word);
			data_add_call(word, all);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tests_cant_show),
		cmocka_unit_test(each_has_a_reason),
		cmocka_unit_test(lines_are_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
