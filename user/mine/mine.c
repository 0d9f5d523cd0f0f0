/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/mine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "learn/exits.h"
#include "learn/make.h"
#include "mine/mine_internal.h"
#include "mine/run.h"
#include "mine/stop.h"
#include "policy/data.h"

const char *mine_phase_name(enum mine_phase p)
{
	static const char *const names[] = {
		[MINE_START] = "start",	    [MINE_OBSERVE] = "observe",
		[MINE_ENFORCE] = "enforce", [MINE_MINIMISE] = "minimise",
		[MINE_END] = "end",
	};

	return names[p];
}

void mine_result_done(struct mine_result *r)
{
	for (size_t i = 0; i < r->tests; i++) {
		if (r->observed)
			mine_outcome_done(&r->observed[i]);
		if (r->enforced)
			mine_outcome_done(&r->enforced[i]);
	}
	for (size_t i = 0; i < r->call_cnt; i++)
		free(r->call[i].why);
	free(r->observed);
	free(r->enforced);
	free(r->refusal);
	free(r->call);
	free(r->runtime);
	free(r->why);
	matrix_done(&r->matrix);
	store_row_done(&r->row);
	store_mine_done(&r->run);
	*r = (struct mine_result){ 0 };
}

/* --- phases --------------------------------------------------------------------------------- */

void mine_phase(struct mine *m, enum mine_phase p)
{
	int64_t now = run_now_ms();

	if (m->phase < MINE_END)
		m->ret->took_ms[m->phase] += now - m->phase_began;
	m->phase = p;
	m->phase_began = now;
}

bool mine_is_late(const struct mine *m)
{
	int64_t limit = m->phase == MINE_MINIMISE ? m->o->minimise_limit_ms : m->o->limit_ms;

	return limit && !m->unhurried && run_now_ms() - m->phase_began >= limit;
}

/* --- what the observer tells ---------------------------------------------------------------- */

static bool on_wanted(void *arg, const char *cgroup)
{
	const struct mine *m = arg;

	return target_owns(m->o->target, cgroup);
}

static int on_unit(void *arg, struct store *s, int64_t now, int64_t *ret_row)
{
	struct mine *m = arg;
	int r;

	if (m->phase > MINE_OBSERVE)
		return store_unit_begin(s, now, m->label, ret_row);
	r = store_mine_unit(s, m->ret->run.id, now, m->label, ret_row);
	if (r == 0)
		m->unit = *ret_row;
	return r;
}

static void on_started(void *arg, const struct observed_start *s)
{
	struct mine *m = arg;

	if (!m->key)
		m->key = strdup(s->key);
}

static void on_exited(void *arg, const struct observed_exit *e)
{
	struct mine *m = arg;
	int r = 0;

	if (e->end == TRIAL_KILLED && e->code == SIGSYS)
		r = refusals_death(m, e->abi, e->nr, e->comm);
	if (r < 0)
		m->failed = r;
}

/* Of a service that ended nothing is kept after the drain. */
static void on_stored(void *arg)
{
	struct mine *m = arg;
	int r = refusals_look(m);

	if (r < 0)
		m->failed = r;
}

/* --- steps ---------------------------------------------------------------------------------- */

/* A sentence for what failed in our own house, where none is there yet. */
static int trouble(struct mine *m, int r)
{
	if (r < 0 && r != -EINTR && !m->ret->why)
		(void)text_why(r, &m->ret->why, "%s", store_error(m->o->store));
	return r;
}

int mine_drain(struct mine *m)
{
	int r = observer_drain(m->observer);

	if (r >= 0)
		r = refusals_look(m);
	if (r >= 0)
		r = m->failed;
	return trouble(m, r);
}

int mine_unit(struct mine *m, const char *label)
{
	m->label = label;
	return trouble(m, observer_unit(m->observer));
}

int mine_find_row(struct mine *m)
{
	_free_ char *candidates = NULL;
	struct store_row row = { 0 };
	int r = m->key ? store_find(m->o->store, m->key, &row, &candidates) : -ENOENT;

	if (r < 0)
		return r;
	store_row_done(&m->ret->row);
	m->ret->row = row;
	return 0;
}

static int store_run_row(struct mine *m)
{
	struct store *s = m->o->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_mine_set(s, &m->ret->run);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return trouble(m, r);
}

int mine_refresh_row(struct mine *m)
{
	int r = mine_drain(m);

	if (r < 0)
		return r;
	r = mine_find_row(m);
	if (r == -ENOENT)
		return text_why(-ENOENT, &m->ret->why,
				"its start wasn't seen: nothing can be learned of it");
	if (r < 0)
		return trouble(m, r);
	m->ret->partial = evidence_is_partial(&m->ret->row.evidence);
	if (m->ret->run.workload == m->ret->row.id)
		return 0;
	m->ret->run.workload = m->ret->row.id;
	return store_run_row(m);
}

/* --- a run ---------------------------------------------------------------------------------- */

static int open_observer(struct mine *m)
{
	const struct observer_options o = {
		.sensor = m->sensor,
		.store = m->o->store,
		.identity = &m->identity,
		.mount = m->o->mount,
		.started = on_started,
		.exited = on_exited,
		.stored = on_stored,
		.wanted = on_wanted,
		.unit = on_unit,
		.arg = m,
	};
	int r;

	m->identity.watch = target_watch(m->o->target);
	r = observer_new(&o, &m->observer);
	m->label = "start";
	return r < 0 ? r : observer_start(m->observer);
}

