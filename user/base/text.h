/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside is hostile: escape what is shown, bound what is parsed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the character at text (of which `len` bytes may be read) when it can be shown as it
 * is; 0 when its first byte must be escaped: control characters, what is not UTF-8, and what
 * reorders or hides the text around it (bidirectional marks, line separators, BOM). */
size_t text_char(const char *text, size_t len);

/* Bytes of the well-formed UTF-8 sequence at text, whatever it stands for, which goes to *ret (may be
 * NULL); 0 when there is none. */
size_t text_utf8(const char *text, size_t len, uint32_t *ret);

/* Writes s with control characters, backslashes and invalid UTF-8 as \xNN. At most `max`
 * bytes of s are looked at (no NUL among them: "..." follows); pass SIZE_MAX for all. */
void text_escape(FILE *f, const char *s, size_t max);

/* The same of what may be escaped already in part: backslashes stay. */
void text_escape_again(FILE *f, const char *s, size_t max);

/* text_escape into fresh memory; NULL when out of memory. Caller frees. */
char *text_escaped(const char *s, size_t max);

/* A decimal number, the whole string, at most `max`. -EINVAL, or -ERANGE when too large. */
int text_u64(const char *s, uint64_t max, uint64_t *ret);

/* Like asprintf, but returns the string or NULL. */
char *text_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A failure with its sentence, which goes to *ret_why (caller frees). Returns r, or -ENOMEM. */
int text_why(int r, char **ret_why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
