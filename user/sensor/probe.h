/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel can do: asked by trying, never by its version. */
#pragma once

#include <stdbool.h>

/* Where the types of a kernel that was built without them may be supplied: its release, then ".btf". */
#define PROBE_BTF_DIR "/etc/tamis/btf"

/* x32 calls are answered (CONFIG_X86_X32_ABI and not switched off at boot). */
bool probe_x32(void);
/* The kernel has its types with it (/sys/kernel/btf/vmlinux). */
bool probe_btf(void);
/* Where the administrator has supplied this kernel's types, or would. NULL without memory. Caller frees. */
char *probe_btf_path(void);
/* BPF programs can have atomic operations that return what was there: 1, 0, or a negative errno
 * that says nothing about the kernel. */
int probe_atomics(void);
/* `path` is on a bpffs. */
bool probe_is_bpffs(const char *path);
