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
#include "model/widen.h"
#include "policy/data.h"

static struct translation *table;
static size_t table_cnt;

static int setup(void **state)
{
	return data_translate(&table, &table_cnt);
}

static int teardown(void **state)
{
	free(table);
	return 0;
}

static void rows_are_of_machines(void **state)
{
	assert_true(table_cnt > 100);
	for (size_t i = 0; i < table_cnt; i++) {
		const struct translation *t = &table[i];

		assert_int_not_equal(t->from, t->to);
		assert_non_null(calls_name(t->from, t->nr));
		assert_non_null(calls_name(t->to, t->nr_to));
	}
}

/* name in `from` becomes `want` in the ABI `to`, seen on a machine whose native ABI is `machine`. */
static bool becomes(enum tamis_abi from, const char *name, enum tamis_abi machine,
		    enum tamis_abi to, const char *want)
{
	struct learned l = { 0 }, ret;
	int nr = calls_number(from, name), nr_want = calls_number(to, want);

	if (nr < 0 || nr_want < 0)
		fail_msg("%s or %s is no call", name, want);
	sysset_add(&l.set[TAMIS_WORKLOAD][from], (unsigned)nr);
	assert_int_equal(learned_translate(&l, machine, table, table_cnt, &ret, NULL), 0);
	return sysset_has(&ret.set[TAMIS_WORKLOAD][to], (unsigned)nr_want);
}

static void how_calls_are_spelled_there(void **state)
{
	static const struct {
		enum tamis_abi from;
		const char *name;
		enum tamis_abi machine, to;
		const char *want;
	} rows[] = {
#define ARM64 TAMIS_ABI_AARCH64, TAMIS_ABI_AARCH64
#define ARM32 TAMIS_ABI_AARCH64, TAMIS_ABI_ARM
#define X64   TAMIS_ABI_X86_64, TAMIS_ABI_X86_64
#define X86   TAMIS_ABI_X86_64, TAMIS_ABI_I386
		{ TAMIS_ABI_X86_64, "open", ARM64, "openat" },
		{ TAMIS_ABI_X86_64, "stat", ARM64, "newfstatat" },
		{ TAMIS_ABI_X86_64, "fork", ARM64, "clone" },
		{ TAMIS_ABI_X86_64, "vfork", ARM64, "clone" },
		{ TAMIS_ABI_X86_64, "select", ARM64, "pselect6" },
		{ TAMIS_ABI_X86_64, "poll", ARM64, "ppoll" },
		{ TAMIS_ABI_X86_64, "epoll_wait", ARM64, "epoll_pwait" },
		{ TAMIS_ABI_X86_64, "dup2", ARM64, "dup3" },
		{ TAMIS_ABI_X86_64, "pipe", ARM64, "pipe2" },
		{ TAMIS_ABI_X86_64, "pause", ARM64, "ppoll" },
		{ TAMIS_ABI_X86_64, "read", ARM64, "read" },
		{ TAMIS_ABI_X32, "open", ARM64, "openat" },
		{ TAMIS_ABI_AARCH64, "openat", X64, "open" },
		{ TAMIS_ABI_AARCH64, "faccessat", X64, "access" },
		{ TAMIS_ABI_AARCH64, "openat", X64, "openat" },
		{ TAMIS_ABI_I386, "socketcall", ARM32, "bind" },
		{ TAMIS_ABI_I386, "mmap", ARM32, "mmap2" },
		{ TAMIS_ABI_I386, "waitpid", ARM32, "wait4" },
		{ TAMIS_ABI_I386, "set_thread_area", ARM32, "set_tls" },
		{ TAMIS_ABI_ARM, "accept", X86, "accept4" },
		{ TAMIS_ABI_ARM, "recv", X86, "recvfrom" },
		{ TAMIS_ABI_ARM, "bind", X86, "socketcall" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!becomes(rows[i].from, rows[i].name, rows[i].machine, rows[i].to, rows[i].want))
			fail_msg("%s of %s is not %s", rows[i].name, abi_name(rows[i].from),
				 rows[i].want);
}

/* Nothing is lost but what belongs to the machine. */
static void what_is_lost(void **state)
{
	static const char *const x86_own[] = {
		"_sysctl",
		"afs_syscall",
		"arch_prctl",
		"create_module",
		"epoll_ctl_old",
		"epoll_wait_old",
		"get_kernel_syms",
		"get_thread_area",
		"getpmsg",
		"ioperm",
		"iopl",
		"modify_ldt",
		"putpmsg",
		"query_module",
		"security",
		"set_thread_area",
		"sysfs",
		"tuxcall",
		"uprobe",
		"uretprobe",
		"uselib",
		"ustat",
		"vserver",
	};
	struct sysset lost[TAMIS_ABI_MAX];
	struct learned l = { 0 }, ret;

	for (unsigned nr = 0; nr < calls_end(TAMIS_ABI_X86_64); nr++)
		if (calls_name(TAMIS_ABI_X86_64, nr))
			sysset_add(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], nr);
	assert_int_equal(learned_translate(&l, TAMIS_ABI_AARCH64, table, table_cnt, &ret, lost), 0);
	for (size_t i = 0; i < ARRAY_SIZE(x86_own); i++)
		sysset_del(&lost[TAMIS_ABI_X86_64],
			   (unsigned)calls_number(TAMIS_ABI_X86_64, x86_own[i]));
	for (int nr = sysset_next(&lost[TAMIS_ABI_X86_64], 0); nr >= 0; nr = -1)
		fail_msg("%s is lost", calls_name(TAMIS_ABI_X86_64, (unsigned)nr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_of_machines),
		cmocka_unit_test(how_calls_are_spelled_there),
		cmocka_unit_test(what_is_lost),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
