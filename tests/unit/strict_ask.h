/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks an engine's profile and what was composed under it the same questions: each number, with
 * arguments at the boundaries of all conditions; and what the answers have to be.
 */
#pragma once

#include <errno.h>

#include "model/cond.h"
#include "model/rules.h"
#include "unit/strict.h"

#define VALUES_MAX 48

/* What is being asked, for the line that says what failed. */
struct question {
	const struct composed *c;
	uint64_t seed;
	enum tamis_abi abi;
	uint32_t nr;
	uint64_t args[FILTER_ARGS];
	bool denied, wanted;
	bool over; /* rules of the call may not fit: it may be refused where it needn't */
};

/* All questions; calls with conditions, and those of them that may lack room. */
struct asked {
	size_t answers, conditional, over, asking;
};

static struct asked asked;

static inline void fail_question(const struct question *q, const char *what,
				 struct filter_verdict engine, struct filter_verdict out)
{
	fail_msg("STRICT_SEED=%llu: %s %u(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx): engine %s %u, "
		 "composed %s %u: %s",
		 (unsigned long long)q->seed, abi_name(q->abi), q->nr,
		 (unsigned long long)q->args[0], (unsigned long long)q->args[1],
		 (unsigned long long)q->args[2], (unsigned long long)q->args[3],
		 (unsigned long long)q->args[4], (unsigned long long)q->args[5],
		 filter_action_oci(engine.action), engine.errno_ret, filter_action_oci(out.action),
		 out.errno_ret, what);
}

/* --- what is expected, said without compose ---------------------------------------------- */

static inline bool is_one_of(const struct question *q, const char *const *names)
{
	const char *name = calls_name(q->abi, q->nr);

	for (; name && *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static const char *const vital_names[] = { "execve",	   "exit",	"exit_group",
					   "rt_sigreturn", "sigreturn", NULL };

static inline bool is_denied(const struct question *q)
{
	return sysset_has(&q->c->denied[q->abi], q->nr) && !is_one_of(q, vital_names);
}

static inline bool is_wanted_nr(const struct question *q, uint32_t nr)
{
	const struct composed *c = q->c;
	const struct sysset(*set)[TAMIS_ABI_MAX] = c->learned.set;

	if (sysset_has(&set[TAMIS_WORKLOAD][q->abi], nr) ||
	    sysset_has(&set[TAMIS_GATE][q->abi], nr) || sysset_has(&c->gate[q->abi], nr) ||
	    sysset_has(&c->always[q->abi], nr))
		return true;
	if (c->in.descendants && calls_name(q->abi, nr) && !sysset_has(&c->guard[q->abi], nr))
		return true;
	return !c->in.without_sessions && sysset_has(&set[TAMIS_SESSION][q->abi], nr);
}

/* generation | gate | always | allowed, and clone beside clone3. */
static inline bool is_wanted(const struct question *q)
{
	static const char *const clone[] = { "clone", NULL };
	int clone3 = calls_number(q->abi, "clone3");

	return is_wanted_nr(q, q->nr) ||
	       (is_one_of(q, clone) && clone3 >= 0 && is_wanted_nr(q, (uint32_t)clone3));
}

/* The fallback's word: without a rule of its own a call passes. */
static inline struct filter_verdict fallback_of(const struct question *q)
{
	const struct filter *f = q->c->fallback;
	const struct filter_rule *rule = NULL;
	struct filter_verdict v;

	if (filter_find(f, q->abi, q->nr, &rule) == 0)
		return (struct filter_verdict){ FILTER_ALLOW, 0 };
	v = filter_verdict(f, q->abi, q->nr, q->args);
	/* Its default has no say: what none of its rules matches is refused. */
	for (size_t i = filter_find(f, q->abi, q->nr, &rule); i > 0; i--, rule++) {
		bool match = true;

		for (unsigned k = 0; k < rule->cond_cnt; k++)
			match &= cond_match(&rule->cond[k], q->args[rule->cond[k].index]);
		if (match)
			return v;
	}
	return (struct filter_verdict){ FILTER_ERRNO, ENOSYS };
}

static inline bool passes(struct filter_verdict v)
{
	return filter_action_passes(v.action);
}

/* The strictest of what a filter lets this call through with, whatever the arguments. */
static inline enum filter_action least_passing(const struct filter *f, const struct question *q,
					       bool default_counts)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(f, q->abi, q->nr, &rule);
	enum filter_action least = FILTER_ALLOW;

	if (default_counts && !(cnt > 0 && rule->cond_cnt == 0) &&
	    filter_action_passes(f->default_action))
		least = f->default_action;
	for (size_t i = 0; i < cnt; i++)
		if (filter_action_passes(rule[i].action) && rule[i].action < least)
			least = rule[i].action;
	return least;
}

/* Its errnos count where it lets the call through at times, or says one whatever the arguments. */
static inline bool is_heard(const struct filter *f, const struct question *q)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(f, q->abi, q->nr, &rule);

	if (cnt > 0 && rule->cond_cnt == 0)
		return true;
	for (size_t i = 0; i < cnt; i++)
		if (filter_action_passes(rule[i].action))
			return true;
	return cnt > 0 && filter_action_passes(f->default_action);
}

