/* SPDX-License-Identifier: Apache-2.0 */
/* How commands show what the store knows: for people as columns, for scripts as JSON. Text
 * from outside is escaped in the one; in the other JSON's own escapes do it, and only what is
 * no UTF-8 becomes \xNN. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/generations.h"

/* "2026-01-31 23:59:59Z", "-" for never. */
#define PRINT_TIME_MAX 32
const char *print_time(int64_t seconds, char buf[PRINT_TIME_MAX]);

/* What a workload is under: "observe", "shadow 3", "probation 3", "enforce 3", and with a generation
 * that isn't good (yet) "enforce 3 trial", "enforce 3 failed". */
#define PRINT_MODE_MAX 48
const char *print_mode(const struct store_row *row, char buf[PRINT_MODE_MAX]);

/* What a row's evidence is worth, in plain words: observed, partial, lost. */
void print_evidence(const struct evidence *e, FILE *f);

/* Columns as wide as their widest cell; the first line holds the headings. */
struct print_table {
	size_t columns;
	char **cell;
	size_t cnt, room;
	bool failed;
};

#define PRINT_TABLE(n) ((struct print_table){ .columns = (n) })
void print_table_done(struct print_table *t);
static inline void print_table_donep(struct print_table *t)
{
	print_table_done(t);
}

/* The next cell, left to right. NULL and "" are shown as "-". */
void print_cell(struct print_table *t, const char *text);
void print_cell_u64(struct print_table *t, uint64_t value);
void print_cell_time(struct print_table *t, int64_t seconds);
/* -ENOMEM when a cell was lost. */
int print_table_write(const struct print_table *t, FILE *f);

/* New references; NULL when out of memory. */
json_t *print_json_text(const char *text);  /* null for NULL */
json_t *print_json_known(const char *text); /* and for "" */
/* The rule that it is answered by in probation, null where none is. */
json_t *print_json_rule(const struct store_applied *a);
json_t *print_json_texts(char *const *text, size_t cnt);
/* A WORKLOAD of tamis(1), JSON; so many of its calls wait for a person's word. */
json_t *print_json_row(const struct store_row *row, unsigned pending);
/* Takes the reference over; NULL is -ENOMEM. Ends with a newline. */
int print_json(json_t *json, FILE *f);
