/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime binary says of itself. */
#pragma once

#include <stddef.h>

/* Runs "PATH --version" without an environment and takes the first line, "runc version 1.1.5", as
 * "runc@1.1.5". It is killed once that line is there, or when it is late. -ETIME: it was; -EINVAL:
 * what it said is no such line; -errno: it can't be run. */
int runtime_ask(const char *path, unsigned wait_ms, char *ret, size_t room);

/* The same from a text. Pure. */
int runtime_version_parse(const char *line, char *ret, size_t room);

/* All that "PATH ARG" writes to standard output, run likewise, cut at `max` bytes. Caller frees. */
int runtime_tells(const char *path, const char *arg, unsigned wait_ms, size_t max, char **ret,
		  size_t *ret_len);
