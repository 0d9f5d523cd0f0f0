/* SPDX-License-Identifier: Apache-2.0 */
/* What the policy is worth, what minimising took away, and the policy. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_text.h"
#include "mine/report_part.h"

static void cell(double part, double whole, FILE *f)
{
	html(f, "<td class=n>%.0f<td class=bars>", part);
	html_bar(f, part, whole);
}

static void filter_row(const char *name, const json_t *s, FILE *f)
{
	if (!json_is_object(s))
		return;
	html(f, "<tr><th scope=row>%s", name);
	cell(report_real(s, "calls"), report_real(s, "of"), f);
	cell(report_real(s, "blocked"), report_real(s, "cves"), f);
	html(f, "<td class=n>%lld of %lld<td class=n>%lld\n", report_int(s, "blocked_execve"),
	     report_int(s, "cves_execve"), report_int(s, "guarded"));
}

struct outcome {
	const char *state, *title, *text;
};

static const struct outcome outcomes[] = {
	{ "not needed", "Not needed", "every test passed without them" },
	{ "needed", "Needed", "a test failed without each of them" },
	{ "kept", "Kept", "never tried: tests can't show what these protect" },
	{ "open", "Not tried", "the time was over before" },
};

static bool is_in(const json_t *call, const struct outcome *o)
{
	const char *state = report_str(json_object_get(call, "minimised"), "state");

	return state && strcmp(state, o->state) == 0;
}

static void alone(const json_t *doc, FILE *f)
{
	const json_t *call;
	size_t i, cnt = 0;

	json_array_foreach(json_object_get(doc, "calls"), i, call)
	{
		if (report_len(call, "cves") == 0)
			continue;
		fputs(cnt++ ? "" : "<h3>What one call decides</h3>\n<ul id=alone class=plain>\n",
		      f);
		html(f, "<li><code>%s</code> alone keeps ", report_str(call, "call"));
		report_cves(call, f);
		fputs(" in reach <small>", f);
		report_origin(doc, call, f);
		if (!report_is_risky(call))
			fputs("; no filter that a runtime loads can refuse it", f);
		fputs(is_in(call, &outcomes[0]) ? "; refused after minimising</small>\n"
						: "</small>\n",
		      f);
	}
	fputs(cnt ? "</ul>\n" : "", f);
}

void report_score(const json_t *doc, FILE *f)
{
	const json_t *score = json_object_get(doc, "score");
	const json_t *mined = json_object_get(score, "mined");

	if (!json_is_object(mined)) {
		fputs("<p>There is no policy to score.</p>\n", f);
		return;
	}
	fputs("<div class=scroll tabindex=0 role=region aria-label=Score><table "
	      "id=score><thead><tr>"
	      "<th scope=col>Filter",
	      f);
	html(f,
	     "<th scope=colgroup colspan=2>Calls that pass, of %lld"
	     "<th scope=colgroup colspan=2>Known CVEs blocked, of %lld"
	     "<th scope=col class=n>Those needing execve<th scope=col class=n>Guarded calls that "
	     "pass"
	     "</thead><tbody>\n",
	     report_int(mined, "of"), report_int(mined, "cves"));
	filter_row("No filter", json_object_get(score, "none"), f);
	filter_row("Default profile", json_object_get(score, "default"), f);
	filter_row("Mined", mined, f);
	filter_row("Minimised", json_object_get(score, "minimised"), f);
	fputs("</tbody></table></div>\n<p class=note>With what the runtime and the start of any "
	      "program "
	      "need, too.</p>\n",
	      f);
	alone(doc, f);
}

static size_t count(const json_t *doc, const struct outcome *o)
{
	const json_t *call;
	size_t i, cnt = 0;

	json_array_foreach(json_object_get(doc, "calls"), i, call) cnt += is_in(call, o);
	return cnt;
}

static void list(const json_t *doc, const struct outcome *o, FILE *f)
{
	size_t i, cnt = count(doc, o);
	const json_t *call;

	if (cnt == 0)
		return;
	html(f,
	     "<details%s><summary>%s: <b>%zu</b> <small>%s</small></summary>"
	     "<ul class=\"plain columns\">\n",
	     o == outcomes ? " open" : "", o->title, cnt, o->text);
	json_array_foreach(json_object_get(doc, "calls"), i, call)
	{
		const json_t *m = json_object_get(call, "minimised");
		const char *note = report_str(m, "errno");

		if (!is_in(call, o))
			continue;
		fputs("<li><code>", f);
		report_name(doc, call, f);
		html(f, "</code> <small>%s</small>\n", note ? note : report_str(m, "why"));
	}
	fputs("</ul></details>\n", f);
}

size_t report_gone(const json_t *doc)
{
	return count(doc, &outcomes[0]);
}

/* What is left, and what isn't, in one line. */
static void before_after(const json_t *doc, FILE *f)
{
	size_t before = report_len(doc, "calls"), after = before - report_gone(doc);

	html(f,
	     "<table id=minimised class=compare><tbody><tr><th scope=row>Before<td class=n>%zu"
	     "<td class=bars>",
	     before);
	html_bar(f, (double)before, (double)before);
	html(f, "<tr><th scope=row>After<td class=n>%zu<td class=bars>", after);
	html_bar(f, (double)after, (double)before);
	fputs("</tbody></table>\n", f);
}

void report_minimised(const json_t *doc, FILE *f)
{
	size_t decided = 0;

	for (size_t i = 0; i < 4; i++)
		decided += count(doc, &outcomes[i]);
	if (decided == 0) {
		fputs("<p>Not minimised: <code>tamis mine --minimize</code> tries the tests "
		      "without "
		      "each call.</p>\n",
		      f);
		return;
	}
	before_after(doc, f);
	for (size_t i = 0; i < 4; i++)
		list(doc, &outcomes[i], f);
}

/* Line by line, since a line's end is no part of a name. */
void report_policy(const json_t *doc, FILE *f)
{
	const json_t *policy = json_object_get(doc, "policy");
	_free_ char *text = json_is_object(policy) ? json_text(policy, JSON_INDENT(2)) : NULL;
	char *rest = text, *line;

	if (!text) {
		fputs("<p>No policy was made.</p>\n", f);
		return;
	}
	fputs("<pre id=policy tabindex=0 role=region aria-label=Policy>", f);
	while ((line = strsep(&rest, "\n")))
		html(f, "%s\n", line);
	fputs("</pre>\n", f);
}
