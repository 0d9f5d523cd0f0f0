/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/cond.h"
#include "policy/data.h"
#include "policy/data_text.h"

static bool has(const struct sysset set[TAMIS_ABI_MAX], enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	assert_true(nr >= 0);
	return sysset_has(&set[abi], (unsigned)nr);
}

static bool gate_has(const struct sysset set[TAMIS_ABI_MAX], const char *name)
{
	return has(set, abi_native(), name);
}

/* Each name of a list is a call, and there once. */
static void assert_list_is_clean(struct data_text text)
{
	struct sysset seen[TAMIS_ABI_MAX] = { 0 };
	struct data_text line;
	char word[DATA_WORD];
	unsigned cnt = 0;
	int r;

	while (data_line(&text, &line)) {
		while ((r = data_word(&line, word)) > 0) {
			struct sysset one[TAMIS_ABI_MAX] = { 0 };

			if (data_add_call(word, one) < 0)
				fail_msg("no such call: %s", word);
			for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
				int nr = sysset_next(&one[abi], 0);

				if (nr >= 0 && sysset_has(&seen[abi], (unsigned)nr))
					fail_msg("twice: %s", word);
				sysset_merge(&seen[abi], &one[abi]);
			}
			cnt++;
		}
		assert_int_equal(r, 0);
	}
	assert_true(cnt >= 10);
}

static void lists_are_clean(void **state)
{
	assert_list_is_clean(data_text_always());
	assert_list_is_clean(data_text_eperm());
}

static void always_on_every_abi(void **state)
{
	static const char *const everywhere[] = { "exit",	   "exit_group",
						  "rt_sigreturn",  "restart_syscall",
						  "clock_gettime", "getrandom" };
	struct sysset set[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_always(set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			assert_true(has(set, (enum tamis_abi)abi, everywhere[i]));
	assert_true(has(set, TAMIS_ABI_I386, "sigreturn"));
	assert_true(has(set, TAMIS_ABI_ARM, "clock_gettime64"));
	assert_true(has(set, TAMIS_ABI_X86_64, "time"));
	assert_false(has(set, TAMIS_ABI_X86_64, "execve"));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_true(sysset_count(&set[abi]) <= 14);
}

static void eperm_is_for_the_privileged(void **state)
{
	static const char *const in[] = { "mount",	 "umount2", "pivot_root",
					  "chroot",	 "setns",   "unshare",
					  "ptrace",	 "bpf",	    "kexec_load",
					  "init_module", "reboot",  "clock_settime",
					  "sethostname", "acct" };
	/* Probed with a fallback, which takes ENOSYS. */
	static const char *const out[] = { "clone3",	"clone",      "io_uring_setup",
					   "openat2",	"statx",      "fsopen",
					   "open_tree", "faccessat2", "close_range",
					   "rseq",	"keyctl",     "get_mempolicy" };
	struct sysset set[TAMIS_ABI_MAX] = { 0 }, always[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_eperm(set), 0);
	assert_int_equal(data_always(always), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset rest = set[abi];

		for (size_t i = 0; i < ARRAY_SIZE(in); i++)
			assert_true(has(set, (enum tamis_abi)abi, in[i]));
		for (size_t i = 0; i < ARRAY_SIZE(out); i++)
			assert_false(has(set, (enum tamis_abi)abi, out[i]));
		sysset_remove(&rest, &always[abi]);
		assert_true(sysset_equal(&rest, &set[abi]));
	}
}

/* --- policies/runtime/ ------------------------------------------------------------------ */

static const char *const setup_calls[] = { "mount",    "umount2",	"pivot_root",  "setns",
					   "unshare",  "seccomp",	"sethostname", "fsopen",
					   "fsconfig", "fsmount",	"open_tree",   "move_mount",
					   "chroot",   "mount_setattr", "bpf" };

static void gates_hold_no_setup_call(void **state)
{
	struct sysset set[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_gate(NULL, set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(setup_calls); i++)
		assert_false(gate_has(set, setup_calls[i]));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_int_equal(sysset_is_empty(&set[abi]), abi != abi_native());
}

/* What a start was seen to fail without, and what the version must not have. */
static void gate_rows(void **state)
{
	static const struct {
		const char *spec;
		const char *in[30];
		const char *out[8];
	} rows[] = {
		{ "runc@1.1.5+ds1",
		  { "capget",	  "capset", "chdir",	  "close",     "execve",     "fstat",
		    "fstatfs",	  "getcwd", "getdents64", "getppid",   "newfstatat", "openat",
		    "prctl",	  "read",   "setgid",	  "setgroups", "setuid",     "write",
		    "faccessat2", "fchown", "futex" },
		  { "openat2", "statx", "close_range", "personality", "uname" } },
		{ "runc@1.0.0~rc93+ds1-5", { "write", "getcwd" }, { "faccessat2", "openat2" } },
		{ "runc@1.1.0", { "faccessat2" }, { "openat2", "close_range" } },
		{ "runc@1.2.0-rc.1", { "close_range", "statx", "personality" }, { NULL } },
		{ "runc@1.3.3", { "openat2", "statx", "close_range", "futex" }, { NULL } },
		{ "runc@1.5.1", { "openat2", "uname", "faccessat" }, { "personality" } },
		{ "runc@1.4.0", { "personality", "openat2" }, { NULL } },
		{ "runc@9.0", { "personality", "openat2", "uname" }, { "setresuid" } },
		{ "runc@0.1", { "personality", "openat2", "uname" }, { "setresuid" } },
		{ "crun@1.8.1",
		  { "capset", "close", "execve", "prctl", "pselect6", "read", "rt_sigaction",
		    "rt_sigprocmask", "setresgid", "setresuid", "write", "statx", "fchown" },
		  { "close_range", "fstat", "futex", "getdents64", "clone" } },
		{ "crun@1.21", { "close_range" }, { "fstat" } },
		{ "crun@1.28", { "close_range", "fstat" }, { "futex" } },
		{ "crun@1.8", { "statx", "pselect6" }, { "close_range" } },
		{ "crun", { "close_range", "fstat", "pselect6" }, { "futex" } },
		{ "runc", { "openat2", "setuid" }, { "setresuid" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sysset set[TAMIS_ABI_MAX] = { 0 };

		assert_int_equal(data_gate(rows[i].spec, set), 0);
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].in) && rows[i].in[k]; k++)
			if (!gate_has(set, rows[i].in[k]))
				fail_msg("%s lacks %s", rows[i].spec, rows[i].in[k]);
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].out) && rows[i].out[k]; k++)
			if (gate_has(set, rows[i].out[k]))
				fail_msg("%s has %s", rows[i].spec, rows[i].out[k]);
	}
}

