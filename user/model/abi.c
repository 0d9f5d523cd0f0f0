/* SPDX-License-Identifier: Apache-2.0 */
#include "model/abi.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name, *oci;
	uint32_t audit_arch;
	enum tamis_abi native; /* of the kernels that may run it */
} abis[] = {
	[TAMIS_ABI_X86_64] = { "x86_64", "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, TAMIS_ABI_X86_64 },
	[TAMIS_ABI_I386] = { "i386", "SCMP_ARCH_X86", AUDIT_ARCH_I386, TAMIS_ABI_X86_64 },
	[TAMIS_ABI_X32] = { "x32", "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, TAMIS_ABI_X86_64 },
	[TAMIS_ABI_AARCH64] = { "aarch64", "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64,
				TAMIS_ABI_AARCH64 },
	[TAMIS_ABI_ARM] = { "arm", "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, TAMIS_ABI_AARCH64 },
};
_Static_assert(ARRAY_SIZE(abis) == TAMIS_ABI_MAX, "a row for each ABI");

static const char *const stages[] = {
	[TAMIS_SETUP] = "setup",
	[TAMIS_GATE] = "gate",
	[TAMIS_WORKLOAD] = "workload",
	[TAMIS_SESSION] = "session",
};
_Static_assert(ARRAY_SIZE(stages) == TAMIS_STAGE_MAX, "a name for each stage");

const char *abi_name(enum tamis_abi abi)
{
	return (unsigned)abi < TAMIS_ABI_MAX ? abis[abi].name : "?";
}

int abi_from_name(const char *name, enum tamis_abi *ret)
{
	for (unsigned i = 0; i < TAMIS_ABI_MAX; i++)
		if (strcmp(name, abis[i].name) == 0 || strcmp(name, abis[i].oci) == 0) {
			*ret = (enum tamis_abi)i;
			return 0;
		}
	return -ENOENT;
}

const char *abi_oci_name(enum tamis_abi abi)
{
	return (unsigned)abi < TAMIS_ABI_MAX ? abis[abi].oci : "?";
}

uint32_t abi_audit_arch(enum tamis_abi abi)
{
	return (unsigned)abi < TAMIS_ABI_MAX ? abis[abi].audit_arch : 0;
}

enum tamis_abi abi_native(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	return TAMIS_ABI_X86_64;
#elif defined(__aarch64__)
	return TAMIS_ABI_AARCH64;
#else
#error "tamis knows the calls of x86_64 and aarch64"
#endif
}

bool abi_runs_on(enum tamis_abi abi, enum tamis_abi native)
{
	return (unsigned)abi < TAMIS_ABI_MAX && abis[abi].native == native;
}

const char *stage_name(enum tamis_stage stage)
{
	return (unsigned)stage < TAMIS_STAGE_MAX ? stages[stage] : "?";
}

int stage_from_name(const char *name, enum tamis_stage *ret)
{
	for (unsigned i = 0; i < TAMIS_STAGE_MAX; i++)
		if (strcmp(name, stages[i]) == 0) {
			*ret = (enum tamis_stage)i;
			return 0;
		}
	return -ENOENT;
}
