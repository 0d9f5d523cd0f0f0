/* SPDX-License-Identifier: Apache-2.0 */
/* What came out, in a sentence and five figures. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "mine/report_part.h"

struct tally {
	size_t tests, ran, passed; /* without a policy */
	size_t tried, held, broke; /* under it; broke: passed without */
	size_t refused;
	size_t pending; /* calls that are not in the policy */
};

static bool has_passed(const json_t *o)
{
	const char *outcome = report_str(o, "outcome");

	return outcome && strcmp(outcome, "pass") == 0;
}

/* The time may have been over before, or everything was stopped. */
static bool was_run(const json_t *o)
{
	const char *outcome = report_str(o, "outcome");

	return outcome && strcmp(outcome, "none") != 0;
}

static struct tally count(const json_t *doc)
{
	struct tally n = { .refused = report_len(doc, "refused_outside") };
	const json_t *test, *call;
	size_t i;

	json_array_foreach(json_object_get(doc, "calls"), i, call) n.pending +=
		report_is(call, "pending");
	json_array_foreach(json_object_get(doc, "tests"), i, test)
	{
		const json_t *enforced = json_object_get(test, "enforced");

		n.tests++;
		n.ran += was_run(test);
		n.passed += has_passed(test);
		if (!was_run(enforced))
			continue;
		n.tried++;
		n.held += has_passed(enforced);
		n.broke += has_passed(test) && !has_passed(enforced);
		n.refused += report_len(enforced, "refused");
	}
	return n;
}

static void verdict(const json_t *doc, const struct tally *n, FILE *f)
{
	size_t seen = report_len(doc, "calls"), calls = seen - n->pending;

	if (n->tried == 0)
		html(f, "<p class=verdict>%zu call%s learned. The policy was not tried.", seen,
		     report_s((long long)seen));
	else if (n->broke > 0)
		html(f,
		     "<p class=\"verdict bad\">%zu of %zu tests fail%s under the policy that was "
		     "mined.",
		     n->broke, n->tried, n->broke == 1 ? "s" : "");
	else if (n->held == n->tried && n->refused == 0)
		html(f,
		     "<p class=\"verdict good\">%zu of %zu tests pass under a policy of %zu calls.",
		     n->held, n->tests, calls);
	else
		html(f, "<p class=verdict>%zu of %zu tests pass under a policy of %zu calls.",
		     n->held, n->tests, calls);
	if (n->refused > 0)
		html(f, " It refused <b>%zu call%s</b>.", n->refused,
		     report_s((long long)n->refused));
	fputs("</p>\n", f);
}

static void widened(const json_t *w, FILE *f)
{
	const json_t *call, *test;
	size_t i, k;

	if (report_len(w, "calls") == 0) {
		html(f, "<p>Not wider than <code>%s</code>.</p>\n", report_str(w, "base"));
		return;
	}
	html(f, "<div id=wider class=notice><p>Wider than <code>%s</code>:</p><ul>",
	     report_str(w, "base"));
	json_array_foreach(json_object_get(w, "calls"), i, call)
	{
		html(f, "<li><code>%s</code>", report_str(call, "call"));
		json_array_foreach(json_object_get(call, "tests"), k, test)
			html(f, "%s%s", k ? ", " : " by ", json_string_value(test));
		if (k == 0)
			fputs(" while it started or stopped", f);
	}
	fputs("</ul></div>\n", f);
}

static void notices(const json_t *doc, const struct tally *n, FILE *f)
{
	const char *why = report_str(doc, "why");
	const json_t *w = json_object_get(doc, "widened");

	if (why && strcmp(why, "stopped") == 0)
		fputs("<p class=notice>Stopped before its end. What was learned until then is "
		      "here.</p>\n",
		      f);
	else if (why)
		html(f, "<p class=notice>Ended early: %s</p>\n", why);
	if (report_is(doc, "partial"))
		fputs("<p class=notice>Partial: events were lost, or the start was not seen whole. "
		      "The policy may lack calls that were made.</p>\n",
		      f);
	if (n->passed < n->ran)
		html(f,
		     "<p class=notice>%zu of %zu tests did not pass without a policy either.</p>\n",
		     n->ran - n->passed, n->tests);
	if (n->ran < n->tests)
		html(f, "<p class=notice>%zu of %zu tests were not run.</p>\n", n->tests - n->ran,
		     n->tests);
	if (n->pending > 0)
		html(f,
		     "<p class=notice>%zu guarded call%s learned and not in the policy: that needs "
		     "a person's word.</p>\n",
		     n->pending, n->pending == 1 ? " was" : "s were");
	if (json_is_object(w))
		widened(w, f);
}

