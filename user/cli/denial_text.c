/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/denial_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "model/calls.h"

#define TEXT_SHOWN 160 /* bytes of a text from outside */

/* "-" where only the death is known. */
static const char *call_of(const struct store_denial *d, char buf[CALLS_NAME_MAX])
{
	return d->nr < TAMIS_CALLS ? calls_print(d->abi, d->nr, buf) : "-";
}

/* "httpd (12)" */
static char *process_of(const struct store_denial *d)
{
	if (!d->pid)
		return text_format("%s", d->comm ?: "");
	return text_format("%s (%" PRIu32 ")", d->comm ?: "?", d->pid);
}

static void add_row(struct print_table *t, const struct store_denial *d)
{
	_free_ char *process = process_of(d);
	char name[CALLS_NAME_MAX];

	print_cell(t, d->key);
	print_cell(t, call_of(d, name));
	print_cell(t, d->nr < TAMIS_CALLS ? abi_name(d->abi) : "-");
	print_cell(t, denial_kind_name(d->kind));
	print_cell(t, process);
	print_cell_u64(t, d->count);
	print_cell_time(t, d->first);
	print_cell_time(t, d->last);
	if (d->generation)
		print_cell_u64(t, d->generation);
	else
		print_cell(t, NULL);
}

int denial_table(const struct store_denial *d, size_t cnt, FILE *f)
{
	static const char *const headings[] = { "WORKLOAD", "CALL",  "ABI",  "HOW",	  "PROCESS",
						"COUNT",    "FIRST", "LAST", "GENERATION" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < cnt; i++)
		add_row(&t, &d[i]);
	return print_table_write(&t, f);
}

void denial_line(const struct store_denial *d, uint64_t more, FILE *f)
{
	_free_ char *process = process_of(d);
	char name[CALLS_NAME_MAX], last[PRINT_TIME_MAX];

	fprintf(f, "%s ", print_time(d->last, last));
	text_escape(f, d->key ?: "?", SIZE_MAX);
	fprintf(f, ": %s %s %s to ", denial_kind_name(d->kind),
		d->nr < TAMIS_CALLS ? abi_name(d->abi) : "-", call_of(d, name));
	text_escape(f, process && *process ? process : "?", TEXT_SHOWN);
	if (d->exe) {
		fputs(" of ", f);
		text_escape(f, d->exe, TEXT_SHOWN);
	}
	if (more < d->count)
		fprintf(f, ", %" PRIu64 " more, %" PRIu64 " in all", more, d->count);
	else if (more > 1)
		fprintf(f, ", %" PRIu64 " times", more);
	if (d->generation)
		fprintf(f, ", generation %" PRIu32, d->generation);
	fputc('\n', f);
}

static json_t *known(bool is, json_int_t value)
{
	return is ? json_integer(value) : json_null();
}

json_t *denial_json(const struct store_denial *d)
{
	bool has_call = d->nr < TAMIS_CALLS;
	char name[CALLS_NAME_MAX];

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "key",
			 print_json_text(d->key), "abi",
			 has_call ? json_string(abi_name(d->abi)) : json_null(), "nr",
			 known(has_call, d->nr), "name",
			 has_call ? json_string(call_of(d, name)) : json_null(), "how",
			 denial_kind_name(d->kind), "count", (json_int_t)d->count, "first",
			 (json_int_t)d->first, "last", (json_int_t)d->last, "generation",
			 known(d->generation > 0, d->generation), "pid", known(d->pid > 0, d->pid),
			 "comm", print_json_known(d->comm), "exe", print_json_known(d->exe));
}
