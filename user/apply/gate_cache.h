/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/runtimes: what runtime binaries said of themselves, a line each. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#define GATE_SPEC_MAX 64

/* -ENOENT: it wasn't asked yet, or isn't the same any more. -EPERM: the file isn't root's alone. */
int gate_cache_find(const char *state, const struct stat *binary, char ret[GATE_SPEC_MAX]);
int gate_cache_add(const char *state, const struct stat *binary, const char *spec);
