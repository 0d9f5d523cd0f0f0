/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "policy/data.h"
#include "policy/data_text.h"

static const struct file {
	const char *name;
	struct data_text (*text)(void);
	/* its marks: what it can't do without */
	const char *has[6];
	const char *lacks[4];
} files[] = {
	{ "asan",
	  data_text_asan,
	  { "ptrace", "clone", "prctl", "madvise", "execve" },
	  { "unlink" } },
	{ "lsan", data_text_lsan, { "ptrace", "clone", "prctl" }, { "madvise", "unlink" } },
	{ "msan", data_text_msan, { "madvise", "execve" }, { "ptrace", "unlink" } },
	{ "tsan", data_text_tsan, { "unlink", "nanosleep" }, { "ptrace", "getdents" } },
	{ "ubsan", data_text_ubsan, { "sigaltstack", "write" }, { "ptrace", "madvise" } },
};

static bool has(const struct sysset set[TAMIS_ABI_MAX], const char *name)
{
	int nr = calls_number(TAMIS_ABI_X86_64, name);

	assert_true(nr >= 0);
	return sysset_has(&set[TAMIS_ABI_X86_64], (unsigned)nr);
}

static bool any_has(const struct sysset set[TAMIS_ABI_MAX], const char *name)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, name);

		if (nr >= 0 && sysset_has(&set[abi], (unsigned)nr))
			return true;
	}
	return false;
}

static void check_words(const struct file *f, struct sysset ret[TAMIS_ABI_MAX])
{
	struct data_text text = f->text(), line;
	char word[DATA_WORD];
	int r;

	while (data_line(&text, &line)) {
		while ((r = data_word(&line, word)) > 0) {
			if (any_has(ret, word))
				fail_msg("%s: %s is there twice", f->name, word);
			if (data_add_call(word, ret) < 0)
				fail_msg("%s: no such call: %s", f->name, word);
		}
		assert_int_equal(r, 0);
	}
}

static void every_word_is_a_call_once(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct sysset seen[TAMIS_ABI_MAX] = { 0 };

		check_words(&files[i], seen);
		assert_true(sysset_count(&seen[TAMIS_ABI_X86_64]) > 10);
	}
}

static void each_has_its_marks(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct sysset set[TAMIS_ABI_MAX];

		assert_int_equal(data_list(files[i].text(), set), 0);
		for (const char *const *name = files[i].has; *name; name++)
			if (!has(set, *name))
				fail_msg("%s hasn't %s", files[i].name, *name);
		for (size_t n = 0; n < ARRAY_SIZE(files[i].lacks) && files[i].lacks[n]; n++)
			if (has(set, files[i].lacks[n]))
				fail_msg("%s has %s", files[i].name, files[i].lacks[n]);
	}
}

static void all_is_each_and_no_more(void **state)
{
	struct sysset all[TAMIS_ABI_MAX], each[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_sanitizer(all), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct sysset one[TAMIS_ABI_MAX];

		assert_int_equal(data_list(files[i].text(), one), 0);
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			sysset_merge(&each[abi], &one[abi]);
	}
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_true(sysset_equal(&all[abi], &each[abi]));
}

/* Honest paths whose first time a twin is there to see: they would wait for production's asking. */
static void what_services_do_is_not_a_sanitizers(void **state)
{
	static const char *const out[] = {
		"mremap", "getpgrp", "socket",	 "accept4", "bind",    "listen", "epoll_wait",
		"rename", "fsync",   "sendfile", "setuid",  "setsid",  "kill",	 "eventfd2",
		"mount",  "bpf",     "keyctl",	 "setns",   "recvmsg", "sendto", "process_vm_readv",
	};
	struct sysset set[TAMIS_ABI_MAX];

	assert_int_equal(data_sanitizer(set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		if (has(set, out[i]))
			fail_msg("%s is a sanitizer's", out[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_a_call_once),
		cmocka_unit_test(each_has_its_marks),
		cmocka_unit_test(all_is_each_and_no_more),
		cmocka_unit_test(what_services_do_is_not_a_sanitizers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