/* --- the properties ---------------------------------------------------------------------- */

static inline void ask_refused(const struct question *q, struct filter_verdict engine,
			       struct filter_verdict out)
{
	uint32_t own = engine.errno_ret;

	if (out.action > engine.action || passes(out))
		fail_question(q, "weaker than the engine's", engine, out);
	if (q->over)
		return;
	if (out.action != engine.action && !(q->wanted && out.action == fallback_of(q).action))
		fail_question(q, "stricter than the engine's without need", engine, out);
	if (out.action != FILTER_ERRNO || (own != 0 && out.errno_ret == own))
		return;
	/* Errnos of the engine's rules stay, but 0; its default's is ours to choose. */
	if (q->wanted && is_heard(q->c->engine, q) && own != 0 &&
	    own != q->c->engine->default_errno)
		fail_question(q, "the engine's errno is gone", engine, out);
	if (out.errno_ret == 0)
		fail_question(q, "an answer of 0", engine, out);
}

/* Let through by the engine, but not wanted, or not so. */
static inline void ask_unwanted(const struct question *q, struct filter_verdict engine,
				struct filter_verdict out)
{
	struct filter_verdict base = fallback_of(q);
	bool eperm = sysset_has(&q->c->eperm[q->abi], q->nr) ||
		     (q->denied && sysset_has(&q->c->denied_eperm[q->abi], q->nr));

	if (passes(out))
		fail_question(q, "outside of generation, gate and always", engine, out);
	if (q->denied && out.action == FILTER_ERRNO && out.errno_ret == 0)
		fail_question(q, "denied with an answer of 0", engine, out);
	if (q->over)
		return;
	if (!q->wanted && (out.action != FILTER_ERRNO || out.errno_ret != (eperm ? EPERM : ENOSYS)))
		fail_question(q, "not refused as what nobody learned is", engine, out);
	if (q->wanted && out.action != base.action)
		fail_question(q, "not refused as the fallback does", engine, out);
}

static inline void ask_wanted(const struct question *q, struct filter_verdict engine,
			      struct filter_verdict out)
{
	enum filter_action a = least_passing(q->c->engine, q, true);
	enum filter_action b = least_passing(q->c->fallback, q, false);

	if (out.action > (a < b ? a : b))
		fail_question(q, "passes with more than the stricter side's action", engine, out);
	if (!q->over && out.action != (a < b ? a : b))
		fail_question(q, "refused though both sides let it through", engine, out);
}

/* Nobody learned it, and nothing but that stands against it. */
static inline bool is_on_probation(const struct question *q)
{
	return calls_name(q->abi, q->nr) && !q->wanted && !q->denied &&
	       !is_one_of(q, vital_names) && !sysset_has(&q->c->guard[q->abi], q->nr);
}

/* Beside what the same input gives in enforce. */
static inline void ask_beside(const struct question *q, struct filter_verdict engine,
			      struct filter_verdict out)
{
	static const char *const write[] = { "write", NULL };
	struct filter_verdict was = filter_verdict(q->c->enforce, q->abi, q->nr, q->args);
	bool is_write = is_one_of(q, write);

