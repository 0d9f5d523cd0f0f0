/* SPDX-License-Identifier: Apache-2.0 */
/* ABIs and stages by name. The enums themselves are shared with the kernel half. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

/* "x86_64", "i386", "x32", "aarch64", "arm". */
const char *abi_name(enum tamis_abi abi);
/* Also takes the SCMP_ARCH_ names. -ENOENT when unknown. */
int abi_from_name(const char *name, enum tamis_abi *ret);
/* The OCI runtime-spec's name ("SCMP_ARCH_X86_64", ...). */
const char *abi_oci_name(enum tamis_abi abi);
/* AUDIT_ARCH_* (linux/audit.h); x32 shares x86_64's and sets TAMIS_X32_BIT in numbers. */
uint32_t abi_audit_arch(enum tamis_abi abi);
/* What this build runs on. */
enum tamis_abi abi_native(void);
/* Whether a kernel whose native ABI is `native` may run `abi` (i386 and x32 on x86_64, arm
 * on aarch64). */
bool abi_runs_on(enum tamis_abi abi, enum tamis_abi native);

/* "setup", "gate", "workload", "session". */
const char *stage_name(enum tamis_stage stage);
int stage_from_name(const char *name, enum tamis_stage *ret);
