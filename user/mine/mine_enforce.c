/* SPDX-License-Identifier: Apache-2.0 */
/* The same tests under a policy: the one that came out, and those that minimising tries. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "mine/mine_internal.h"
#include "mine/stop.h"

static const char unworthy[] = "it didn't end, or not begin, without the policy";

/* What failed without us is no word on the policy, but is tried; what hung would only hang again. */
static bool is_worth(const struct mine *m, size_t i)
{
	enum matrix_outcome o = m->ret->observed[i].outcome;

	return o == MATRIX_PASS || o == MATRIX_FAIL;
}

static int compose(struct mine *m, const struct sysset *enosys, const struct sysset *eperm,
		   char **ret)
{
	static const struct sysset none[TAMIS_ABI_MAX];

	return m->o->compose(m->o->arg, &m->ret->row, enosys ?: none, eperm ?: none, ret);
}

/* --- the policy ----------------------------------------------------------------------------- */

static int fail_test(struct mine_outcome *o, const char *why)
{
	mine_outcome_done(o);
	o->outcome = MATRIX_FAIL;
	o->why = text_format("%s", why ?: "the service doesn't run");
	return o->why ? 0 : -ENOMEM;
}

static int not_run(struct mine_outcome *o, const char *why)
{
	o->outcome = MATRIX_NONE;
	o->why = strdup(why);
	return o->why ? 0 : -ENOMEM;
}

/* A service that the policy doesn't let live fails its tests; it is no failure of the run. */
static bool is_about_it(int r)
{
	return r == -ECHILD || r == -ETIMEDOUT || r == -EIO;
}

static int enforce_test(struct mine *m, size_t i)
{
	struct mine_outcome *o = &m->ret->enforced[i];
	_free_ char *why = NULL;
	int r;

	if (!is_worth(m, i))
		return not_run(o, unworthy);
	if (mine_is_late(m))
		return not_run(o, "no time left");
	r = mine_revive(m, &why);
	if (is_about_it(r))
		return fail_test(o, why);
	if (r >= 0)
		r = mine_test(m, i, o);
	if (r >= 0)
		mine_tell(m, i + 1, NULL);
	return r;
}

static int fail_all(struct mine *m, const char *why)
{
	int r = mine_drain(m);

	for (size_t i = 0; r >= 0 && i < m->ret->tests; i++)
		r = is_worth(m, i) ? fail_test(&m->ret->enforced[i], why)
				   : not_run(&m->ret->enforced[i], unworthy);
	return r;
}

static int enforce_tests(struct mine *m, const char *text)
{
	_free_ char *why = NULL;
	int r = mine_start(m, text, &why);

	if (is_about_it(r))
		return fail_all(m, why);
	for (size_t i = 0; r >= 0 && i < m->ret->tests; i++)
		r = stop_asked(m->o->stop_fd) ? -EINTR : enforce_test(m, i);
	if (r >= 0)
		r = mine_drain(m);
	return r;
}

int mine_enforce(struct mine *m)
{
	_free_ char *text = NULL;
	int r;

	mine_phase(m, MINE_ENFORCE);
	m->ret->enforced = calloc(m->ret->tests ?: 1, sizeof(*m->ret->enforced));
	r = m->ret->enforced ? mine_unit(m, "enforce") : -ENOMEM;
	if (r >= 0)
		r = compose(m, NULL, NULL, &text);
	if (r >= 0)
		r = enforce_tests(m, text);
	if (r >= 0)
		r = target_stop(m->o->target, &m->ret->why);
	return r < 0 ? r : mine_drain(m);
}

/* --- a trial -------------------------------------------------------------------------------- */

static int say_failed(const struct mine_test *t, const struct mine_outcome *o, char **ret_why)
{
	*ret_why = text_format("%s: %s", t->name, o->why ?: "failed");
	return *ret_why ? 0 : -ENOMEM;
}

/* 1: passed. */
static int try_test(struct mine *m, size_t i, char **ret_why)
{
	struct mine_outcome o = { 0 };
	int r;

	if (m->ret->observed[i].outcome != MATRIX_PASS)
		return 1;
	if (stop_asked(m->o->stop_fd))
		return -EINTR;
	if (mine_is_late(m))
		return -ETIME;
	r = mine_test(m, i, &o);
	if (r >= 0)
		r = o.outcome == MATRIX_PASS ? 1 : say_failed(&m->o->tests->test[i], &o, ret_why);
	mine_outcome_done(&o);
	return r;
}

static int try_all(struct mine *m, const char *text, char **ret_why)
{
	_free_ char *why = NULL;
	int r = mine_start(m, text, &why);

	if (is_about_it(r)) {
		*ret_why = text_format("start: %s", why ?: strerror(-r));
		return *ret_why ? 0 : -ENOMEM;
	}
	if (r < 0) {
		*ret_why = TAKE_PTR(why);
		return r;
	}
	r = 1;
	for (size_t i = 0; r > 0 && i < m->ret->tests; i++)
		r = try_test(m, i, ret_why);
	return r;
}

int mine_trial(struct mine *m, const struct sysset *enosys, const struct sysset *eperm,
	       char **ret_why)
{
	_free_ char *text = NULL, *why = NULL;
	int r = compose(m, enosys, eperm, &text), stopped;

	if (r < 0)
		return r;
	r = try_all(m, text, ret_why);
	stopped = target_stop(m->o->target, &why);
	if (r >= 0 && stopped < 0) {
		free(*ret_why);
		*ret_why = TAKE_PTR(why);
		return stopped;
	}
	return r;
}