static void a_runtime_is_within_the_union(void **state)
{
	struct sysset all[TAMIS_ABI_MAX] = { 0 }, sum[TAMIS_ABI_MAX] = { 0 };
	const char *const *name = data_runtimes();

	assert_int_equal(data_gate(NULL, all), 0);
	for (; *name; name++)
		assert_int_equal(data_gate(*name, sum), 0);
	assert_memory_equal(all, sum, sizeof(all));
	assert_string_equal(data_runtimes()[0], "runc");
	assert_true(gate_has(all, "execve"));
}

/* Between two rows: both, and nothing else. */
static void between_rows(void **state)
{
	struct sysset between[TAMIS_ABI_MAX] = { 0 }, both[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_gate("runc@1.1.15", both), 0);
	assert_int_equal(data_gate("runc@1.2.9", both), 0);
	assert_int_equal(data_gate("runc@1.2.0", between), 0);
	assert_memory_equal(between, both, sizeof(both));
}

static void bad_specs(void **state)
{
	static const struct {
		const char *spec;
		int r;
	} rows[] = {
		{ "", -EINVAL },
		{ "@1.1", -EINVAL },
		{ "runc@", -EINVAL },
		{ "runc@x", -EINVAL },
		{ "runc@1..2", -EINVAL },
		{ "runc@1.", -EINVAL },
		{ "runc@1.2;3", -EINVAL },
		{ "runc@-1", -EINVAL },
		{ "runc@1.1.5 ", -EINVAL },
		{ "runc@1.2.3.4.5", -EINVAL },
		{ "runc@9999999999", -EINVAL },
		{ "kata", -ENOENT },
		{ "run", -ENOENT },
		{ "runcx", -ENOENT },
		{ "RUNC", -ENOENT },
		{ "kata@1", -ENOENT },
	};
	struct sysset set[TAMIS_ABI_MAX] = { 0 }, none[TAMIS_ABI_MAX] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(data_gate(rows[i].spec, set), rows[i].r);
	assert_memory_equal(set, none, sizeof(none));
}

