/* SPDX-License-Identifier: Apache-2.0 */
/* The last phase: what the tests do without, tried on the service itself, and a generation without it. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "learn/make.h"
#include "mine/mine_internal.h"
#include "mine/run.h"
#include "policy/data.h"

struct minimiser {
	struct mine *m;
	struct sysset keep[TAMIS_ABI_MAX];
	struct verdicts said;
	struct sysset outside[TAMIS_ABI_MAX]; /* made where no run was: the tests don't show all */
	struct sysset judged[TAMIS_ABI_MAX];  /* made in this run, by tests that pass */
	struct store_minimised *before;	      /* what an earlier run knew */
	size_t before_cnt;
	int64_t longest_ms; /* a trial that passed took */
	bool confirming;
};

static void minimiser_done(struct minimiser *x)
{
	store_minimised_free(x->before, x->before_cnt);
}

/* --- which calls ---------------------------------------------------------------------------- */

/* Nobody has to try these: a process can't be without them, nor a container begin; or somebody has
 * spoken. NULL: it may be tried. */
static const char *why_kept(const struct minimiser *x, enum tamis_abi abi, uint32_t nr)
{
	const struct mine *m = x->m;

	if (sysset_has(&x->said.allowed[abi], nr))
		return "somebody allowed it";
	if (sysset_has(&x->keep[abi], nr))
		return data_keep_why(abi, nr);
	if (sysset_has(&m->always[abi], nr))
		return "in every policy";
	if (sysset_has(&m->gates[abi], nr))
		return "what starts it needs it";
	if (sysset_has(&x->outside[abi], nr))
		return "made outside of the tests";
	return NULL;
}

static const struct store_minimised *known(const struct minimiser *x, enum tamis_abi abi,
					   uint32_t nr)
{
	for (size_t i = 0; i < x->before_cnt; i++)
		if (x->before[i].abi == abi && x->before[i].nr == nr)
			return &x->before[i];
	return NULL;
}

/* What tests that fail made alone, or other tests in another run, all would pass without. */
static const char *why_unjudged(const struct minimiser *x, enum tamis_abi abi, uint32_t nr)
{
	const struct store_minimised *b = known(x, abi, nr);
	bool tried = b && (b->state == MINIMISE_NEEDED || b->state == MINIMISE_GONE);

	return tried || sysset_has(&x->judged[abi], nr) ? NULL : "made in no test that passes";
}

static int fill(const struct minimiser *x, enum tamis_abi abi, uint32_t nr,
		struct minimise_call *ret)
{
	const struct store_minimised *b = known(x, abi, nr);
	const char *why = why_kept(x, abi, nr) ?: why_unjudged(x, abi, nr);

	*ret = (struct minimise_call){ .abi = abi, .nr = nr, .danger = data_danger(abi, nr) };
	if (why) {
		ret->state = MINIMISE_KEPT;
	} else if (b && (b->state == MINIMISE_NEEDED || b->state == MINIMISE_GONE)) {
		ret->state = b->state;
		ret->errno_ret = b->errno_ret;
		why = b->why;
	}
	ret->why = why ? strdup(why) : NULL;
	return why && !ret->why ? -ENOMEM : 0;
}

static int add_calls(const struct minimiser *x, enum tamis_abi abi, const struct sysset *set)
{
	struct mine_result *r = x->m->ret;
	int err = 0;

	for (int nr = sysset_next(set, 0); err == 0 && nr >= 0;
	     nr = sysset_next(set, (unsigned)nr + 1)) {
		struct minimise_call *more =
			reallocarray(r->call, r->call_cnt + 1, sizeof(*r->call));

		if (!more)
			return -ENOMEM;
		r->call = more;
		err = fill(x, abi, (uint32_t)nr, &more[r->call_cnt]);
		r->call_cnt += err == 0;
	}
	return err;
}

static int find_outside(struct minimiser *x, const struct sysset *set)
{
	_free_ struct store_made *made = NULL;
	size_t cnt = 0;
	int r = store_made_after_all(x->m->o->store, x->m->ret->row.id, set, &made, &cnt);

	for (size_t i = 0; r == 0 && i < cnt; i++)
		sysset_add(&x->outside[made[i].abi], made[i].nr);
	return r;
}

/* What the first generation lets pass because it was learned, or allowed. */
static int collect(struct minimiser *x)
{
	const struct generation *g = &x->m->generation;
	struct sysset set[TAMIS_ABI_MAX];
	int r;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		set[abi] = g->learned.set[TAMIS_WORKLOAD][abi];
		sysset_merge(&set[abi], &g->learned.set[TAMIS_SESSION][abi]);
	}
	r = find_outside(x, set);
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		r = add_calls(x, abi, &set[abi]);
	return r;
}

/* --- store ---------------------------------------------------------------------------------- */

static int store_call(struct minimiser *x, const struct minimise_call *c)
{
	const struct store_minimised row = {
		.abi = c->abi,
		.nr = c->nr,
		.state = c->state,
		.errno_ret = c->errno_ret,
		.why = c->why,
	};

	return store_minimised_set(x->m->o->store, x->m->ret->run.id, &row);
}

static int store_all(struct minimiser *x)
{
	const struct mine_result *r = x->m->ret;
	struct store *s = x->m->o->store;
	int err = store_begin(s);

	for (size_t i = 0; err == 0 && i < r->call_cnt; i++)
		err = store_call(x, &r->call[i]);
	if (err == 0)
		err = store_commit(s);
	if (err < 0)
		store_rollback(s);
	return err;
}

static int read_before(struct minimiser *x)
{
	struct store *s = x->m->o->store;
	struct store_mine last = { 0 };
	int r = store_mine_minimised(s, x->m->ret->row.id, x->m->ret->run.tests, &last);

	if (r == 0)
		r = store_minimised(s, last.id, &x->before, &x->before_cnt);
	store_mine_done(&last);
	return r == -ENOENT ? 0 : r;
}

