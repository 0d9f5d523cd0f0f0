/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel can do: asked by trying, never by its version. */
#pragma once

#include <stdbool.h>

/* x32 calls are answered (CONFIG_X86_X32_ABI and not switched off at boot). */
bool probe_x32(void);
/* The kernel's types are to be had (/sys/kernel/btf/vmlinux). */
bool probe_btf(void);
/* BPF programs can have atomic operations that return what was there: 1, 0, or a negative errno
 * that says nothing about the kernel. */
int probe_atomics(void);
/* `path` is on a bpffs. */
bool probe_is_bpffs(const char *path);