static void see(struct learned *l, enum tamis_stage stage, enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	assert_true(nr >= 0);
	sysset_add(&l->set[stage][abi], (unsigned)nr);
}

/* A call of any row of any runtime, and one that is always allowed, is known; in the gate alone. */
static void gate_calls_that_no_table_has(void **state)
{
	const enum tamis_abi native = abi_native();
	struct sysset unknown[TAMIS_ABI_MAX], none = { 0 };
	struct learned l = { 0 };

	assert_int_equal(data_gate("runc@1.1.5", l.set[TAMIS_GATE]), 0);
	assert_int_equal(data_gate("crun@1.28", l.set[TAMIS_GATE]), 0);
	see(&l, TAMIS_GATE, native, "exit_group");
	see(&l, TAMIS_GATE, TAMIS_ABI_ARM, "rt_sigreturn");
	see(&l, TAMIS_WORKLOAD, native, "mount");
	see(&l, TAMIS_SETUP, native, "mount");
	memset(unknown, 0xff, sizeof(unknown));
	assert_int_equal(data_gate_unknown(&l, unknown), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_true(sysset_equal(&unknown[abi], &none));
	see(&l, TAMIS_GATE, native, "mount");
	see(&l, TAMIS_GATE, TAMIS_ABI_ARM, "openat");
	assert_int_equal(data_gate_unknown(&l, unknown), 0);
	assert_true(gate_has(unknown, "mount"));
	assert_int_equal(sysset_count(&unknown[native]), 1);
	assert_true(has(unknown, TAMIS_ABI_ARM, "openat")); /* a runtime is a native program */
	assert_int_equal(sysset_count(&unknown[TAMIS_ABI_ARM]), 1);
}

/* --- policies/engine/fallback ----------------------------------------------------------- */

static struct filter_verdict ask(const struct filter *f, enum tamis_abi abi, const char *name,
				 uint64_t a0, uint64_t a2)
{
	const uint64_t args[FILTER_ARGS] = { a0, 0, a2 };

	return filter_verdict(f, abi, (uint32_t)calls_number(abi, name), args);
}

static void clone_without_namespaces(const struct filter *f, enum tamis_abi abi)
{
	static const uint64_t namespaces[] = { 0x20000,	   0x02000000, 0x04000000, 0x08000000,
					       0x10000000, 0x20000000, 0x40000000, 0x7e020000 };

	assert_int_equal(ask(f, abi, "clone", 0x3d0f00, 0).action, FILTER_ALLOW);   /* a thread */
	assert_int_equal(ask(f, abi, "clone", 0x1200011, 0).action, FILTER_ALLOW);  /* fork */
	assert_int_equal(ask(f, abi, "clone", 0x80000000, 0).action, FILTER_ALLOW); /* CLONE_IO */
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		assert_int_equal(ask(f, abi, "clone", namespaces[i] | 17, 0).action, FILTER_ERRNO);
		assert_int_equal(ask(f, abi, "clone", namespaces[i], 0).errno_ret, EPERM);
	}
	assert_int_equal(ask(f, abi, "clone3", 0, 0).action, FILTER_ERRNO);
	assert_int_equal(ask(f, abi, "clone3", 0, 0).errno_ret, ENOSYS);
}

/* The engines' own conditions, as docker 28 and podman 4.3 have them. */
static bool engines_allow_socket(uint64_t family, uint64_t protocol)
{
	return family != 40 && !(family == 16 && protocol == 9);
}

static void socket_as_both_engines(const struct filter *f, enum tamis_abi abi)
{
	for (uint64_t family = 0; family < 48; family++)
		for (uint64_t protocol = 0; protocol < 300; protocol++) {
			bool exists = family != 16 || protocol < 32;
			bool allowed =
				ask(f, abi, "socket", family, protocol).action == FILTER_ALLOW;

			assert_int_equal(allowed, exists && engines_allow_socket(family, protocol));
		}
	for (uint64_t family = 48; family < 0x1000; family++)
		assert_int_equal(ask(f, abi, "socket", family, 0).action, FILTER_ERRNO);
	/* What the kernel truncates to the refused ones. */
	assert_int_equal(ask(f, abi, "socket", 0x100000028, 0).errno_ret, EAFNOSUPPORT);
	assert_int_equal(ask(f, abi, "socket", 0x100000010, 9).errno_ret, EINVAL);
	assert_int_equal(ask(f, abi, "socket", 16, 0x100000009).errno_ret, EINVAL);
	assert_int_equal(ask(f, abi, "socket", 0x100000002, 0).action, FILTER_ALLOW);
}