static int open_all(struct mine *m)
{
	const struct sensor_options so = { 0 };
	int r = sensor_open(&so, &m->sensor, &m->ret->why);

	if (r < 0)
		return r;
	(void)sensor_watch_denials(m->sensor, true);
	r = data_always(m->always);
	if (r >= 0)
		r = data_gate(NULL, m->gates);
	if (r >= 0)
		r = open_observer(m);
	return trouble(m, r);
}

static void mine_done(struct mine *m)
{
	observer_free(m->observer);
	sensor_close(m->sensor);
	generation_done(&m->generation);
	free(m->key);
	free(m->count);
}

/* The run's row is there before anything runs, so that a run that is cut off has one. */
static int begin_run(struct mine *m, const struct mine_run_names *names)
{
	struct store_mine *run = &m->ret->run;
	struct store *s = m->o->store;
	int r;

	run->began = time(NULL);
	run->target = strdup(names->target);
	run->tests = strdup(names->tests);
	if (!run->target || !run->tests)
		return -ENOMEM;
	r = store_begin(s);
	if (r == 0)
		r = store_mine_add(s, run, &run->id);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return trouble(m, r);
}

static int make(struct mine *m)
{
	_free_ char *maker = text_format("mine: %s", m->ret->run.target);
	const struct make_options o = { .maker = maker };
	struct store *s = m->o->store;
	int r = maker ? store_begin(s) : -ENOMEM;

	if (r < 0)
		return r;
	r = store_verdict_unmine(s, m->ret->row.id);
	if (r >= 0 && m->o->learned)
		r = m->o->learned(m->o->arg, s, &m->ret->row);
	if (r >= 0)
		r = make_generation(s, &m->ret->row, &o, time(NULL), &m->generation);
	if (r == 0)
		r = store_generation_add(s, m->ret->row.id, &m->generation);
	m->ret->run.generation = m->generation.number;
	m->ret->run.state = STORE_MINE_ENFORCING;
	if (r >= 0)
		r = store_mine_set(s, &m->ret->run);
	if (r >= 0)
		r = mine_keep_coverage(m);
	if (r >= 0)
		r = store_commit(s);
	if (r >= 0)
		return r;
	store_rollback(s);
	m->ret->run.generation = 0;
	return r;
}

/* What was observed, as it is now: the tests under the policy add nothing to it. */
static int take_matrix(struct mine *m)
{
	int r = mine_refresh_row(m);

	if (r < 0)
		return r;
	matrix_done(&m->ret->matrix);
	return trouble(m,
		       store_matrix(m->o->store, m->ret->row.id, m->ret->run.id, &m->ret->matrix));
}

bool mine_is_good(const struct mine_result *r)
{
	size_t passed = 0;

	for (size_t i = 0; i < r->tests; i++) {
		if (r->observed[i].outcome != MATRIX_PASS)
			continue;
		if (r->enforced[i].outcome != MATRIX_PASS)
			return false;
		passed++;
	}
	return passed > 0 && r->refusal_cnt == 0;
}

static int store_good(struct mine *m)
{
	struct store *s = m->o->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_generation_state(s, m->ret->row.id, m->ret->run.generation,
					   GENERATION_GOOD, NULL);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return trouble(m, r);
}

static int minimise_all(struct mine *m)
{
	int r;

	mine_phase(m, MINE_MINIMISE);
	m->ret->run.state = STORE_MINE_MINIMISING;
	r = store_run_row(m);
	if (r >= 0)
		r = mine_unit(m, "minimise");
	return r < 0 ? r : mine_minimise(m);
}

static int run_phases(struct mine *m)
{
	int r = mine_observe(m);

	if (r >= 0)
		r = take_matrix(m);
	if (r >= 0)
		r = trouble(m, make(m));
	if (r >= 0)
		r = mine_enforce(m);
	if (r >= 0 && mine_is_good(m->ret)) {
		r = store_good(m);
		if (r >= 0 && m->o->minimise)
			r = minimise_all(m);
	}
	return r;
}

/* However it ended: the service is stopped, and what was seen until then is in the store. */
/* What still runs ends before the run does, and is seen to: what it did is the run's, not a life outside
 * of the tests. Whether it could be ended, target_free's caller hears. */
static void end_target(struct mine *m)
{
	_free_ char *why = NULL;

	(void)target_clean(m->o->target, &why);
	if (m->observer && observer_drain(m->observer) >= 0)
		(void)observer_drain(m->observer);
}

static int end_run(struct mine *m, int r)
{
	struct store_mine *run = &m->ret->run;
	int stored;

	mine_phase(m, MINE_END);
	if (r < 0)
		end_target(m);
	if (m->observer && r < 0 && mine_find_row(m) == 0)
		run->workload = m->ret->row.id;
	if (r < 0 && run->workload && !m->ret->matrix.cnt)
		(void)store_matrix(m->o->store, run->workload, run->id, &m->ret->matrix);
	if (r == -EINTR && !m->ret->why)
		m->ret->why = strdup("stopped");
	run->ended = time(NULL);
	run->state = r < 0 ? STORE_MINE_STOPPED : STORE_MINE_DONE;
	free(run->why);
	run->why = m->ret->why ? strdup(m->ret->why) : NULL;
	stored = run->id ? store_run_row(m) : 0;
	return r < 0 ? r : stored;
}

int mine_run(const struct mine_options *o, struct mine_result *ret)
{
	__attribute__((cleanup(mine_done))) struct mine m = {
		.o = o,
		.ret = ret,
		.phase_began = run_now_ms(),
		.test = SIZE_MAX,
	};
	int r;

	*ret = (struct mine_result){ .tests = o->tests->cnt };
	r = begin_run(&m, &o->names);
	if (r >= 0)
		r = open_all(&m);
	if (r >= 0)
		r = run_phases(&m);
	return end_run(&m, r);
}