static int decided(void *arg, const struct minimise_call *c)
{
	struct minimiser *x = arg;
	struct store *s = x->m->o->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_call(x, c);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

/* --- trying --------------------------------------------------------------------------------- */

/* There has to be time left to confirm what was found. */
static bool is_over(const struct minimiser *x)
{
	int64_t limit = x->m->o->minimise_limit_ms;
	int64_t took = run_now_ms() - x->m->phase_began;

	return limit && took + (x->m->o->confirm + 1) * x->longest_ms >= limit;
}

static int passes(void *arg, const struct minimise_call *const *refused, const uint32_t *errno_ret,
		  size_t cnt, char **ret_why)
{
	struct sysset enosys[TAMIS_ABI_MAX] = { 0 }, eperm[TAMIS_ABI_MAX] = { 0 };
	struct minimiser *x = arg;
	const struct mine_result *res = x->m->ret;
	int64_t began = run_now_ms(), took;
	int r;

	if (!x->confirming && is_over(x))
		return -ETIME;
	for (size_t i = 0; i < res->call_cnt; i++) {
		const struct minimise_call *c = &res->call[i];

		if (c->state == MINIMISE_GONE)
			sysset_add(c->errno_ret == EPERM ? &eperm[c->abi] : &enosys[c->abi], c->nr);
	}
	for (size_t i = 0; i < cnt; i++)
		sysset_add(errno_ret[i] == EPERM ? &eperm[refused[i]->abi]
						 : &enosys[refused[i]->abi],
			   refused[i]->nr);
	r = mine_trial(x->m, enosys, eperm, ret_why);
	took = run_now_ms() - began;
	/* Not about the service. */
	if (r < 0 && r != -EINTR && r != -ETIME && !x->m->ret->why)
		x->m->ret->why = TAKE_PTR(*ret_why);
	if (r > 0 && took > x->longest_ms)
		x->longest_ms = took;
	return r;
}

/* What is open stays so: only what was found is run again. */
static int confirm(struct minimiser *x, const struct minimise_options *o)
{
	struct mine_result *r = x->m->ret;
	_free_ struct minimise_call **open = calloc(r->call_cnt + 1, sizeof(void *));
	size_t cnt = 0;
	int err;

	if (!open)
		return -ENOMEM;
	for (size_t i = 0; i < r->call_cnt; i++)
		if (r->call[i].state == MINIMISE_OPEN) {
			r->call[i].state = MINIMISE_KEPT;
			open[cnt++] = &r->call[i];
		}
	x->confirming = x->m->unhurried = true;
	err = minimise(r->call, r->call_cnt, o);
	x->confirming = x->m->unhurried = false;
	while (cnt > 0)
		open[--cnt]->state = MINIMISE_OPEN;
	return err;
}

static int search(struct minimiser *x)
{
	const struct minimise_options once = { .passes = passes, .decided = decided, .arg = x };
	struct minimise_options often = once;
	int r = minimise(x->m->ret->call, x->m->ret->call_cnt, &once);

	often.confirm = x->m->o->confirm;
	if (r < 0 && r != -ETIME)
		return r;
	r = confirm(x, &often);
	if (r == -EAGAIN)
		return text_why(r, &x->m->ret->why,
				"the tests fail now and then with no call refused: what was "
				"found needless isn't");
	return r;
}

/* --- the smaller generation ------------------------------------------------------------------ */

static int say_denied(struct minimiser *x, struct store *s, int64_t now, size_t *ret_cnt)
{
	const struct mine_result *res = x->m->ret;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < res->call_cnt; i++) {
		const struct minimise_call *c = &res->call[i];

		if (c->state != MINIMISE_GONE)
			continue;
		r = store_verdict_mined(s, res->row.id, c->abi, c->nr, c->errno_ret, now);
		++*ret_cnt;
	}
	return r < 0 ? r : 0;
}

static int make_smaller(struct minimiser *x, struct store *s, int64_t now)
{
	struct mine_result *res = x->m->ret;
	_free_ char *maker = text_format("mine --minimize: %s", res->run.target);
	const struct make_options o = { .maker = maker, .good = true };
	struct generation g = { 0 };
	int r = maker ? make_generation(s, &res->row, &o, now, &g) : -ENOMEM;

	if (r == 0)
		r = store_generation_add(s, res->row.id, &g);
	if (r >= 0)
		res->run.minimised = g.number;
	generation_done(&g);
	return r < 0 ? r : store_mine_set(s, &res->run);
}

static int conclude(struct minimiser *x)
{
	struct store *s = x->m->o->store;
	int64_t now = time(NULL);
	size_t cnt = 0;
	int r = store_begin(s);

	if (r == 0)
		r = say_denied(x, s, now, &cnt);
	if (r == 0 && cnt > 0)
		r = make_smaller(x, s, now);
	if (r == 0)
		r = store_commit(s);
	if (r >= 0)
		return r;
	store_rollback(s);
	x->m->ret->run.minimised = 0;
	return r;
}

int mine_minimise(struct mine *m)
{
	__attribute__((cleanup(minimiser_done))) struct minimiser x = { .m = m };
	int r = data_keep(x.keep);

	if (r == 0)
		r = store_verdicts(m->o->store, m->ret->row.id, &x.said);
	if (r == 0)
		r = read_before(&x);
	matrix_judged(&m->ret->matrix, x.judged);
	if (r == 0)
		r = collect(&x);
	if (r == 0)
		r = store_all(&x);
	if (r == 0)
		r = search(&x);
	return r < 0 ? r : conclude(&x);
}
