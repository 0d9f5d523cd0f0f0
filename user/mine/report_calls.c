/* SPDX-License-Identifier: Apache-2.0 */
/* The calls: by subsystem of the kernel, and each with all that is known of it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "mine/report_part.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = report_str(o, key);

	return s ? s : "";
}

long long report_column(const json_t *by)
{
	return json_is_integer(by) ? json_integer_value(by) + 1 : -1;
}

/* Where `first` is null, it was the start, whatever else made it. */
static long long first_column(const json_t *call)
{
	const json_t *by;
	long long first = -1;
	size_t i;

	if (!report_str(call, "first"))
		return 0;
	json_array_foreach(json_object_get(call, "by"), i, by)
	{
		long long column = report_column(by);

		if (column > 0 && (first < 0 || column < first))
			first = column;
	}
	return first < 0 ? 0 : first;
}

struct report_call *report_sorted(const json_t *doc, int (*compare)(const void *, const void *),
				  size_t *ret_cnt)
{
	size_t cnt = report_len(doc, "calls"), i;
	struct report_call *calls = calloc(cnt + 1, sizeof(*calls));
	const json_t *call;

	if (!calls)
		return NULL;
	json_array_foreach(json_object_get(doc, "calls"), i, call) calls[i] =
		(struct report_call){ call, i, first_column(call) };
	qsort(calls, cnt, sizeof(*calls), compare);
	*ret_cnt = cnt;
	return calls;
}

/* Of most of them: of the first is near enough to it, and needs no counting. */
static const char *main_abi(const json_t *doc)
{
	return text(json_array_get(json_object_get(doc, "calls"), 0), "abi");
}

void report_name(const json_t *doc, const json_t *call, FILE *f)
{
	const char *abi = text(call, "abi");

	html(f, "%s", text(call, "call"));
	if (strcmp(abi, main_abi(doc)) != 0)
		html(f, " <small>%s</small>", abi);
}

static bool has_way(const json_t *call)
{
	return report_len(call, "cves") > 0 && strncmp(text(call, "call"), "execve", 6) != 0;
}

bool report_is_risky(const json_t *call)
{
	return has_way(call) || report_is(call, "guarded");
}

void report_cves(const json_t *call, FILE *f)
{
	const json_t *cve;
	size_t i;

	json_array_foreach(json_object_get(call, "cves"), i, cve)
		html(f, "%s<span class=cve>%s</span>", i ? ", " : "", json_string_value(cve));
}

static void mark(const char *sign, const char *words, FILE *f)
{
	html(f, "<span class=mark aria-hidden=true>%s</span><span class=vh>, %s</span>", sign,
	     words);
}

void report_marks(const json_t *call, FILE *f)
{
	if (has_way(call))
		mark("▲", "alone keeps a CVE in reach", f);
	if (report_is(call, "guarded"))
		mark("◆", "guarded", f);
	if (report_is(call, "pending"))
		mark("?", "waits for a person's word", f);
}

void report_units(const json_t *doc, const json_t *call, FILE *f)
{
	const json_t *by;
	size_t i, tests = 0;

	json_array_foreach(json_object_get(call, "by"), i, by) tests += report_column(by) > 0;
	html(f, "%zu of %zu tests%s", tests, report_len(doc, "tests"),
	     tests < report_len(call, "by") ? ", start or stop" : "");
}

void report_origin(const json_t *doc, const json_t *call, FILE *f)
{
	const char *first = report_str(call, "first"), *only = report_str(call, "only");

	if (only)
		html(f, "only in %s", only);
	else
		html(f, "first in %s", first ? first : "the start");
	fputs("; ", f);
	report_units(doc, call, f);
	if (report_str(call, "comm"))
		html(f, "; %s", text(call, "comm"));
	if (report_str(call, "exe"))
		html(f, " (%s)", text(call, "exe"));
}

static const char *minimised_state(const json_t *call)
{
	return text(json_object_get(call, "minimised"), "state");
}

static void chip(const json_t *doc, const struct report_call *c, FILE *f)
{
	bool gone = strcmp(minimised_state(c->call), "not needed") == 0;

	html(f, "<li><button type=button class=\"call%s%s\" data-call=%zu title=\"",
	     report_is_risky(c->call) ? " risk" : "", gone ? " gone" : "", c->index);
	report_origin(doc, c->call, f);
	fputs("\">", f);
	report_name(doc, c->call, f);
	report_marks(c->call, f);
	if (gone)
		fputs("<span class=vh>, not needed</span>", f);
	fputs("</button>", f);
}

