/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/calls_tables.h"

/* From the kernel's own tables, picked where ABIs differ. */
static const struct {
	enum tamis_abi abi;
	int nr;
	const char *name;
} rows[] = {
	{ TAMIS_ABI_X86_64, 0, "read" },
	{ TAMIS_ABI_X86_64, 59, "execve" },
	{ TAMIS_ABI_X86_64, 262, "newfstatat" },
	{ TAMIS_ABI_X86_64, 335, "uretprobe" },
	{ TAMIS_ABI_X86_64, 435, "clone3" },
	{ TAMIS_ABI_X86_64, 471, "rseq_slice_yield" },
	{ TAMIS_ABI_I386, 11, "execve" },
	{ TAMIS_ABI_I386, 102, "socketcall" },
	{ TAMIS_ABI_I386, 300, "fstatat64" },
	{ TAMIS_ABI_I386, 359, "socket" },
	{ TAMIS_ABI_I386, 403, "clock_gettime64" },
	{ TAMIS_ABI_X32, 0, "read" },
	{ TAMIS_ABI_X32, 512, "rt_sigaction" },
	{ TAMIS_ABI_X32, 520, "execve" },
	{ TAMIS_ABI_X32, 547, "pwritev2" },
	{ TAMIS_ABI_AARCH64, 38, "renameat" },
	{ TAMIS_ABI_AARCH64, 56, "openat" },
	{ TAMIS_ABI_AARCH64, 79, "newfstatat" },
	{ TAMIS_ABI_AARCH64, 163, "getrlimit" },
	{ TAMIS_ABI_AARCH64, 221, "execve" },
	{ TAMIS_ABI_AARCH64, 447, "memfd_secret" },
	{ TAMIS_ABI_ARM, 11, "execve" },
	{ TAMIS_ABI_ARM, 327, "fstatat64" },
	{ TAMIS_ABI_ARM, TAMIS_ARM_PRIVATE + 2, "cacheflush" },
	{ TAMIS_ABI_ARM, TAMIS_ARM_PRIVATE + 5, "set_tls" },
};

/* Absent on purpose: 32-bit forms on 64-bit ABIs, gaps, the other table's numbers. */
static const struct {
	enum tamis_abi abi;
	const char *name;
} absent[] = {
	{ TAMIS_ABI_X86_64, "fstatat64" },     { TAMIS_ABI_X86_64, "socketcall" },
	{ TAMIS_ABI_X86_64, "set_tls" },       { TAMIS_ABI_X86_64, "clock_gettime64" },
	{ TAMIS_ABI_X32, "map_shadow_stack" }, { TAMIS_ABI_AARCH64, "open" },
	{ TAMIS_ABI_AARCH64, "fstatat64" },    { TAMIS_ABI_AARCH64, "clock_gettime64" },
	{ TAMIS_ABI_ARM, "memfd_secret" },     { TAMIS_ABI_X86_64, "" },
	{ TAMIS_ABI_X86_64, "Read" },	       { TAMIS_ABI_X86_64, "zzz" },
};

static void known_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(calls_name(rows[i].abi, (unsigned)rows[i].nr), rows[i].name);
		assert_int_equal(calls_number(rows[i].abi, rows[i].name), rows[i].nr);
	}
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_int_equal(calls_number(absent[i].abi, absent[i].name), -ENOENT);
}

static void tables_are_whole(void **state)
{
	static const unsigned least[] = { 385, 460, 370, 325, 430 };

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct calls_table *t = &calls_tables[abi];
		unsigned cnt = 0;

		assert_true(t->cnt >= least[abi]);
		assert_int_equal(calls_end((enum tamis_abi)abi), t->end);
		assert_non_null(calls_name((enum tamis_abi)abi, t->end - 1));
		for (unsigned i = 1; i < t->cnt; i++)
			assert_true(strcmp(t->name[t->by_name[i - 1]], t->name[t->by_name[i]]) < 0);
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			const char *name = calls_name((enum tamis_abi)abi, nr);

			if (!name)
				continue;
			assert_true(strlen(name) < CALLS_NAME_MAX);
			assert_int_equal(calls_number((enum tamis_abi)abi, name), nr);
			cnt++;
		}
		assert_int_equal(cnt, t->cnt);
	}
}

static void agrees_with_the_compiler(void **state)
{
	assert_int_equal(calls_number(abi_native(), "openat"), SYS_openat);
	assert_int_equal(calls_number(abi_native(), "clone"), SYS_clone);
	assert_int_equal(calls_number(abi_native(), "getdents64"), SYS_getdents64);
	assert_int_equal(calls_number(abi_native(), "futex_waitv"), SYS_futex_waitv);
}

static void out_of_range(void **state)
{
	assert_null(calls_name(TAMIS_ABI_X86_64, 400));
	assert_null(calls_name(TAMIS_ABI_X86_64, TAMIS_CALLS));
	assert_null(calls_name(TAMIS_ABI_X86_64, ~0u));
	assert_null(calls_name(TAMIS_ABI_MAX, 0));
	assert_int_equal(calls_number(TAMIS_ABI_MAX, "read"), -ENOENT);
	assert_int_equal(calls_end(TAMIS_ABI_MAX), 0);
}

static void print_and_parse(void **state)
{
	static const struct {
		const char *text;
		int nr;
	} parse[] = {
		{ "read", 0 },	      { "#0", 0 },
		{ "#400", 400 },      { "#575", 575 },
		{ "#576", -ENOENT },  { "#", -ENOENT },
		{ "#1x", -ENOENT },   { "#-1", -ENOENT },
		{ "# 1", -ENOENT },   { "", -ENOENT },
		{ "0", -ENOENT },     { "#99999", -ENOENT },
		{ "read ", -ENOENT }, { "#4294967296", -ENOENT },
	};
	char buf[CALLS_NAME_MAX];

	assert_string_equal(calls_print(TAMIS_ABI_X86_64, 1, buf), "write");
	assert_string_equal(calls_print(TAMIS_ABI_X86_64, 400, buf), "#400");
	assert_string_equal(calls_print(TAMIS_ABI_X86_64, ~0u, buf), "#4294967295");
	for (size_t i = 0; i < ARRAY_SIZE(parse); i++)
		assert_int_equal(calls_parse(TAMIS_ABI_X86_64, parse[i].text), parse[i].nr);
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
		assert_int_equal(calls_parse(TAMIS_ABI_ARM, calls_print(TAMIS_ABI_ARM, nr, buf)),
				 nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_rows),
		cmocka_unit_test(tables_are_whole),
		cmocka_unit_test(agrees_with_the_compiler),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(print_and_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
