/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls by test. Rows in the order in which the calls were first made, so that what each test brought is
 * a step. A letter in each cell stands for its colour where there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "mine/report_part.h"

/* Columns that may be wide; that are too many for paper as they are. */
#define ROOMY 24
#define DENSE 32

enum { MADE = 1, FIRST, ONLY };

static int by_first(const void *left, const void *right)
{
	const struct report_call *a = left, *b = right;
	long long more;

	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	more = (long long)report_len(b->call, "by") - (long long)report_len(a->call, "by");
	if (more != 0)
		return more < 0 ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

static void fill(const struct report_call *c, char *cells, size_t cnt)
{
	const json_t *by;
	size_t i;

	memset(cells, 0, cnt);
	json_array_foreach(json_object_get(c->call, "by"), i, by)
	{
		long long column = report_column(by);

		if (column >= 0 && (size_t)column < cnt)
			cells[column] = MADE;
	}
	if ((size_t)c->column < cnt && cells[c->column])
		cells[c->column] = report_str(c->call, "only") ? ONLY : FIRST;
}

static void row(const json_t *doc, const struct report_call *c, char *cells, size_t cnt, FILE *f)
{
	static const char *const cell[] = { [0] = "<td>",
					    [MADE] = "<td class=m>m",
					    [FIRST] = "<td class=f>f",
					    [ONLY] = "<td class=o>o" };

	fill(c, cells, cnt);
	html(f, "<tr data-call=%zu><th scope=row>", c->index);
	report_name(doc, c->call, f);
	for (size_t i = 0; i < cnt; i++)
		fputs(cell[(int)cells[i]], f);
	putc('\n', f);
}

static void head(const json_t *doc, FILE *f)
{
	const json_t *test;
	size_t i;

	fputs("<colgroup><col><col>", f);
	for (i = 0; i < report_len(doc, "tests"); i++)
		fputs("<col>", f);
	fputs("</colgroup>\n<thead><tr><td><th scope=col><span>start, stop</span>", f);
	json_array_foreach(json_object_get(doc, "tests"), i, test)
		html(f, "<th scope=col><span>%s</span>", report_str(test, "name"));
	fputs("</thead>\n<tbody>\n", f);
}

void report_heat(const json_t *doc, FILE *f)
{
	size_t cnt = 0, columns = report_len(doc, "tests") + 1;
	_free_ struct report_call *calls = report_sorted(doc, by_first, &cnt);
	_free_ char *cells = malloc(columns);

	if (cnt == 0 || !calls || !cells) {
		fputs("<p>No call was seen.</p>\n", f);
		return;
	}
	fputs("<ul class=legend aria-hidden=true><li><i class=m></i>made"
	      "<li><i class=f></i>first made here<li><i class=o></i>made here alone</ul>\n"
	      "<div class=\"scroll heat\" tabindex=0 role=region aria-label=\"Calls by test\">",
	      f);
	html(f,
	     "<table id=heat%s><caption>m: made in this test; f: first made here; o: made in no "
	     "other test</caption>",
	     columns <= ROOMY  ? " class=roomy"
	     : columns > DENSE ? " class=dense"
			       : "");
	head(doc, f);
	for (size_t i = 0; i < cnt; i++)
		row(doc, &calls[i], cells, columns, f);
	fputs("</tbody></table></div>\n", f);
}
