/* SPDX-License-Identifier: Apache-2.0 */
/* Another program's output, when it may hang, fail or never stop talking. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The program's path in PATH (then /usr/sbin, /sbin), or NULL. Caller frees. */
char *capture_find(const char *name);

/* Runs argv[0] (a path; no shell) with nothing to read, its errors dropped. At most size - 1
 * bytes of what it prints go to buf, NUL-terminated; the rest is read and dropped. 0 when it
 * exited with 0; -ETIMEDOUT (it was killed, with its children), -EIO when it failed otherwise. */
int capture_run(char *const argv[], unsigned timeout_ms, char *buf, size_t size);
