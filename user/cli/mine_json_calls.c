/* SPDX-License-Identifier: Apache-2.0 */
/* Each call of a mining run: who needs it, and what it is worth to an attacker. */
#include <errno.h>
#include <string.h>

#include "cli/mine_job.h"
#include "cli/print.h"
#include "model/calls.h"
#include "model/score.h"
#include "policy/data.h"

struct context {
	const struct mine_job *j;
	const struct policy *p;
	const struct score_risk *risk;
	size_t *cve; /* room for all */
};

/* --- who ------------------------------------------------------------------------------------ */

static bool has(const struct mine_job *j, size_t unit, const struct matrix_call *c)
{
	return sysset_has(&j->result.matrix.unit[unit].set[c->abi], c->nr);
}

/* Indices of tests; -1 for the start and the stop, once. */
static json_t *by(const struct context *x, const struct matrix_call *c)
{
	json_t *list = json_array();
	bool outside = false;

	for (size_t i = 0; i < x->j->result.matrix.cnt; i++) {
		int test = mine_job_test_of(x->j, i);

		if (!has(x->j, i, c) || (test < 0 && outside))
			continue;
		json_array_append_new(list, json_integer(test));
		outside |= test < 0;
	}
	return list;
}

static json_t *name_of(const struct context *x, int test)
{
	return test < 0 ? json_null() : print_json_text(x->j->tests.test[test].name);
}

/* The one test that makes it, where nobody else does. */
static json_t *only(const struct context *x, const struct matrix_call *c)
{
	return c->units == 1 ? name_of(x, mine_job_test_of(x->j, c->first)) : json_null();
}

static const struct policy_origin *origin_of(const struct policy *p, const struct matrix_call *c)
{
	const struct policy_origin *found = NULL;

	for (size_t i = 0; p && i < p->origin_cnt; i++) {
		const struct policy_origin *o = &p->origin[i];

		if (o->abi != c->abi || o->nr != c->nr || o->stage < TAMIS_WORKLOAD)
			continue;
		if (!found || o->stage < found->stage)
			found = o;
	}
	return found;
}

/* --- what ----------------------------------------------------------------------------------- */

static json_t *cves(const struct context *x, const struct matrix_call *c)
{
	json_t *list = json_array();
	size_t cnt = 0;

	if (x->j->mined && x->cve)
		cnt = score_alone(x->j->mined, x->risk, c->abi, c->nr, x->cve);
	for (size_t i = 0; i < cnt; i++)
		json_array_append_new(list, json_string(x->risk->cve[x->cve[i]].id));
	return list;
}

static json_t *minimised(const struct context *x, const struct matrix_call *c)
{
	const struct mine_result *r = &x->j->result;

	for (size_t i = 0; i < r->call_cnt; i++) {
		const struct minimise_call *m = &r->call[i];

		if (m->abi != c->abi || m->nr != c->nr)
			continue;
		return json_pack("{s:s,s:o,s:o}", "state", minimise_state_name(m->state), "errno",
				 m->state == MINIMISE_GONE
					 ? json_string(m->errno_ret == EPERM ? "EPERM" : "ENOSYS")
					 : json_null(),
				 "why", print_json_text(m->why));
	}
	return json_null();
}

static json_t *call(const struct context *x, const struct matrix_call *c)
{
	const struct policy_origin *o = origin_of(x->p, c);
	const struct sysset *pending = x->p ? x->p->pending : NULL;
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s,s:s,s:s,s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:o,s:o}", "abi",
			 abi_name(c->abi), "call", calls_print(c->abi, c->nr, name), "subsystem",
			 data_subsystem(c->abi, c->nr), "first",
			 name_of(x, mine_job_test_of(x->j, c->first)), "units", (int)c->units,
			 "only", only(x, c), "by", by(x, c), "stage",
			 o ? json_string(stage_name(o->stage)) : json_null(), "comm",
			 o ? print_json_known(o->comm) : json_null(), "exe",
			 o ? print_json_known(o->exe) : json_null(), "pid",
			 o ? json_integer(o->pid) : json_null(), "guarded",
			 (int)sysset_has(&x->risk->guard[c->abi], c->nr), "pending",
			 (int)(pending && sysset_has(&pending[c->abi], c->nr)), "cves", cves(x, c),
			 "minimised", minimised(x, c));
}

json_t *mine_json_calls(const struct mine_job *j, const struct policy *p,
			const struct score_risk *risk)
{
	_free_ size_t *room = calloc(risk->cnt + 1, sizeof(*room));
	struct context x = { .j = j, .p = p, .risk = risk, .cve = room };
	_free_ struct matrix_call *calls = NULL;
	json_t *list = json_array();
	size_t cnt = 0;

	if (matrix_calls(&j->result.matrix, &calls, &cnt) < 0)
		cnt = 0;
	for (size_t i = 0; i < cnt; i++)
		json_array_append_new(list, call(&x, &calls[i]));
	return list;
}
