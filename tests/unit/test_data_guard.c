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

static bool has(const struct sysset set[TAMIS_ABI_MAX], const char *name)
{
	bool any = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, name);

		any |= nr >= 0 && sysset_has(&set[abi], (unsigned)nr);
	}
	return any;
}

static void every_word_is_a_call_once(void **state)
{
	struct data_text text = data_text_guard(), line;
	struct sysset seen[TAMIS_ABI_MAX] = { 0 };
	char word[DATA_WORD];
	int r;

	while (data_line(&text, &line)) {
		while ((r = data_word(&line, word)) > 0) {
			if (has(seen, word))
				fail_msg("%s is there twice", word);
			if (data_add_call(word, seen) < 0)
				fail_msg("no such call: %s", word);
		}
		assert_int_equal(r, 0);
	}
	assert_true(sysset_count(&seen[TAMIS_ABI_X86_64]) > 40);
}

static void what_is_guarded(void **state)
{
	static const char *const in[] = {
		"kexec_load",
		"kexec_file_load",
		"init_module",
		"finit_module",
		"delete_module",
		"bpf",
		"perf_event_open",
		"ptrace",
		"pidfd_getfd",
		"kcmp",
		"process_vm_readv",
		"process_vm_writev",
		"keyctl",
		"add_key",
		"request_key",
		"userfaultfd",
		"io_uring_enter",
		"io_uring_setup",
		"open_by_handle_at",
		"io_uring_register",
		"iopl",
		"ioperm",
		"acct",
		"quotactl",
		"quotactl_fd",
		"swapon",
		"swapoff",
		"reboot",
		"mount",
		"umount",
		"umount2",
		"pivot_root",
		"move_mount",
		"open_tree",
		"open_tree_attr",
		"mount_setattr",
		"fsopen",
		"fsconfig",
		"fsmount",
		"fspick",
		"setns",
		"lookup_dcookie",
		"nfsservctl",
		"settimeofday",
		"clock_settime",
		"clock_settime64",
		"stime",
		"vm86",
	};
	struct sysset set[TAMIS_ABI_MAX];

	assert_int_equal(data_guard(set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		if (!has(set, in[i]))
			fail_msg("%s isn't guarded", in[i]);
}

/* A service would be pending forever. */
static void what_services_need_is_not(void **state)
{
	static const char *const out[] = {
		"execve",
		"execveat",
		"clone",
		"clone3",
		"fork",
		"vfork",
		"unshare",
		"chroot",
		"personality",
		"socket",
		"prctl",
		"seccomp",
		"setuid",
		"setgroups",
		"capset",
		"mknod",
		"adjtimex",
		"mbind",
		"set_mempolicy",
		"splice",
		"sendfile",
		"memfd_create",
		"mlockall",
		"ioctl",
		"sethostname",
		"syslog",
		"name_to_handle_at",
		"pidfd_open",
		"kill",
		"futex",
		"io_setup",
		"io_submit",
		"sched_setscheduler",
		"landlock_restrict_self",
	};
	struct sysset set[TAMIS_ABI_MAX];

	assert_int_equal(data_guard(set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		if (has(set, out[i]))
			fail_msg("%s is guarded", out[i]);
}

/* Neither is asked: starting would depend on a person. */
static void starting_is_not_guarded(void **state)
{
	struct sysset set[TAMIS_ABI_MAX], need[TAMIS_ABI_MAX] = { 0 }, gate[TAMIS_ABI_MAX] = { 0 };

	assert_int_equal(data_guard(set), 0);
	assert_int_equal(data_always(need), 0);
	assert_int_equal(data_gate(NULL, gate), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset rest = set[abi];

		sysset_merge(&need[abi], &gate[abi]);
		sysset_remove(&rest, &need[abi]);
		assert_true(sysset_equal(&rest, &set[abi]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_a_call_once),
		cmocka_unit_test(what_is_guarded),
		cmocka_unit_test(what_services_need_is_not),
		cmocka_unit_test(starting_is_not_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