static void personality_as_both_engines(const struct filter *f, enum tamis_abi abi)
{
	for (uint64_t p = 0; p < 0x40000; p++) {
		bool allowed = ask(f, abi, "personality", p, 0).action == FILTER_ALLOW;

		assert_int_equal(allowed, p == 0 || p == 8 || p == 0x20000 || p == 0x20008);
	}
	assert_int_equal(ask(f, abi, "personality", 0xffffffff, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(f, abi, "personality", 0x100000000, 0).action, FILTER_ERRNO);
}

static void fallback_is_never_wider(void **state)
{
	_cleanup_(filter_free) struct filter *f = NULL;

	assert_int_equal(data_fallback(&f), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		clone_without_namespaces(f, (enum tamis_abi)abi);
		socket_as_both_engines(f, (enum tamis_abi)abi);
		personality_as_both_engines(f, (enum tamis_abi)abi);
	}
}

static bool rules_are_apart(const struct filter_rule *a, const struct filter_rule *b)
{
	for (unsigned i = 0; i < a->cond_cnt; i++) {
		const struct filter_cond *c = cond_find(b, a->cond[i].index);

		if (c && cond_excludes(&a->cond[i], c))
			return true;
	}
	return false;
}

/* What the file promises, so that libseccomp compiles it right. */
static void fallback_keeps_to_its_form(void **state)
{
	_cleanup_(filter_free) struct filter *f = NULL;

	assert_int_equal(data_fallback(&f), 0);
	for (size_t i = 0; i < f->rule_cnt; i++) {
		const struct filter_rule *a = &f->rule[i];

		for (unsigned c = 0; c < a->cond_cnt; c++)
			assert_true(a->cond[c].op == FILTER_EQ ||
				    a->cond[c].op == FILTER_MASKED_EQ);
		for (size_t k = i + 1; k < f->rule_cnt; k++)
			if (f->rule[k].abi == a->abi && f->rule[k].nr == a->nr &&
			    f->rule[k].action != a->action)
				assert_true(rules_are_apart(a, &f->rule[k]));
	}
}

/* --- reading ---------------------------------------------------------------------------- */

static void words_are_bounded(void **state)
{
	static const char long_word[] = "# comment\n\n \t\n"
					"  a b\tc # d\n"
					"0123456789012345678901234567890123456789abcdefg "
					"0123456789012345678901234567890123456789abcdefgh";
	struct data_text text = { long_word, long_word + sizeof(long_word) - 1 }, line;
	struct sysset set[TAMIS_ABI_MAX] = { 0 };
	char word[DATA_WORD];

	assert_true(data_line(&text, &line));
	for (const char *want = "abc"; *want; want++) {
		assert_int_equal(data_word(&line, word), 1);
		assert_int_equal(word[0], *want);
		assert_int_equal(word[1], '\0');
	}
	assert_int_equal(data_word(&line, word), 0);
	assert_true(data_line(&text, &line));
	assert_int_equal(data_word(&line, word), 1);
	assert_int_equal(data_word(&line, word), -EINVAL);
	assert_false(data_line(&text, &line));
	assert_int_equal(data_add_call("no_such_call", set), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_clean),
		cmocka_unit_test(always_on_every_abi),
		cmocka_unit_test(eperm_is_for_the_privileged),
		cmocka_unit_test(gates_hold_no_setup_call),
		cmocka_unit_test(gate_rows),
		cmocka_unit_test(a_runtime_is_within_the_union),
		cmocka_unit_test(between_rows),
		cmocka_unit_test(bad_specs),
		cmocka_unit_test(gate_calls_that_no_table_has),
		cmocka_unit_test(fallback_is_never_wider),
		cmocka_unit_test(fallback_keeps_to_its_form),
		cmocka_unit_test(words_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
