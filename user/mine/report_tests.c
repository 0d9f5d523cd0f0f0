/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests said, without a policy and under it. */
#include <string.h>

#include "mine/report_part.h"

static void tap(const json_t *t, FILE *f)
{
	if (!json_is_object(t))
		return;
	html(f, " <small>%lld ok", report_int(t, "ok"));
	if (report_int(t, "failed") > 0)
		html(f, ", %lld failed", report_int(t, "failed"));
	fputs("</small>", f);
}

static const char *mark(const char *outcome)
{
	return strcmp(outcome, "pass") == 0 ? "✓" : strcmp(outcome, "hung") == 0 ? "◷" : "✗";
}

static void outcome(const json_t *o, FILE *f)
{
	const char *text = report_str(o, "outcome");

	if (!text || strcmp(text, "none") == 0)
		fputs("<span class=none>not run</span>", f);
	else
		html(f, "<span class=\"outcome %s\"><span aria-hidden=true>%s</span> %s</span>",
		     strcmp(text, "pass") == 0 ? "good" : "bad", mark(text), text);
	tap(json_object_get(o, "tap"), f);
	if (report_str(o, "why"))
		html(f, "<br><small>%s</small>", report_str(o, "why"));
}

void report_refused(const json_t *list, FILE *f)
{
	const json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		html(f, "%s<code>%s</code>", i ? ", " : "", report_str(r, "call"));
		if (report_int(r, "count") > 1)
			html(f, " ×%lld", report_int(r, "count"));
		if (report_str(r, "comm"))
			html(f, " <small>by %s</small>", report_str(r, "comm"));
	}
}

static void enforced(const json_t *e, FILE *f)
{
	fputs("<td>", f);
	if (!json_is_object(e)) {
		fputs("<span class=none>not tried</span><td>", f);
		return;
	}
	outcome(e, f);
	fputs("<td class=calls>", f);
	if (report_len(e, "refused") == 0)
		fputs("<span class=none>none</span>", f);
	else
		report_refused(json_object_get(e, "refused"), f);
}

static void row(const json_t *test, FILE *f)
{
	html(f, "<tr><th scope=row>%s<td>", report_str(test, "name"));
	outcome(test, f);
	enforced(json_object_get(test, "enforced"), f);
	html(f, "<td class=n>%lld<td class=n>%lld<td class=n>", report_int(test, "new"),
	     report_int(test, "calls"));
	html_duration(f, report_int(test, "took_ms"));
	putc('\n', f);
}

void report_tests(const json_t *doc, FILE *f)
{
	const json_t *outside = json_object_get(doc, "refused_outside"), *test;
	size_t i;

	if (report_len(doc, "tests") == 0) {
		fputs("<p>No test was run.</p>\n", f);
		return;
	}
	fputs("<div class=scroll tabindex=0 role=region aria-label=Tests><table "
	      "id=tests><thead><tr>"
	      "<th scope=col>Test<th scope=col>Result<th scope=col>Under the policy"
	      "<th scope=col>Refused<th scope=col class=n>New<th scope=col class=n>Calls"
	      "<th scope=col class=n>Time</thead><tbody>\n",
	      f);
	json_array_foreach(json_object_get(doc, "tests"), i, test) row(test, f);
	fputs("</tbody></table></div>\n", f);
	if (json_array_size(outside) > 0) {
		fputs("<p id=outside>Refused while it started or stopped: ", f);
		report_refused(outside, f);
		fputs(".</p>\n", f);
	}
}
