/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a trial's file (apply/trial.h), and its records. */
#pragma once

#include "apply/trial.h"
#include "base/cleanup.h"

#define TRIAL_ID_MAX (sizeof(((struct trial_start *)0)->id) - 1)

/* Between two boots, of which nobody knows how far apart they are. */
#define TRIAL_BOOT_MS (INT64_C(1) << 50)

/* Its key. Caller frees; NULL: it has none. */
char *trial_text_key(const char *text);

/* Is there a start of that id (as a field) whose end isn't known, and that wasn't followed by another
 * one until `time`? With `trial` only one of a generation that is on trial. NULL: no. */
bool trial_text_awaits(const char *text, const char *id, bool trial, const char *time);

/* As trial_read; `now` by note_time_print. */
int trial_text_read(const char *text, uint32_t generation, const char *now, const char *mount,
		    struct trial *ret);

/* A start, and what is known of its end. Texts lie in the file's copy. */
struct record {
	uint32_t generation;
	int64_t began, ended; /* ms of their boots; ended -1 */
	size_t boot;	      /* index */
	enum trial_end end;   /* RUNS: no end was noted */
	int code;
	char *id, *cgroup;
	bool over; /* its container started again */
};

struct book {
	char *text;
	struct record *record;
	size_t cnt;
	const char **boot;
	size_t boot_cnt;
};

/* What isn't a whole line says nothing. */
int book_read(const char *text, struct book *b);
void book_done(struct book *b);
static inline void book_donep(struct book *b)
{
	book_done(b);
}
#define _book_ __attribute__((cleanup(book_donep)))

/* "MS@BOOT", cut in place, which has to stay. -EINVAL. */
int book_time(struct book *b, char *field, int64_t *ret_ms, size_t *ret_boot);

/* The newest start of a container among the first `before`. NULL: none, or an unknown id. */
struct record *book_newest(const struct book *b, const char *id, size_t before);
