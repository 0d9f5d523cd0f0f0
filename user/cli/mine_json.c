/* SPDX-License-Identifier: Apache-2.0 */
/* A mining run for machines, and for the report. Every key is always there, null where its phase wasn't
 * reached. */
#include <string.h>

#include "cli/mine_job.h"
#include "cli/print.h"
#include "model/calls.h"
#include "model/score.h"
#include "policy/data.h"

#define NEXT_UNITS 10

int mine_job_test_of(const struct mine_job *j, size_t unit)
{
	const struct mine_result *r = &j->result;
	const char *name = unit < r->matrix.cnt ? r->matrix.unit[unit].name : NULL;

	if (unit == 0 || unit > r->tests || !name ||
	    strcmp(name, j->tests.test[unit - 1].name) != 0)
		return -1;
	return (int)unit - 1;
}

/* --- tests ---------------------------------------------------------------------------------- */

static json_t *tap(const struct mine_outcome *o)
{
	if (o->tap_ok + o->tap_failed == 0)
		return json_null();
	return json_pack("{s:i,s:i}", "ok", (int)o->tap_ok, "failed", (int)o->tap_failed);
}

static json_t *refusal(const struct mine_refusal *r)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s,s:s,s:I,s:o}", "abi", abi_name(r->abi), "call",
			 calls_print(r->abi, r->nr, name), "count", (json_int_t)r->count, "comm",
			 print_json_known(r->comm));
}

static json_t *refusals(const struct mine_result *r, size_t test)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->refusal_cnt; i++)
		if (r->refusal[i].test == test)
			json_array_append_new(list, refusal(&r->refusal[i]));
	return list;
}

static json_t *enforced(const struct mine_result *r, size_t i)
{
	const struct mine_outcome *o;

	if (!r->enforced)
		return json_null();
	o = &r->enforced[i];
	return json_pack("{s:s,s:o,s:I,s:o}", "outcome", matrix_outcome_name(o->outcome), "why",
			 print_json_text(o->why), "took_ms", (json_int_t)o->took_ms, "refused",
			 refusals(r, i));
}

static unsigned count(const struct sysset set[TAMIS_ABI_MAX])
{
	unsigned cnt = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&set[abi]);
	return cnt;
}

static json_t *test(const struct mine_job *j, const uint32_t *growth, size_t i)
{
	static const struct mine_outcome none;
	const struct mine_result *r = &j->result;
	const struct mine_outcome *o = r->observed ? &r->observed[i] : &none;
	bool was_run = mine_job_test_of(j, i + 1) >= 0;

	return json_pack(
		"{s:o,s:s,s:o,s:o,s:I,s:i,s:i,s:o}", "name", print_json_text(j->tests.test[i].name),
		"outcome", matrix_outcome_name(o->outcome), "tap", tap(o), "why",
		print_json_text(o->why), "took_ms", (json_int_t)o->took_ms, "new",
		was_run ? (int)(growth[i + 1] - growth[i]) : 0, "calls",
		was_run ? (int)count(r->matrix.unit[i + 1].set) : 0, "enforced", enforced(r, i));
}

static json_t *tests(const struct mine_job *j, const uint32_t *growth)
{
	json_t *list = json_array();

	for (size_t i = 0; i < j->result.tests; i++)
		json_array_append_new(list, test(j, growth, i));
	return list;
}

/* After the start, then after each test. */
static json_t *growth_list(const struct mine_job *j, const uint32_t *growth)
{
	json_t *list = json_array();

	for (size_t i = 0; i < j->result.matrix.cnt; i++)
		if (i == 0 || mine_job_test_of(j, i) >= 0)
			json_array_append_new(list, json_integer(growth[i]));
	return list;
}

/* --- estimates ------------------------------------------------------------------------------ */

static json_t *number(bool is_known, double value)
{
	return is_known ? json_real(value) : json_null();
}

static json_t *next(const struct incidence *in)
{
	struct unseen_next n = { 0 };

	unseen_next(in, NEXT_UNITS, &n);
	return json_pack("{s:i,s:o,s:o,s:o}", "units", NEXT_UNITS, "expected",
			 number(n.is_known, n.expected), "low", number(n.is_known, n.low), "high",
			 number(n.is_known, n.high));
}

static json_t *estimate(const struct incidence *in)
{
	struct unseen u = { 0 };

	unseen_estimate(in, &u);
	return json_pack("{s:b,s:o,s:i,s:i,s:i,s:i,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "known",
			 u.is_known, "why", u.is_known ? json_null() : print_json_text(u.why),
			 "units", (int)u.units, "seen", (int)u.seen, "once", (int)u.once, "twice",
			 (int)u.twice, "total", number(u.is_known, u.total), "low",
			 number(u.is_known, u.total_low), "high", number(u.is_known, u.total_high),
			 "bounded", u.is_bounded, "coverage", number(u.is_known, u.coverage),
			 "coverage_low", number(u.is_known, u.coverage_low), "coverage_high",
			 number(u.is_known, u.coverage_high), "next", next(in));
}

