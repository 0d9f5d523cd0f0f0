/* SPDX-License-Identifier: Apache-2.0 */
/* The first phase: the tests as they are, each a sampling unit of its own. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "mine/mine_internal.h"
#include "mine/stop.h"

/* --- one test ------------------------------------------------------------------------------- */

/* A test that ends the service hasn't passed, whatever it says itself; one that is there to do so has it
 * back by itself. */
static int note_end(struct mine *m, struct mine_outcome *o)
{
	int status = 0;

	if (target_runs(m->o->target, &status) != 0)
		return 0;
	if (o->outcome == MATRIX_FAIL)
		return 0;
	free(o->why);
	o->outcome = MATRIX_FAIL;
	o->why = status > 128 ? text_format("the service ended by signal %d", status - 128)
			      : text_format("the service ended with status %d", status);
	return o->why ? 0 : -ENOMEM;
}

/* A test that was quick and now isn't has failed: minimising has many of these to wait for. */
static int64_t limit_of(const struct mine *m, size_t i)
{
	int64_t limit = m->o->test_limit_ms;
	int64_t slow = 10 * m->ret->observed[i].took_ms + 5000;

	return m->phase == MINE_MINIMISE && (limit == 0 || slow < limit) ? slow : limit;
}

int mine_test(struct mine *m, size_t i, struct mine_outcome *ret)
{
	const struct mine_test *t = &m->o->tests->test[i];
	struct mine_outcome o = { 0 };
	int r;

	m->test = i;
	mine_tell(m, i, t->name);
	r = mine_test_run(t, m->o->target, limit_of(m, i), m->o->stop_fd, &o);
	if (r >= 0)
		r = note_end(m, &o);
	if (r >= 0)
		r = mine_outcome_compare(&o, &m->ret->observed[i]);
	if (r >= 0)
		r = mine_drain(m);
	m->test = SIZE_MAX;
	if (r < 0) {
		mine_outcome_done(&o);
		return r;
	}
	*ret = o;
	return 0;
}

/* --- all ------------------------------------------------------------------------------------ */

static int store_outcome(struct mine *m, enum matrix_outcome outcome)
{
	struct store *s = m->o->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_mine_outcome(s, m->unit, outcome);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

static int skip(struct mine_outcome *o)
{
	*o = (struct mine_outcome){ .outcome = MATRIX_NONE, .why = strdup("no time left") };
	return o->why ? 0 : -ENOMEM;
}

static int observe_test(struct mine *m, size_t i)
{
	struct mine_outcome *o = &m->ret->observed[i];
	char **why = &m->ret->why;
	int r;

	if (mine_is_late(m))
		return skip(o);
	r = mine_unit(m, m->o->tests->test[i].name);
	if (r >= 0)
		r = mine_revive(m, why);
	if (r >= 0)
		r = mine_test(m, i, o);
	if (r >= 0)
		r = store_outcome(m, o->outcome);
	if (r >= 0)
		mine_tell(m, i + 1, NULL);
	return r;
}

static int observe_tests(struct mine *m)
{
	int r = 0;

	m->ret->observed = calloc(m->ret->tests ?: 1, sizeof(*m->ret->observed));
	if (!m->ret->observed)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < m->ret->tests; i++)
		r = stop_asked(m->o->stop_fd) ? -EINTR : observe_test(m, i);
	return r;
}

/* Which explorations there are is known when the service is. */
static int find_tests(struct mine *m)
{
	struct target_facts facts = { 0 };
	int r = target_look(m->o->target, &facts);

	if (facts.runtime)
		m->ret->runtime = strdup(facts.runtime);
	if (m->o->tests->cnt == 0 && m->o->explorations) {
		if (r >= 0)
			r = explorations_for(m->o->explorations, &facts, m->o->tests);
		if (r == -ESRCH)
			return text_why(r, &m->ret->why, "it ended before it could be explored");
		if (r < 0)
			return text_why(r, &m->ret->why, "no explorations: %s", strerror(-r));
	}
	m->ret->tests = m->o->tests->cnt;
	return 0;
}

/* The unit "start" has begun with the observer. */
int mine_observe(struct mine *m)
{
	int r = mine_start(m, NULL, &m->ret->why);

	if (r >= 0)
		r = mine_refresh_row(m);
	if (r < 0)
		return r;
	mine_phase(m, MINE_OBSERVE);
	r = find_tests(m);
	if (r < 0)
		return r;
	mine_tell(m, 0, NULL);
	r = observe_tests(m);
	if (r >= 0)
		r = mine_unit(m, "stop");
	if (r >= 0)
		r = target_stop(m->o->target, &m->ret->why);
	return r < 0 ? r : mine_drain(m);
}
