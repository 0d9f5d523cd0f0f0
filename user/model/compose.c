/* SPDX-License-Identifier: Apache-2.0 */
#include "model/compose.h"

#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "model/narrow.h"

/* Calls that were really made: what the engine's profile refused was never seen. */
#define LEARNED (FILTER_WHY_WORKLOAD | FILTER_WHY_SESSION | FILTER_WHY_GATE_SEEN)

struct composing {
	const struct compose_in *in;
	const struct filter *engine; /* NULL where it doesn't speak for the ABI */
	enum tamis_abi abi;
	struct filter *out;
	const struct filter *asking; /* in probation: `fallback`, as calls that ask have it */
	int clone, clone3, write;    /* their numbers, or -ENOENT */
	struct sysset vital;
};

static uint32_t why_if(const struct sysset *set, uint32_t nr, uint32_t why)
{
	return set && sysset_has(set, nr) ? why : 0;
}

/* A number that no table has is refused like on a kernel without the call. */
static uint32_t why_beside_guard(const struct composing *c, uint32_t nr)
{
	const struct sysset *guard = c->in->guard;

	if (!c->in->descendants || !calls_name(c->abi, nr))
		return 0;
	return guard && sysset_has(&guard[c->abi], nr) ? 0 : FILTER_WHY_DESCENDANTS;
}

static uint32_t why_of(const struct composing *c, uint32_t nr)
{
	const struct compose_in *in = c->in;
	const struct sysset(*set)[TAMIS_ABI_MAX] = in->learned->set;
	uint32_t why = why_if(&set[TAMIS_WORKLOAD][c->abi], nr, FILTER_WHY_WORKLOAD) |
		       why_if(&set[TAMIS_GATE][c->abi], nr, FILTER_WHY_GATE_SEEN);

	if (!in->without_sessions)
		why |= why_if(&set[TAMIS_SESSION][c->abi], nr, FILTER_WHY_SESSION);
	if (in->gate)
		why |= why_if(&in->gate[c->abi], nr, FILTER_WHY_GATE_TABLE);
	if (in->always)
		why |= why_if(&in->always[c->abi], nr, FILTER_WHY_ALWAYS);
	return why | why_beside_guard(c, nr);
}

/* libc falls back from clone3, which is answered ENOSYS, to clone. */
static uint32_t why_beside_clone3(const struct composing *c, uint32_t nr)
{
	if (c->clone3 < 0 || (int)nr != c->clone || !why_of(c, (uint32_t)c->clone3))
		return 0;
	return FILTER_WHY_FALLBACK;
}

/* Without these nothing can start or end, so no engine's profile lacks them on purpose. */
static struct sysset vital_of(enum tamis_abi abi)
{
	static const char *const names[] = { "execve", "exit", "exit_group", "rt_sigreturn",
					     "sigreturn" };
	struct sysset vital = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int nr = calls_number(abi, names[i]);

		if (nr >= 0)
			sysset_add(&vital, (unsigned)nr);
	}
	return vital;
}

/* What a call may be at most, whatever the engine says. */
static struct side base_of(const struct composing *c, uint32_t nr, bool asks)
{
	static const struct filter_rule allow = { .action = FILTER_ALLOW },
					ask = { .action = FILTER_NOTIFY };
	struct side base = side_of(asks ? c->asking : c->in->fallback, c->abi, nr);

	base.otherwise = FILTER_ERRNO;
	if (base.cnt == 0) {
		base.rule = asks ? &ask : &allow;
		base.cnt = 1;
	}
	return base;
}

static int pass_call(const struct composing *c, uint32_t nr, const struct side *engine,
		     uint32_t why)
{
	const struct filter_rule like = { .abi = c->abi, .nr = nr, .why = why };
	struct side base = base_of(c, nr, why == FILTER_WHY_PROBATION && (int)nr != c->write);

	if (c->in->strict)
		return narrow_strict(&base, engine, &like, ENOSYS, c->out);
	return narrow(&base, engine, &like, c->out);
}

/* The engine's own answer, said unconditionally: its errno, or death. An errno of 0 would
 * answer for a call that wasn't made. */
static const struct filter_rule *engine_refusal(const struct side *engine)
{
	const struct filter_rule *r = engine->cnt == 1 ? engine->rule : NULL;

	if (!r || r->cond_cnt > 0 || filter_action_passes(r->action) ||
	    (r->action == FILTER_ERRNO && r->errno_ret == 0))
		return NULL;
	return r;
}

static bool is_denied(const struct composing *c, uint32_t nr)
{
	return c->in->denied && sysset_has(&c->in->denied[c->abi], nr) &&
	       !sysset_has(&c->vital, nr);
}

static uint32_t errno_of(const struct composing *c, uint32_t nr)
{
	const struct compose_in *in = c->in;

	if (in->eperm && sysset_has(&in->eperm[c->abi], nr))
		return EPERM;
	return is_denied(c, nr) && in->denied_eperm && sysset_has(&in->denied_eperm[c->abi], nr)
		       ? EPERM
		       : ENOSYS;
}

/* Only what differs from the default needs a rule. */
static int put_refusal(const struct composing *c, uint32_t nr, const struct filter_rule *answer,
		       uint32_t why)
{
	const struct filter_rule rule = { .abi = c->abi,
					  .nr = nr,
					  .action = answer->action,
					  .errno_ret = answer->errno_ret,
					  .why = FILTER_WHY_ERRNO | why };

	if (rule.action == c->out->default_action && rule.errno_ret == c->out->default_errno)
		return 0;
	return filter_add(c->out, &rule);
}

