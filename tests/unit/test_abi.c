/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/abi.h"

static const struct {
	enum tamis_abi abi;
	const char *name, *oci;
	uint32_t arch;
	bool on_x86_64, on_aarch64;
} rows[] = {
	{ TAMIS_ABI_X86_64, "x86_64", "SCMP_ARCH_X86_64", 0xc000003e, true, false },
	{ TAMIS_ABI_I386, "i386", "SCMP_ARCH_X86", 0x40000003, true, false },
	{ TAMIS_ABI_X32, "x32", "SCMP_ARCH_X32", 0xc000003e, true, false },
	{ TAMIS_ABI_AARCH64, "aarch64", "SCMP_ARCH_AARCH64", 0xc00000b7, false, true },
	{ TAMIS_ABI_ARM, "arm", "SCMP_ARCH_ARM", 0x40000028, false, true },
};

static void names_both_ways(void **state)
{
	assert_int_equal(ARRAY_SIZE(rows), TAMIS_ABI_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum tamis_abi abi = TAMIS_ABI_MAX;

		assert_string_equal(abi_name(rows[i].abi), rows[i].name);
		assert_string_equal(abi_oci_name(rows[i].abi), rows[i].oci);
		assert_int_equal(abi_audit_arch(rows[i].abi), rows[i].arch);
		assert_int_equal(abi_from_name(rows[i].name, &abi), 0);
		assert_int_equal(abi, rows[i].abi);
		abi = TAMIS_ABI_MAX;
		assert_int_equal(abi_from_name(rows[i].oci, &abi), 0);
		assert_int_equal(abi, rows[i].abi);
	}
}

static void unknown_names_leave_the_output(void **state)
{
	static const char *const bad[] = { "", "x86", "X86_64", "SCMP_ARCH_ARM64", "x86_64 " };
	enum tamis_abi abi = TAMIS_ABI_X32;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(abi_from_name(bad[i], &abi), -ENOENT);
	assert_int_equal(abi, TAMIS_ABI_X32);
	assert_string_equal(abi_name(TAMIS_ABI_MAX), "?");
	assert_string_equal(abi_oci_name((enum tamis_abi) - 1), "?");
	assert_int_equal(abi_audit_arch(TAMIS_ABI_MAX), 0);
}

static void compat_abis(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(abi_runs_on(rows[i].abi, TAMIS_ABI_X86_64), rows[i].on_x86_64);
		assert_int_equal(abi_runs_on(rows[i].abi, TAMIS_ABI_AARCH64), rows[i].on_aarch64);
		assert_false(abi_runs_on(rows[i].abi, TAMIS_ABI_I386));
	}
	assert_false(abi_runs_on(TAMIS_ABI_MAX, TAMIS_ABI_X86_64));
	assert_true(abi_runs_on(abi_native(), abi_native()));
}

static void stages(void **state)
{
	static const char *const names[] = { "setup", "gate", "workload", "session" };
	enum tamis_stage stage;

	assert_int_equal(ARRAY_SIZE(names), TAMIS_STAGE_MAX);
	for (unsigned i = 0; i < TAMIS_STAGE_MAX; i++) {
		stage = TAMIS_STAGE_MAX;
		assert_string_equal(stage_name((enum tamis_stage)i), names[i]);
		assert_int_equal(stage_from_name(names[i], &stage), 0);
		assert_int_equal(stage, i);
	}
	assert_int_equal(stage_from_name("Gate", &stage), -ENOENT);
	assert_int_equal(stage, TAMIS_SESSION);
	assert_string_equal(stage_name(TAMIS_STAGE_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_both_ways),
		cmocka_unit_test(unknown_names_leave_the_output),
		cmocka_unit_test(compat_abis),
		cmocka_unit_test(stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
