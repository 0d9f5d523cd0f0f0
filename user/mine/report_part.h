/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside user/mine/report*.c. Each part writes what stands in the template (report.html) as {{name}},
 * and says honestly what is missing: any key of the document may be null. Numbers and names are taken as
 * they come; only their places in lists are checked.
 */
#pragma once

#include <stdbool.h>

#include "mine/html.h"
#include "mine/report.h"

void report_head(const json_t *doc, FILE *f);
void report_figures(const json_t *doc, FILE *f);
void report_curve(const json_t *doc, FILE *f);
void report_estimate(const json_t *doc, FILE *f);
void report_tests(const json_t *doc, FILE *f);
void report_heat(const json_t *doc, FILE *f);
void report_groups(const json_t *doc, FILE *f);
void report_calls(const json_t *doc, FILE *f);
void report_minimised(const json_t *doc, FILE *f);
void report_score(const json_t *doc, FILE *f);
void report_policy(const json_t *doc, FILE *f);

/* The calls with their places in the document, in an order of the part's own; caller frees. NULL: no
 * memory. */
struct report_call {
	const json_t *call;
	size_t index;
	long long column; /* of the unit that made it first: 0 for start and stop, 1.. for tests */
};
struct report_call *report_sorted(const json_t *doc, int (*compare)(const void *, const void *),
				  size_t *ret_cnt);
/* Column of calls' `by`: 0 for -1. */
long long report_column(const json_t *by);
/* "9 of 12 tests, start or stop" */
void report_units(const json_t *doc, const json_t *call, FILE *f);
/* "splice", or "splice (i386)" where the call isn't of the ABI of most. */
void report_name(const json_t *doc, const json_t *call, FILE *f);
/* Worth a mark: guarded, or alone in keeping a hole open. Never execve, which no filter can refuse that
 * a runtime loads. */
bool report_is_risky(const json_t *call);
/* Calls that minimising took away. */
size_t report_gone(const json_t *doc);
/* "CVE-2022-0847, CVE-2009-2692" */
void report_cves(const json_t *call, FILE *f);
/* Hidden words and a mark for each thing that is dangerous about a call. */
void report_marks(const json_t *call, FILE *f);
/* In one line: who made it first, how many did, which program. */
void report_origin(const json_t *doc, const json_t *call, FILE *f);
/* "execve, read and 3 more" of a list of {"call": ...}. */
void report_refused(const json_t *list, FILE *f);

static inline const char *report_str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static inline long long report_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static inline double report_real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static inline size_t report_len(const json_t *o, const char *key)
{
	return json_array_size(json_object_get(o, key));
}

static inline bool report_is(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static inline const char *report_s(long long n)
{
	return n == 1 ? "" : "s";
}
