/* SPDX-License-Identifier: Apache-2.0 */
/* Writing HTML where every string is from outside: what isn't in a format is escaped. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Text or the value of a quoted attribute; NULL: nothing. What would move or hide the text around it is
 * shown as \xNN, as everywhere. */
void html_text(FILE *f, const char *s);

/* The format is markup and goes out as it is. %s is html_text; %d, %u, %zu, %lld and %f (with a
 * precision) as in printf(3), and %% is a per cent sign. Nothing else. */
void html(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A share that an estimate can't say is whole: "97.2 %", rounded down, 99.9 % at most. */
void html_share(FILE *f, double share);
/* "850 ms", "4.2 s", "3 min 12 s" */
void html_duration(FILE *f, int64_t ms);
/* A length of `part` of `whole`, for the eye: the number is in the text. */
void html_bar(FILE *f, double part, double whole);