	if (!is_on_probation(q)) {
		if (out.action != was.action || out.errno_ret != was.errno_ret)
			fail_question(q, "not as in enforce (the first)", was, out);
		return;
	}
	if (passes(was))
		fail_question(q, "passes in enforce (the first) though nobody learned it", was,
			      out);
	if (passes(out) && !(passes(engine) && passes(fallback_of(q))))
		fail_question(q, "one side refuses it", engine, out);
	if (out.action > FILTER_NOTIFY && !is_write)
		fail_question(q, "passes unasked", engine, out);
	if (out.action == FILTER_NOTIFY && is_write &&
	    least_passing(q->c->engine, q, true) > out.action &&
	    least_passing(q->c->fallback, q, false) > out.action)
		fail_question(q, "write asks", engine, out);
	asked.asking += out.action == FILTER_NOTIFY;
	if (!q->over && !passes(out) && passes(engine) && passes(fallback_of(q)))
		fail_question(q, "refused though both sides let it through", engine, out);
}

static inline void ask_as_enforced(const struct question *q, struct filter_verdict engine,
				   struct filter_verdict out)
{
	if (passes(out) && !q->wanted)
		fail_question(q, "outside of generation, gate and always", engine, out);
	if (!(q->c->out->abis >> q->abi & 1))
		return;
	if (!passes(engine))
		ask_refused(q, engine, out);
	else if (!q->wanted || !passes(fallback_of(q)))
		ask_unwanted(q, engine, out);
	else
		ask_wanted(q, engine, out);
}

static inline void ask(const struct question *q)
{
	const struct composed *c = q->c;
	struct filter_verdict engine = filter_verdict(c->engine, q->abi, q->nr, q->args);
	struct filter_verdict out = filter_verdict(c->out, q->abi, q->nr, q->args);

	asked.answers++;
	if (out.action > engine.action)
		fail_question(q, "weaker than the engine's", engine, out);
	if (!c->enforce)
		ask_as_enforced(q, engine, out);
	else if (c->out->abis >> q->abi & 1)
		ask_beside(q, engine, out);
	else if (passes(out))
		fail_question(q, "passes in an ABI that it doesn't list", engine, out);
}

/* --- which arguments --------------------------------------------------------------------- */

struct values {
	uint64_t v[FILTER_ARGS][VALUES_MAX];
	unsigned cnt[FILTER_ARGS];
};

static inline void add_value(struct values *x, unsigned index, uint64_t v)
{
	for (unsigned i = 0; i < x->cnt[index]; i++)
		if (x->v[index][i] == v)
			return;
	if (x->cnt[index] < VALUES_MAX)
		x->v[index][x->cnt[index]++] = v;
}

static inline void add_boundaries(struct values *x, const struct filter *f,
				  const struct question *q)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(f, q->abi, q->nr, &rule);

	for (size_t i = 0; i < cnt; i++)
		for (unsigned k = 0; k < rule[i].cond_cnt; k++) {
			const struct filter_cond *c = &rule[i].cond[k];
			uint64_t at = c->op == FILTER_MASKED_EQ ? c->value_two : c->value;

			add_value(x, c->index, at);
			add_value(x, c->index, at + 1);
			add_value(x, c->index, at - 1);
			add_value(x, c->index, at ^ 1ULL << 32);
			if (c->op == FILTER_MASKED_EQ) {
				add_value(x, c->index, at | ~c->value);
				add_value(x, c->index, at ^ (c->value & -c->value));
			}
		}
}

static inline bool is_conditional(const struct filter *f, const struct question *q)
{
	const struct filter_rule *rule = NULL;

	return filter_find(f, q->abi, q->nr, &rule) > 0 && rule->cond_cnt > 0;
}

/* How many pieces are left of everything when a condition is taken out of it. */
static inline uint64_t pieces(const struct filter_cond *c, const uint64_t *indices)
{
	if (indices[c->index] > 1)
		return 64;
	return c->op == FILTER_MASKED_EQ ? (uint64_t)__builtin_popcountll(c->value) : 1;
}

