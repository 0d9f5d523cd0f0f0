/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What starts note down in STATE for whoever asks later: a line each, fields between blanks, "." at
 * its end. Lines are appended with one write, so nobody locks; what isn't a whole line says nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTE_TIME_MAX 64

/* --- fields ------------------------------------------------------------------------------- */

/* "MS@BOOT"; `boot` up to its newline, NULL or odd: "-". */
int note_time_print(int64_t ms, const char *boot, char ret[NOTE_TIME_MAX]);
/* CLOCK_BOOTTIME, and such a time in this boot. */
int64_t note_now_ms(void);
int note_time(int64_t ms, char ret[NOTE_TIME_MAX]);

/* At most max bytes of s as a field: what would end one as %XX. Caller frees; NULL: no memory. */
char *note_field(const char *s, size_t max);
/* "-" for what is unknown: NULL, "". */
const char *note_or_unknown(const char *s);
bool note_is_known(const char *field);
/* note_field the other way, in place. */
void note_unescape(char *s);

/* Cuts a line in place: its fields, without the "." that says it is whole. False: it isn't, or has more
 * than `max`. */
bool note_split(char *line, char *field[], size_t max, size_t *ret_cnt);

/* --- files -------------------------------------------------------------------------------- */

/* A directory of root's that nobody else can write to, or with `alone` look into. */
int note_open_dir(int at, const char *path, bool alone);
/* The whole text, up to `max` bytes. -ENOENT; -EPERM: no regular file. Caller frees. */
int note_read(int dir, const char *name, size_t max, char **ret);
/* One write, so that lines of others stay whole. What begins it ends a line that was torn. */
int note_append(int dir, const char *name, const char *text);
/* `head`, and of `text` (what is in the file) the newest `keep` bytes, from a whole line on. */
int note_cut(int dir, const char *name, const char *head, const char *text, size_t keep);
