/* SPDX-License-Identifier: Apache-2.0 */
/* A mining run for people: its document, shorter. */
#include <string.h>

#include "base/text.h"
#include "cli/mine_job.h"

#define NAMES_MAX 20

/* --- values --------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static long long integer_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static double number_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* Hostile text. */
static void put(const char *text, FILE *f)
{
	text_escape(f, text ?: "", SIZE_MAX);
}

static void put_names(const json_t *list, FILE *f)
{
	size_t cnt = json_array_size(list);

	for (size_t i = 0; i < cnt && i < NAMES_MAX; i++) {
		const json_t *one = json_array_get(list, i);

		fputs(i ? ", " : "", f);
		put(json_is_string(one) ? json_string_value(one) : text_of(one, "call"), f);
	}
	if (cnt > NAMES_MAX)
		fprintf(f, " and %zu more", cnt - NAMES_MAX);
}

/* --- tests ---------------------------------------------------------------------------------- */

static bool passed(const json_t *outcome)
{
	const char *text = text_of(outcome, "outcome");

	return text && strcmp(text, "pass") == 0;
}

static void put_why(const json_t *outcome, FILE *f)
{
	const char *what = text_of(outcome, "outcome"), *why = text_of(outcome, "why");

	fputs(what && strcmp(what, "none") == 0 ? "not run" : what ?: "", f);
	if (!why)
		return;
	fputs(": ", f);
	put(why, f);
}

static void print_observed(const json_t *tests, FILE *f)
{
	size_t i;
	json_t *test;

	json_array_foreach(tests, i, test)
	{
		if (passed(test))
			continue;
		fputs("  without the policy, ", f);
		put(text_of(test, "name"), f);
		fputs(": ", f);
		put_why(test, f);
		fputc('\n', f);
	}
}

/* A service that doesn't start fails all of them by the same sentence: *before. */
static void print_enforced(const json_t *test, const char **before, FILE *f)
{
	const json_t *enforced = json_object_get(test, "enforced");
	const json_t *refused = json_object_get(enforced, "refused");
	bool failed = passed(test) && !passed(enforced);
	const char *why;

	if (!json_is_object(enforced) || (!failed && json_array_size(refused) == 0))
		return;
	why = text_of(enforced, "why");
	fputs("  under the policy, ", f);
	put(text_of(test, "name"), f);
	fputs(": ", f);
	if (why && *before && strcmp(why, *before) == 0)
		fputs("likewise", f);
	else
		put_why(enforced, f);
	*before = why;
	if (json_array_size(refused) > 0) {
		fputs("; refused: ", f);
		put_names(refused, f);
	}
	fputc('\n', f);
}

static void print_tests(const json_t *doc, FILE *f)
{
	const json_t *tests = json_object_get(doc, "tests"), *outside;
	unsigned ok = 0, enforced_ok = 0;
	const char *before = NULL;
	bool is_enforced = false;
	size_t i;
	json_t *test;

	json_array_foreach(tests, i, test)
	{
		const json_t *enforced = json_object_get(test, "enforced");

		ok += passed(test);
		enforced_ok += json_is_object(enforced) && passed(test) && passed(enforced);
		is_enforced |= json_is_object(enforced);
	}
	fprintf(f, "%u of %zu tests pass", ok, json_array_size(tests));
	if (is_enforced)
		fprintf(f, "; under the policy %u of these", enforced_ok);
	fputc('\n', f);
	print_observed(tests, f);
	json_array_foreach(tests, i, test) print_enforced(test, &before, f);
	outside = json_object_get(doc, "refused_outside");
	if (json_array_size(outside) == 0)
		return;
	fputs("  refused while it started or stopped: ", f);
	put_names(outside, f);
	fputc('\n', f);
}

/* --- calls ---------------------------------------------------------------------------------- */

static void print_pending(const json_t *calls, FILE *f)
{
	size_t i;
	json_t *call;

	json_array_foreach(calls, i, call)
	{
		const char *first = text_of(call, "first");

		if (!json_is_true(json_object_get(call, "pending")))
			continue;
		fputs("guarded, so not in the policy without --allow ", f);
		put(text_of(call, "call"), f);
		fputs(": first made by ", f);
		put(first ?: "the start", f);
		fputc('\n', f);
	}
}