static void fact(const char *name, const char *value, FILE *f)
{
	if (value)
		html(f, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

static void facts(const json_t *doc, FILE *f)
{
	time_t began = (time_t)report_int(doc, "began");
	char when[64] = "";
	struct tm tm;

	if (gmtime_r(&began, &tm))
		strftime(when, sizeof(when), "%-d %B %Y, %H:%M UTC", &tm);
	fputs("<dl class=facts>", f);
	fact("Workload", report_str(doc, "workload"), f);
	fact("Image", report_str(doc, "image"), f);
	fact("Runtime", report_str(doc, "runtime"), f);
	fact("Began", when, f);
	if (json_is_integer(json_object_get(doc, "generation")))
		html(f, "<div><dt>Generation</dt><dd>%lld", report_int(doc, "generation"));
	if (json_is_integer(json_object_get(doc, "minimised_generation")))
		html(f, ", minimised %lld", report_int(doc, "minimised_generation"));
	fputs("</dl>\n", f);
}

static void phases(const json_t *took, FILE *f)
{
	static const char *const names[] = { "start", "observe", "enforce", "minimise" };

	fputs("<ol class=phases aria-label=Phases>", f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *ms = json_object_get(took, names[i]);

		html(f, "<li%s>%s <b>", json_integer_value(ms) > 0 ? "" : " class=none", names[i]);
		if (json_integer_value(ms) > 0)
			html_duration(f, json_integer_value(ms));
		else
			fputs("not reached", f);
		fputs("</b>", f);
	}
	fputs("</ol>\n", f);
}

void report_head(const json_t *doc, FILE *f)
{
	struct tally n = count(doc);

	html(f, "<h1>%s</h1>\n", report_str(doc, "target"));
	verdict(doc, &n, f);
	notices(doc, &n, f);
	facts(doc, f);
	phases(json_object_get(doc, "took_ms"), f);
}

static void figure_calls(const json_t *doc, FILE *f)
{
	const json_t *mined = json_object_get(json_object_get(doc, "score"), "mined");

	html(f, "<div><dt>Calls seen</dt><dd><b>%zu</b>", report_len(doc, "calls"));
	if (json_is_object(mined))
		html(f, " <small>of %lld there are</small>", report_int(mined, "of"));
	fputs("</dd></div>", f);
}

static void figure_total(const json_t *e, FILE *f)
{
	fputs("<div><dt>Estimated in all</dt><dd>", f);
	if (report_is(e, "known") && json_is_false(json_object_get(e, "bounded")))
		html(f, "<b>%.0f</b> <small>%.0f or more</small>", report_real(e, "total"),
		     floor(report_real(e, "low")));
	else if (report_is(e, "known"))
		html(f, "<b>%.0f</b> <small>%.0f to %.0f</small>", report_real(e, "total"),
		     floor(report_real(e, "low")), ceil(report_real(e, "high")));
	else
		fputs("<b>not known</b>", f);
	fputs("</dd></div><div><dt>Coverage</dt><dd>", f);
	if (report_is(e, "known")) {
		fputs("<b>", f);
		html_share(f, report_real(e, "coverage"));
		fputs("</b> <small>", f);
		html_share(f, report_real(e, "coverage_low"));
		fputs(" to ", f);
		html_share(f, report_real(e, "coverage_high"));
		fputs("</small>", f);
	} else {
		fputs("<b>not known</b>", f);
	}
	fputs("</dd></div>", f);
}

static void figure_blocked(const json_t *score, FILE *f)
{
	const json_t *mined = json_object_get(score, "mined");
	const json_t *base = json_object_get(score, "default");

	fputs("<div><dt>Known CVEs blocked</dt><dd>", f);
	if (json_is_object(mined))
		html(f, "<b>%lld</b> <small>of %lld", report_int(mined, "blocked"),
		     report_int(mined, "cves"));
	else
		fputs("<b>not known</b><small>", f);
	if (json_is_object(mined) && json_is_object(base))
		html(f, "; default profile %lld", report_int(base, "blocked"));
	fputs("</small></dd></div>", f);
}

void report_figures(const json_t *doc, FILE *f)
{
	const json_t *score = json_object_get(doc, "score");

	fputs("<dl class=figures>", f);
	figure_calls(doc, f);
	figure_total(json_object_get(doc, "estimate"), f);
	figure_blocked(score, f);
	if (json_is_object(json_object_get(score, "minimised")))
		html(f,
		     "<div><dt>After minimising</dt><dd><b>%zu</b> <small>of the "
		     "%zu</small></dd></div>",
		     report_len(doc, "calls") - report_gone(doc), report_len(doc, "calls"));
	fputs("</dl>\n", f);
}