static int by_subsystem(const void *left, const void *right)
{
	const struct report_call *a = left, *b = right;
	const char *one = text(a->call, "subsystem"), *other = text(b->call, "subsystem");
	bool last = strcmp(one, "other") == 0;

	if (last != (strcmp(other, "other") == 0))
		return last ? 1 : -1;
	if (strcmp(one, other) != 0)
		return strcmp(one, other);
	if (strcmp(text(a->call, "call"), text(b->call, "call")) != 0)
		return strcmp(text(a->call, "call"), text(b->call, "call"));
	return a->index < b->index ? -1 : 1;
}

static void group(const json_t *doc, const struct report_call *c, size_t cnt, FILE *f)
{
	size_t risky = 0;

	for (size_t i = 0; i < cnt; i++)
		risky += report_is_risky(c[i].call);
	html(f, "<section class=group><h3>%s <small>%zu", text(c->call, "subsystem"), cnt);
	if (risky > 0)
		html(f, ", <span class=risky>%zu with a risk</span>", risky);
	fputs("</small></h3>\n<ul class=chips>", f);
	for (size_t i = 0; i < cnt; i++)
		chip(doc, &c[i], f);
	fputs("</ul></section>\n", f);
}

void report_groups(const json_t *doc, FILE *f)
{
	size_t cnt = 0, start = 0;
	_free_ struct report_call *calls = report_sorted(doc, by_subsystem, &cnt);

	if (cnt == 0 || !calls) {
		fputs("<p>No call was seen.</p>\n", f);
		return;
	}
	fputs("<ul class=legend><li><span class=mark>▲</span>alone keeps a CVE in reach"
	      "<li><span class=mark>◆</span>guarded: needs a person's word"
	      "<li><s>call</s> not needed, after minimising</ul>\n<div id=groups>\n",
	      f);
	for (size_t i = 1; i <= cnt; i++) {
		if (i < cnt && strcmp(text(calls[i].call, "subsystem"),
				      text(calls[start].call, "subsystem")) == 0)
			continue;
		group(doc, &calls[start], i - start, f);
		start = i;
	}
	fputs("</div>\n", f);
}

static void risks(const json_t *call, FILE *f)
{
	report_cves(call, f);
	if (report_is(call, "guarded"))
		html(f, "%sguarded", report_len(call, "cves") ? ", " : "");
	if (report_is(call, "pending"))
		fputs(", pending", f);
}

static void minimised(const json_t *m, FILE *f)
{
	html(f, "<td>%s", text(m, "state"));
	if (report_str(m, "errno"))
		html(f, ": %s", text(m, "errno"));
	if (report_str(m, "why"))
		html(f, " <small>%s</small>", text(m, "why"));
}

static void row(const json_t *doc, const struct report_call *c, FILE *f)
{
	const char *first = report_str(c->call, "first");

	html(f, "<tr data-call=%zu><th scope=row>", c->index);
	report_name(doc, c->call, f);
	html(f, "<td>%s<td>%s", text(c->call, "subsystem"), first ? first : "start");
	fputs("<td>", f);
	report_units(doc, c->call, f);
	html(f, "<td>%s<td>%s <small>%s", text(c->call, "stage"), text(c->call, "comm"),
	     text(c->call, "exe"));
	if (report_int(c->call, "pid") > 0)
		html(f, " pid %lld", report_int(c->call, "pid"));
	fputs("</small><td>", f);
	risks(c->call, f);
	minimised(json_object_get(c->call, "minimised"), f);
	putc('\n', f);
}

void report_calls(const json_t *doc, FILE *f)
{
	size_t cnt = 0;
	_free_ struct report_call *calls = report_sorted(doc, by_subsystem, &cnt);

	if (cnt == 0 || !calls)
		return;
	fputs("<details id=every><summary>Every call with what is known of it</summary>"
	      "<div class=scroll tabindex=0 role=region aria-label=\"Every call\"><table id=calls>"
	      "<thead><tr><th scope=col>Call<th scope=col>Subsystem<th scope=col>First in"
	      "<th scope=col>In<th scope=col>Stage<th scope=col>Program"
	      "<th scope=col>Risk<th scope=col>Minimised</thead><tbody>\n",
	      f);
	for (size_t i = 0; i < cnt; i++)
		row(doc, &calls[i], f);
	fputs("</tbody></table></div></details>\n", f);
}
