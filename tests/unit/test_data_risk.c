/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/score.h"
#include "policy/data.h"
#include "policy/data_text.h"

static struct score_risk risk;

static int load(void **state)
{
	return data_risk(&risk);
}

static int unload(void **state)
{
	data_risk_done(&risk);
	return 0;
}

static const struct score_cve *find(const char *id)
{
	for (size_t i = 0; i < risk.cnt; i++)
		if (strcmp(risk.cve[i].id, id) == 0)
			return &risk.cve[i];
	fail_msg("%s isn't there", id);
	return NULL;
}

static bool has(const struct score_cve *c, enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	return nr >= 0 && sysset_has(&c->calls[abi], (unsigned)nr);
}

static void rows_are_clean(void **state)
{
	unsigned execve = 0;

	assert_true(risk.cnt > 90);
	for (size_t i = 0; i < risk.cnt; i++) {
		const struct score_cve *c = &risk.cve[i];
		unsigned calls = 0;

		assert_int_equal(strncmp(c->id, "CVE-", 4), 0);
		assert_non_null(c->group);
		assert_non_null(c->source);
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			calls += sysset_count(&c->calls[abi]);
		if (calls == 0)
			fail_msg("%s has no call", c->id);
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->id, risk.cve[j].id) == 0)
				fail_msg("%s is there twice", c->id);
		execve += c->execve;
	}
	assert_int_equal(execve, 11);
	assert_true(sysset_count(&risk.guard[TAMIS_ABI_X86_64]) > 40);
}

static void what_rows_mean(void **state)
{
	static const struct {
		const char *id, *call;
		enum tamis_abi abi;
		bool has, any, execve;
		uint64_t arg0;
	} rows[] = {
		{ "CVE-2022-0847", "splice", TAMIS_ABI_X86_64, true, true, false, 0 },
		{ "CVE-2022-0847", "sendfile", TAMIS_ABI_AARCH64, true, true, false, 0 },
		{ "CVE-2016-0728", "keyctl", TAMIS_ABI_X86_64, true, false, false, 0 },
		{ "CVE-2016-0728", "add_key", TAMIS_ABI_X86_64, false, false, false, 0 },
		{ "CVE-2014-0038", "recvmmsg", TAMIS_ABI_X32, true, true, false, 0 },
		{ "CVE-2014-0038", "recvmmsg", TAMIS_ABI_X86_64, false, true, false, 0 },
		{ "CVE-2018-12233", "fsetxattr", TAMIS_ABI_X86_64, true, true, false, 0 },
		{ "CVE-2010-4346", "execve", TAMIS_ABI_X86_64, true, true, true, 0 },
		{ "CVE-2018-18281", "execve", TAMIS_ABI_X86_64, false, false, false, 0 },
		{ "CVE-2024-1086", "unshare", TAMIS_ABI_X86_64, true, true, false, 0x10000000 },
		{ "CVE-2021-26708", "socket", TAMIS_ABI_X86_64, true, true, false, 40 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct score_cve *c = find(rows[i].id);

		if (has(c, rows[i].abi, rows[i].call) != rows[i].has || c->any != rows[i].any ||
		    c->execve != rows[i].execve || c->arg0 != rows[i].arg0)
			fail_msg("%s %s", rows[i].id, rows[i].call);
	}
	assert_string_equal(find("CVE-2022-0847")->group, "zero-copy");
	assert_string_equal(find("CVE-2019-9857")->source, "Confine");
}

/* Nobody who runs without a filter is safe from any of them, but for x32's where it doesn't run. */
static void all_are_open_without_a_filter(void **state)
{
	struct score s;

	score_filter(NULL, &risk, &s);
	assert_int_equal(s.blocked, abi_native() == TAMIS_ABI_X86_64 ? 0 : 1);
	assert_int_equal(s.blocked_execve, 0);
	assert_int_equal(s.cves + s.cves_execve, risk.cnt);
}

/* With what every policy has narrowed, sets say what a filter says. */
static void fallback_refuses_namespaces(void **state)
{
	_cleanup_(filter_free) struct filter *fallback = NULL;
	struct sysset pass[TAMIS_ABI_MAX] = { 0 };
	struct score_risk narrow = { 0 };
	unsigned before, after, cnt;

	assert_int_equal(data_fallback(&fallback), 0);
	assert_int_equal(data_risk(&narrow), 0);
	assert_int_equal(data_add_call("clone", pass), 0);
	assert_int_equal(data_add_call("socket", pass), 0);
	score_sets(pass, 1u << TAMIS_ABI_X86_64, &narrow, &before, &cnt);
	score_narrow(&narrow, fallback);
	score_sets(pass, 1u << TAMIS_ABI_X86_64, &narrow, &after, &cnt);
	/* The six that need a namespace of their own, and vsock. */
	assert_int_equal(after - before, 7);
	assert_int_equal(cnt - after, 3);
	data_risk_done(&narrow);
}

/* --- subsystems ----------------------------------------------------------------------------- */

static void every_call_has_a_subsystem(void **state)
{
	/* Without code in any kernel that BPF runs in. */
	static const char none[] = " afs_syscall break gtty idle mpx prof profil security stty "
				   "tuxcall vserver ";

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			const char *name = calls_name(abi, nr);
			bool other = strcmp(data_subsystem(abi, nr), "other") == 0;

			if (name && other != !!strstr(none, name))
				fail_msg("%s: %s", name, data_subsystem(abi, nr));
		}
	}
	assert_string_equal(data_subsystem(TAMIS_ABI_X86_64, 0), "files");
	assert_string_equal(data_subsystem(TAMIS_ABI_X86_64, 101), "tracing");
	assert_string_equal(data_subsystem(TAMIS_ABI_X86_64, 575), "other");
}