static json_t *rarefaction(const struct incidence *in)
{
	json_t *list = json_array();

	for (uint32_t k = 1; k <= in->units; k++)
		json_array_append_new(list, json_real(unseen_rarefy(in, k)));
	return list;
}

/* --- scores --------------------------------------------------------------------------------- */

static json_t *score(const struct filter *f, const struct score_risk *risk)
{
	struct score s = { 0 };

	score_filter(f, risk, &s);
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "calls", (int)s.calls, "of", (int)s.of,
			 "blocked", (int)s.blocked, "cves", (int)s.cves, "blocked_execve",
			 (int)s.blocked_execve, "cves_execve", (int)s.cves_execve, "guarded",
			 (int)s.guarded);
}

static json_t *scores(const struct mine_job *j, const struct policy *p,
		      const struct score_risk *risk)
{
	_cleanup_(filter_free) struct filter *engine = NULL;
	const char *name;

	if (!j->mined || policy_default(&j->policy, &engine, &name) < 0)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "mined", score(j->mined, risk), "minimised",
			 j->result.run.minimised && p ? score(p->filter, risk) : json_null(),
			 "default", score(engine, risk), "none", score(NULL, risk));
}

/* --- what became wider ---------------------------------------------------------------------- */

static json_t *tests_with(const struct mine_job *j, enum tamis_abi abi, uint32_t nr)
{
	const struct matrix *m = &j->result.matrix;
	json_t *list = json_array();

	for (size_t i = 0; i < m->cnt; i++)
		if (mine_job_test_of(j, i) >= 0 && sysset_has(&m->unit[i].set[abi], nr))
			json_array_append_new(list, print_json_text(m->unit[i].name));
	return list;
}

static json_t *widened(const struct mine_job *j, const struct policy *p)
{
	struct sysset wider[TAMIS_ABI_MAX];
	char name[CALLS_NAME_MAX];
	json_t *list;

	if (!j->base_filter || !p)
		return json_null();
	list = json_array();
	mine_wider(j->base_filter, p, wider);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (int nr = sysset_next(&wider[abi], 0); nr >= 0;
		     nr = sysset_next(&wider[abi], (unsigned)nr + 1))
			json_array_append_new(
				list, json_pack("{s:s,s:s,s:o}", "abi", abi_name(abi), "call",
						calls_print(abi, (unsigned)nr, name), "tests",
						tests_with(j, abi, (uint32_t)nr)));
	return json_pack("{s:o,s:o}", "base", print_json_text(j->base), "calls", list);
}

/* --- the whole ------------------------------------------------------------------------------ */

static json_t *policy_json(const struct policy *p)
{
	_free_ char *text = NULL;
	json_t *json = NULL;

	if (p && mine_policy_text(p, "oci", &text) == 0)
		json = json_loads(text, 0, NULL);
	return json ?: json_null();
}

static json_t *took(const struct mine_result *r)
{
	json_t *json = json_object();

	for (unsigned p = MINE_START; p < MINE_END; p++)
		json_object_set_new(json, mine_phase_name(p), json_integer(r->took_ms[p]));
	return json;
}

static json_t *generation(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

struct parts {
	struct score_risk risk;
	struct incidence in;
	uint32_t *growth;
};

static json_t *document(const struct mine_job *j, const struct policy *p, struct parts *x,
			bool stopped)
{
	const struct mine_result *r = &j->result;
	json_t *doc = json_pack("{s:i,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:b}", "version", 1, "target",
				print_json_text(mine_job_target(j)), "workload",
				print_json_text(r->row.key), "image", print_json_text(r->row.image),
				"runtime", print_json_text(r->runtime ?: j->runtime), "began",
				(json_int_t)r->run.began, "took_ms", took(r), "why",
				stopped ? json_string("stopped") : print_json_text(r->why),
				"partial", r->partial);
	json_t *rest = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "tests", tests(j, x->growth),
		"refused_outside", refusals(r, SIZE_MAX), "calls", mine_json_calls(j, p, &x->risk),
		"growth", growth_list(j, x->growth), "rarefaction", rarefaction(&x->in), "estimate",
		estimate(&x->in), "score", scores(j, p, &x->risk), "widened", widened(j, p),
		"generation", generation(r->run.generation), "minimised_generation",
		generation(r->run.minimised), "policy", policy_json(p));
	int failed = !doc || !rest || json_object_update(doc, rest) < 0;

	json_decref(rest);
	if (!failed)
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *mine_json(const struct mine_job *j, const struct policy *p, bool stopped)
{
	const struct matrix *m = &j->result.matrix;
	struct parts x = { .growth = calloc(m->cnt + j->result.tests + 1, sizeof(*x.growth)) };
	json_t *doc = NULL;

	if (x.growth && data_risk(&x.risk) == 0 && mine_estimate(m, &x.in) == 0) {
		matrix_growth(m, x.growth);
		doc = document(j, p, &x, stopped);
	}
	incidence_done(&x.in);
	data_risk_done(&x.risk);
	free(x.growth);
	return doc;
}