static inline void count_indices(const struct filter *f, const struct question *q,
				 uint64_t *indices)
{
	const struct filter_rule *rule = NULL;

	for (size_t i = filter_find(f, q->abi, q->nr, &rule); i > 0; i--, rule++)
		for (unsigned k = 0; k < rule->cond_cnt; k++)
			indices[rule->cond[k].index]++;
}

static inline uint64_t weigh(const struct filter *f, const struct question *q,
			     const uint64_t *indices)
{
	const struct filter_rule *rule = NULL;
	uint64_t weight = 1;

	for (size_t i = filter_find(f, q->abi, q->nr, &rule); i > 0; i--, rule++) {
		uint64_t all = 0;

		for (unsigned k = 0; k < rule->cond_cnt; k++)
			all += pieces(&rule->cond[k], indices);
		weight *= all ? all : 1;
		weight = weight < UINT32_MAX ? weight : UINT32_MAX;
	}
	return weight;
}

/* Whether exact rules may take more than there is room for; then only what is never wider is asked.
 * From the profiles alone, so that compose has no say. */
static inline bool may_lack_room(const struct question *q)
{
	uint64_t indices[FILTER_ARGS] = { 0 };

	if (q->c->exact)
		return false;
	if (q->c->real && !is_conditional(q->c->engine, q) &&
	    q->c->engine->default_action >= FILTER_ERRNO)
		return false;
	count_indices(q->c->engine, q, indices);
	count_indices(q->c->fallback, q, indices);
	return weigh(q->c->engine, q, indices) * weigh(q->c->fallback, q, indices) >= RULES_MAX;
}

static inline void ask_boundaries(struct question *q, struct random *x)
{
	struct values v = { 0 };

	add_boundaries(&v, q->c->engine, q);
	add_boundaries(&v, q->c->fallback, q);
	for (unsigned i = 0; i < FILTER_ARGS; i++) {
		add_value(&v, i, 0);
		for (unsigned k = 0; k < v.cnt[i]; k++) {
			q->args[i] = v.v[i][k];
			ask(q);
		}
	}
	for (unsigned n = 0; n < 40; n++) {
		for (unsigned i = 0; i < FILTER_ARGS; i++)
			q->args[i] = v.v[i][draw(x, v.cnt[i])];
		ask(q);
	}
}

static inline void ask_call(struct question *q, struct random *x)
{
	bool conditional = is_conditional(q->c->engine, q) || is_conditional(q->c->fallback, q);

	q->denied = is_denied(q);
	q->wanted = !q->denied && is_wanted(q);
	q->over = conditional && may_lack_room(q);
	memset(q->args, 0, sizeof(q->args));
	ask(q);
	if (!conditional || !(q->c->out->abis >> q->abi & 1))
		return;
	asked.over += q->over;
	asked.conditional++;
	ask_boundaries(q, x);
}

/* No two rules of one call with different answers overlap: libseccomp would choose one. */
static inline void rules_are_apart(const struct composed *c, uint64_t seed)
{
	const struct filter *f = c->out;

	for (size_t i = 0; i < f->rule_cnt; i++)
		for (size_t k = i + 1; k < f->rule_cnt; k++) {
			const struct filter_rule *a = &f->rule[i], *b = &f->rule[k];

			if (a->abi != b->abi || a->nr != b->nr)
				break;
			if (a->action == b->action && a->errno_ret == b->errno_ret)
				continue;
			if (!rule_excludes(a, b))
				fail_msg("STRICT_SEED=%llu: rules of %s %u overlap",
					 (unsigned long long)seed, abi_name(a->abi), a->nr);
		}
}

static inline void ask_all(const struct composed *c, struct random *x, uint64_t seed)
{
	struct question q = { .c = c, .seed = seed };

	if (c->out->abis & ~c->engine->abis)
		fail_msg("STRICT_SEED=%llu: an ABI that the engine doesn't list",
			 (unsigned long long)seed);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		/* Where neither speaks, one number is like the other. */
		uint32_t end = c->engine->abis >> abi & 1 ? TAMIS_CALLS : 1;

		q.abi = (enum tamis_abi)abi;
		for (q.nr = 0; q.nr < end; q.nr++)
			ask_call(&q, x);
	}
	rules_are_apart(c, seed);
}