static int refuse_call(const struct composing *c, uint32_t nr, const struct side *engine)
{
	const struct filter_rule plain = { .action = FILTER_ERRNO, .errno_ret = errno_of(c, nr) };
	const struct filter_rule *own = engine_refusal(engine);

	if (own)
		return put_refusal(c, nr, own, FILTER_WHY_ENGINE);
	return put_refusal(c, nr, &plain, 0);
}

static bool kills_sometimes(const struct side *engine)
{
	for (size_t i = 0; i < engine->cnt; i++)
		if (engine->rule[i].action < FILTER_ERRNO)
			return true;
	return engine->otherwise < FILTER_ERRNO;
}

/* Where the engine kills, an errno would be less than it asks for. */
static int refuse_strictly(const struct composing *c, uint32_t nr, const struct side *engine)
{
	const struct filter_rule plain = { .action = FILTER_ERRNO, .errno_ret = errno_of(c, nr) };
	const struct side base = { .rule = &plain, .cnt = 1, .otherwise = FILTER_ERRNO };
	const struct filter_rule like = { .abi = c->abi, .nr = nr, .why = FILTER_WHY_ERRNO };

	return narrow_strict(&base, engine, &like, plain.errno_ret, c->out);
}

/* Waiting for an answer can be interrupted by a signal, which nothing that is vital stands. */
static uint32_t why_in_probation(const struct composing *c, uint32_t nr)
{
	const struct sysset *guard = c->in->guard;

	if (!c->in->probation || !calls_name(c->abi, nr) || sysset_has(&c->vital, nr))
		return 0;
	return guard && sysset_has(&guard[c->abi], nr) ? 0 : FILTER_WHY_PROBATION;
}

static int compose_call(const struct composing *c, uint32_t nr)
{
	const struct side silent = { .otherwise = FILTER_ALLOW };
	struct side engine = c->engine ? side_of(c->engine, c->abi, nr) : silent;
	bool careful = c->in->strict && kills_sometimes(&engine);
	uint32_t why = why_of(c, nr) | why_beside_clone3(c, nr);

	if (is_denied(c, nr))
		return careful ? refuse_strictly(c, nr, &engine) : refuse_call(c, nr, &silent);
	why = why ?: why_in_probation(c, nr);
	if (why && side_passes(&engine))
		return pass_call(c, nr, &engine, why);
	/* Refused outright. A learned call was made all the same, so the profile at hand is
	 * not the one it was made under, and refusing it would break what worked. */
	if (!c->in->strict && ((why & LEARNED) || (why && sysset_has(&c->vital, nr))))
		return pass_call(c, nr, &silent, why);
	return careful ? refuse_strictly(c, nr, &engine) : refuse_call(c, nr, &engine);
}

static bool has_learned(const struct compose_in *in, enum tamis_abi abi)
{
	const struct sysset(*set)[TAMIS_ABI_MAX] = in->learned->set;

	return !sysset_is_empty(&set[TAMIS_WORKLOAD][abi]) ||
	       !sysset_is_empty(&set[TAMIS_GATE][abi]) ||
	       (!in->without_sessions && !sysset_is_empty(&set[TAMIS_SESSION][abi]));
}

/* Under an engine that would end the process, ending a thread alone would be less. */
static bool kills_processes(const struct filter *f, enum tamis_abi abi)
{
	for (size_t i = 0; i < f->rule_cnt; i++)
		if (f->rule[i].abi == abi && f->rule[i].action == FILTER_KILL_PROCESS)
			return true;
	return f->default_action == FILTER_KILL_PROCESS;
}

static bool speaks_for(const struct compose_in *in, enum tamis_abi abi)
{
	if (in->strict && in->engine && !(in->engine->abis & 1u << abi))
		return false;
	if (in->strict && in->engine && kills_processes(in->engine, abi))
		return true;
	return abi == abi_native() || has_learned(in, abi) ||
	       (in->descendants && abi_runs_on(abi, abi_native()));
}

/* An ABI that the engine doesn't speak for but that was used: there it has no opinion. */
static int compose_abi(const struct compose_in *in, const struct filter *asking, enum tamis_abi abi,
		       struct filter *out)
{
	bool heard = in->engine && in->engine->abis & 1u << abi;
	const struct composing c = {
		.in = in,
		.engine = heard ? in->engine : NULL,
		.abi = abi,
		.out = out,
		.asking = asking,
		.clone = calls_number(abi, "clone"),
		.clone3 = calls_number(abi, "clone3"),
		.write = calls_number(abi, "write"),
		.vital = vital_of(abi),
	};
	int r = 0;

	out->abis |= 1u << abi;
	for (uint32_t nr = 0; r == 0 && nr < TAMIS_CALLS; nr++)
		r = compose_call(&c, nr);
	return r;
}

/* What passes asks. */
static int make_asking(const struct filter *fallback, struct filter **ret)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	int r = filter_new(&f);

	for (size_t i = 0; r == 0 && i < fallback->rule_cnt; i++) {
		struct filter_rule rule = fallback->rule[i];

		if (filter_action_passes(rule.action))
			rule.action = FILTER_NOTIFY;
		r = filter_add(f, &rule);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

int compose(const struct compose_in *in, struct filter **ret)
{
	_cleanup_(filter_free) struct filter *out = NULL, *asking = NULL;
	int r;

	if (!in->learned || !in->fallback)
		return -EINVAL;
	r = filter_new(&out);
	if (r == 0 && in->probation)
		r = make_asking(in->fallback, &asking);
	if (r == 0 && in->strict && in->engine && in->engine->default_action < FILTER_ERRNO)
		out->default_action = in->engine->default_action;
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		if (speaks_for(in, (enum tamis_abi)abi))
			r = compose_abi(in, asking, (enum tamis_abi)abi, out);
	if (r < 0)
		return r;
	filter_sort(out);
	*ret = TAKE_PTR(out);
	return 0;
}
