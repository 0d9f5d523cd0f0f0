/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the embedded text of policies/: lines and words. For data*.c alone. */
#pragma once

#include <stdbool.h>

#include "model/sysset.h"

/* A part of the text, from `p` to `end`; what is read is cut off its front. */
struct data_text {
	const char *p, *end;
};

struct data_text data_text_always(void);
struct data_text data_text_eperm(void);
struct data_text data_text_fallback(void);
struct data_text data_text_runc(void);
struct data_text data_text_crun(void);
struct data_text data_text_guard(void);
struct data_text data_text_widen(void);
struct data_text data_text_translate(void);
struct data_text data_text_never(void);
struct data_text data_text_keep(void);
struct data_text data_text_cves(void);
struct data_text data_text_subsystems(void);
struct data_text data_text_asan(void);
struct data_text data_text_lsan(void);
struct data_text data_text_msan(void);
struct data_text data_text_tsan(void);
struct data_text data_text_ubsan(void);

/* The next line that holds anything but a comment, leading space included. */
bool data_line(struct data_text *text, struct data_text *ret);

#define DATA_WORD 48
/* The next word of a line: 1, 0 at its end, -EINVAL when it is too long. */
int data_word(struct data_text *line, char ret[DATA_WORD]);

/* Adds the call to the set of each ABI that has it; -EINVAL when none has. */
int data_add_call(const char *name, struct sysset ret[TAMIS_ABI_MAX]);
/* Every word is a call: fills the set of each ABI. Untouched on failure. */
int data_list(struct data_text text, struct sysset ret[TAMIS_ABI_MAX]);

/* Lines "GROUP: CALL..." or "GROUP NUMBER: CALL...". */
/* Which of `names` (NULL-terminated) a line is of, cutting that off its front; NULL: of none. Sets
 * *ret_number (may be NULL) where the line has one. */
const char *data_group_line(struct data_text *line, const char *const *names, double *ret_number);
/* Which of them a call is in; NULL: in none. */
const char *data_group(struct data_text text, const char *const *names, const char *call);
/* The subsystem of that name (policies/risk/subsystems), static; NULL: there is none. */
const char *data_subsystem_name(const char *name);
