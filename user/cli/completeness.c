/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completeness.h"

#include <errno.h>

#include "learn/coverage.h"
#include "mine/mine.h"

int completeness_load(struct store *s, int64_t workload, struct store_coverage *ret)
{
	int r = store_coverage_get(s, workload, ret);

	if (r != -ENOENT)
		return r;
	*ret = (struct store_coverage){ .next_hour = -1 };
	return 0;
}

const char *completeness_cell(const struct store_coverage *c, char buf[COMPLETENESS_CELL_MAX])
{
	char percent[UNSEEN_PERCENT_MAX];

	if (c->is_known)
		snprintf(buf, COMPLETENESS_CELL_MAX, "%s%%", unseen_percent(c->coverage, percent));
	else
		snprintf(buf, COMPLETENESS_CELL_MAX, "-");
	return buf;
}

static json_t *json_number(bool is_known, double value)
{
	return is_known ? json_real(value) : json_null();
}

json_t *completeness_json(const struct store_coverage *c)
{
	bool is_known = c->is_known;

	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "at",
			 c->at ? json_integer(c->at) : json_null(), "units", (json_int_t)c->units,
			 "coverage", json_number(is_known, c->coverage), "low",
			 json_number(is_known, c->low), "high", json_number(is_known, c->high),
			 "next_hour", json_number(c->next_hour >= 0, c->next_hour));
}

static int of_tests(struct store *s, int64_t workload, struct completeness *ret)
{
	__attribute__((cleanup(store_mine_done))) struct store_mine last = { 0 };
	_matrix_ struct matrix m = { 0 };
	_incidence_ struct incidence in = { 0 };
	int r = store_mine_last(s, workload, &last);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = store_matrix(s, workload, last.id, &m);
	if (r == 0)
		r = mine_estimate(&m, &in);
	if (r < 0)
		return r;
	ret->of_tests = true;
	unseen_estimate(&in, &ret->unseen);
	return 0;
}

int completeness_now(struct store *s, int64_t workload, struct completeness *ret)
{
	struct completeness hours = { 0 }, tests = { 0 };
	int r = coverage_estimate(s, workload, &hours.unseen, &hours.hour);

	if (r == 0 && !hours.unseen.is_known)
		r = of_tests(s, workload, &tests);
	if (r < 0)
		return r;
	*ret = tests.unseen.is_known || (tests.of_tests && !hours.unseen.units) ? tests : hours;
	return 0;
}

static void print_hour(const struct unseen_next *hour, FILE *f)
{
	if (hour->is_known)
		fprintf(f, "; %.1f new expected in the next hour (%.0f to %.0f)", hour->expected,
			hour->low, hour->high);
}

void completeness_print(const struct completeness *c, FILE *f)
{
	const char *what = c->of_tests ? "test" : "hour";
	const struct unseen *u = &c->unseen;
	char share[UNSEEN_PERCENT_MAX], low[UNSEEN_PERCENT_MAX], high[UNSEEN_PERCENT_MAX];

	if (!u->is_known) {
		fprintf(f, "coverage:  not known: %s (a unit is %s)\n", u->why,
			c->of_tests ? "a test" : "an hour");
		return;
	}
	fprintf(f, "coverage:  %s %% (%s to %s) from %u %ss; some %.0f calls in all (",
		unseen_percent(u->coverage, share), unseen_percent(u->coverage_low, low),
		unseen_percent(u->coverage_high, high), u->units, what, u->total);
	if (u->is_bounded)
		fprintf(f, "%.0f to %.0f)", u->total_low, u->total_high);
	else
		fprintf(f, "at least %.0f; too few %ss for an upper limit)", u->total_low, what);
	print_hour(&c->hour, f);
	fputc('\n', f);
}

static json_t *json_hour(const struct unseen_next *hour)
{
	if (!hour->is_known)
		return json_null();
	return json_pack("{s:f, s:f, s:f}", "expected", hour->expected, "low", hour->low, "high",
			 hour->high);
}

json_t *completeness_now_json(const struct completeness *c)
{
	const struct unseen *u = &c->unseen;
	bool is = u->is_known;

	return json_pack("{s:s, s:b, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "of", c->of_tests ? "tests" : "hours", "known", is, "why",
			 is ? json_null() : json_string(u->why), "units", (int)u->units, "seen",
			 (int)u->seen, "once", (int)u->once, "twice", (int)u->twice, "total",
			 json_number(is, u->total), "low", json_number(is, u->total_low), "high",
			 json_number(is && u->is_bounded, u->total_high), "coverage",
			 json_number(is, u->coverage), "coverage_low",
			 json_number(is, u->coverage_low), "coverage_high",
			 json_number(is, u->coverage_high), "next_hour", json_hour(&c->hour));
}
