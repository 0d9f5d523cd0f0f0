/* SPDX-License-Identifier: Apache-2.0 */
/* A stream into memory whose failures show. Of open_memstream() they don't: out of memory it leaves bytes
 * out, or gives no text, and fclose() returns 0. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* What is written goes to *ret, with a NUL behind it and without in *ret_len, both true after fflush() and
 * fclose(). The caller frees *ret. When a byte could not be kept, fclose() returns EOF, and *ret is NULL.
 * NULL, out of memory: nothing was touched. ftell() works, seeking doesn't. */
FILE *stream_open(char **ret, size_t *ret_len);