static void print_only(const json_t *calls, FILE *f)
{
	bool any = false;
	size_t i;
	json_t *call;

	json_array_foreach(calls, i, call)
	{
		const char *only = text_of(call, "only");

		if (!only)
			continue;
		fputs(any ? ", " : "needed by one test alone: ", f);
		put(text_of(call, "call"), f);
		fputs(" (", f);
		put(only, f);
		fputc(')', f);
		any = true;
	}
	if (any)
		fputc('\n', f);
}

static void print_estimate(const json_t *doc, FILE *f)
{
	const json_t *e = json_object_get(doc, "estimate"), *next = json_object_get(e, "next");

	if (!json_is_true(json_object_get(e, "known"))) {
		fprintf(f, "completeness isn't known: ");
		put(text_of(e, "why"), f);
		fputc('\n', f);
		return;
	}
	fprintf(f, "coverage %.1f %% (%.1f-%.1f); ", mine_percent(number_of(e, "coverage")),
		mine_percent(number_of(e, "coverage_low")),
		mine_percent(number_of(e, "coverage_high")));
	if (json_is_true(json_object_get(e, "bounded")))
		fprintf(f, "about %.0f calls in all (%.0f-%.0f)", number_of(e, "total"),
			number_of(e, "low"), number_of(e, "high"));
	else
		fprintf(f, "%.0f calls in all or more: too few tests for an upper limit",
			number_of(e, "low"));
	if (json_is_number(json_object_get(next, "expected")))
		fprintf(f, "; %lld more tests would bring %.1f (%.0f-%.0f)",
			integer_of(next, "units"), number_of(next, "expected"),
			number_of(next, "low"), number_of(next, "high"));
	fputc('\n', f);
}

static void print_score(const json_t *scores, const char *key, const char *what, FILE *f)
{
	const json_t *s = json_object_get(scores, key);

	if (!json_is_object(s))
		return;
	fprintf(f, "  %-17s %4lld of %lld calls pass, %lld of %lld known holes are closed\n", what,
		integer_of(s, "calls"), integer_of(s, "of"), integer_of(s, "blocked"),
		integer_of(s, "cves"));
}

static void print_scores(const json_t *doc, FILE *f)
{
	const json_t *scores = json_object_get(doc, "score");

	if (!json_is_object(scores))
		return;
	print_score(scores, "mined", "mined", f);
	print_score(scores, "minimised", "minimised", f);
	print_score(scores, "default", "engine's default", f);
	print_score(scores, "none", "no filter", f);
}

static void print_widened(const json_t *doc, FILE *f)
{
	const json_t *widened = json_object_get(doc, "widened"), *calls;
	size_t i;
	json_t *call;

	if (!json_is_object(widened))
		return;
	calls = json_object_get(widened, "calls");
	if (json_array_size(calls) == 0) {
		fputs("not wider than ", f);
		put(text_of(widened, "base"), f);
		fputc('\n', f);
	}
	json_array_foreach(calls, i, call)
	{
		const json_t *tests = json_object_get(call, "tests");

		fputs("wider than ", f);
		put(text_of(widened, "base"), f);
		fputs(": ", f);
		put(text_of(call, "call"), f);
		fputs(json_array_size(tests) ? ", made by " : ", made while it started or stopped",
		      f);
		put_names(tests, f);
		fputc('\n', f);
	}
}

void mine_print(const json_t *doc, FILE *f)
{
	const json_t *took = json_object_get(doc, "took_ms");
	const json_t *calls = json_object_get(doc, "calls");

	put(text_of(doc, "target"), f);
	if (text_of(doc, "workload")) {
		fputs(" (", f);
		put(text_of(doc, "workload"), f);
		fputc(')', f);
	}
	fprintf(f, ": %zu calls, in %.1f s\n", json_array_size(calls),
		(double)(integer_of(took, "start") + integer_of(took, "observe") +
			 integer_of(took, "enforce") + integer_of(took, "minimise")) /
			1000);
	print_tests(doc, f);
	print_pending(calls, f);
	print_only(calls, f);
	print_estimate(doc, f);
	print_scores(doc, f);
	print_widened(doc, f);
	if (json_is_true(json_object_get(doc, "partial")))
		fputs("partial: something it did may not have been seen\n", f);
}
