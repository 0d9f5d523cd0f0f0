/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose gate a start has to pass: the runtime binary found now, by what it says of itself. Asking
 * costs a process, so STATE/runtimes remembers answers by device, inode, size and mtime (root
 * writes it, atomically; whoever can't write asks each time).
 */
#pragma once

#include "model/sysset.h"

/* Merges the gate of the runtime at `path` into ret (TAMIS_ABI_MAX sets). A version newer than the
 * table, youki, and what can't be told: all gates known. `ret_spec` (may be NULL; caller frees):
 * "runc@1.1.5", "all". At most `wait_ms` for the binary's answer. Negative errno only for no
 * memory. */
int gate_of_runtime(const char *state, const char *path, unsigned wait_ms, struct sysset *ret,
		    char **ret_spec);
/* The same for all runtimes installed where engines look for them (/usr/bin, /usr/sbin,
 * /usr/local/{bin,sbin}, /usr/libexec, /usr/lib/cri-o, /usr/libexec/crio); none found: all known. */
int gate_of_installed(const char *state, unsigned wait_ms, struct sysset *ret, char **ret_spec);