static void words_of_subsystems(void **state)
{
	struct data_text text = data_text_subsystems(), line;
	struct sysset all[TAMIS_ABI_MAX] = { 0 };

	while (data_line(&text, &line)) {
		const char *colon = memchr(line.p, ':', (size_t)(line.end - line.p));
		char word[DATA_WORD];

		assert_non_null(colon);
		assert_int_equal(data_word(&line, word), 1);
		if (word[strlen(word) - 1] == ':')
			word[strlen(word) - 1] = '\0';
		if (!data_subsystem_name(word))
			fail_msg("no such subsystem: %s", word);
		line.p = colon + 1;
		while (data_word(&line, word) > 0)
			if (data_add_call(word, all) < 0)
				fail_msg("no such call: %s", word);
	}
}

static double danger(const char *name)
{
	int nr = calls_number(TAMIS_ABI_X86_64, name);

	assert_true(nr >= 0);
	return data_danger(TAMIS_ABI_X86_64, (uint32_t)nr);
}

static void worse_goes_first(void **state)
{
	static const char *const order[] = { "bpf",    "ptrace",     "setsockopt", "splice",
					     "mremap", "getdents64", NULL };

	for (size_t i = 0; order[i + 1]; i++)
		if (danger(order[i]) <= danger(order[i + 1]))
			fail_msg("%s: %g, %s: %g", order[i], danger(order[i]), order[i + 1],
				 danger(order[i + 1]));
	assert_true(danger("getdents64") > 0);
	assert_true(data_danger(TAMIS_ABI_X86_64, 575) == 0);
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
		if (sysset_has(&risk.guard[TAMIS_ABI_X86_64], nr))
			assert_true(data_danger(TAMIS_ABI_X86_64, nr) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_clean),
		cmocka_unit_test(what_rows_mean),
		cmocka_unit_test(all_are_open_without_a_filter),
		cmocka_unit_test(fallback_refuses_namespaces),
		cmocka_unit_test(every_call_has_a_subsystem),
		cmocka_unit_test(words_of_subsystems),
		cmocka_unit_test(worse_goes_first),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
