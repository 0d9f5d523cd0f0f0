/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runtime binaries said of themselves, a line each, in a file of STATE: "runtimes" has versions
 * (apply/gate.h), "features" what they can do (apply/features.h).
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#define RUNTIME_SAID_MAX 64

/* -ENOENT: it wasn't asked yet, or isn't the same any more. -EPERM: the file isn't root's alone. */
int runtime_cache_find(const char *state, const char *file, const struct stat *binary,
		       char ret[RUNTIME_SAID_MAX]);
int runtime_cache_add(const char *state, const char *file, const struct stat *binary,
		      const char *said);
