/* SPDX-License-Identifier: Apache-2.0 */
#include "model/score.h"

#include <string.h>

#include "model/calls.h"
#include "model/cond.h"

/* --- does a call pass ----------------------------------------------------------------------- */

/* Of a rule and a first argument that is known (has_arg): can it match, and must it. */
static bool may_match(const struct filter_rule *rule, bool has_arg, uint64_t arg0)
{
	const struct filter_cond *c = has_arg ? cond_find(rule, 0) : NULL;

	return !c || cond_match(c, arg0);
}

static bool must_match(const struct filter_rule *rule, bool has_arg)
{
	return rule->cond_cnt == 0 || (has_arg && rule->cond_cnt == 1 && cond_find(rule, 0));
}

/* The strictest of the rules that match is the answer. */
static bool rules_pass(const struct filter *f, const struct filter_rule *rule, size_t cnt,
		       bool has_arg, uint64_t arg0)
{
	bool passes = false, covered = false;

	for (size_t i = 0; i < cnt; i++) {
		bool lets = filter_action_passes(rule[i].action);

		if (!may_match(&rule[i], has_arg, arg0))
			continue;
		if (must_match(&rule[i], has_arg)) {
			covered = true;
			if (!lets)
				return false;
		}
		passes |= lets;
	}
	return passes || (!covered && filter_action_passes(f->default_action));
}

static bool passes_with(const struct filter *f, enum tamis_abi abi, uint32_t nr, uint64_t arg0)
{
	const struct filter_rule *rule = NULL;
	size_t cnt;

	if (!(f->abis >> abi & 1))
		return false;
	cnt = filter_find(f, abi, nr, &rule);
	if (arg0 == 0)
		return rules_pass(f, rule, cnt, false, 0);
	return rules_pass(f, rule, cnt, true, arg0) ||
	       rules_pass(f, rule, cnt, true, arg0 | UINT64_C(1) << 32);
}

/* --- calls that stand for others ------------------------------------------------------------ */

static const struct door {
	const char *name;
	const char *to[22];
} doors[] = {
	{ "socketcall",
	  { "socket",	  "bind",    "connect", "listen",  "accept",   "getsockname", "getpeername",
	    "socketpair", "send",    "recv",	"sendto",  "recvfrom", "shutdown",    "setsockopt",
	    "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg" } },
	{ "ipc",
	  { "semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv", "msgget", "msgctl",
	    "shmat", "shmdt", "shmget", "shmctl" } },
};

static bool door_leads_to(const struct door *d, const char *name)
{
	for (size_t i = 0; d->to[i]; i++)
		if (strcmp(d->to[i], name) == 0)
			return true;
	return false;
}

/* The number of the call that leads to it, too; -1: none does. */
static int door_to(enum tamis_abi abi, uint32_t nr)
{
	const char *name = calls_name(abi, nr);

	for (size_t i = 0; name && i < ARRAY_SIZE(doors); i++) {
		int door = calls_number(abi, doors[i].name);

		if (door >= 0 && door_leads_to(&doors[i], name))
			return door;
	}
	return -1;
}

/* --- is a hole open ------------------------------------------------------------------------- */

/* A filter (NULL: none), with one call made otherwise. */
struct view {
	const struct filter *f;
	enum tamis_abi machine;
	enum { AS_IS, PASSES, REFUSED } what;
	const char *call; /* of that name, in any ABI */
};

static bool is_that_call(const struct view *v, enum tamis_abi abi, uint32_t nr)
{
	const char *name = v->what == AS_IS ? NULL : calls_name(abi, nr);

	return name && strcmp(name, v->call) == 0;
}

static bool call_passes(const struct view *v, enum tamis_abi abi, uint32_t nr, uint64_t arg0)
{
	if (is_that_call(v, abi, nr))
		return v->what == PASSES;
	return !v->f || passes_with(v->f, abi, nr, arg0);
}

static bool is_way(const struct view *v, enum tamis_abi abi, uint32_t nr, uint64_t arg0)
{
	int door;

	if (call_passes(v, abi, nr, arg0))
		return true;
	door = door_to(abi, nr);
	/* Its arguments are in memory. */
	return door >= 0 && call_passes(v, abi, (uint32_t)door, 0);
}

static bool is_open_in(const struct view *v, const struct score_cve *c, enum tamis_abi abi)
{
	const struct sysset *calls = &c->calls[abi];
	bool open = false;

	for (int nr = sysset_next(calls, 0); nr >= 0; nr = sysset_next(calls, (unsigned)nr + 1)) {
		open = is_way(v, abi, (uint32_t)nr, c->arg0);
		if (open == c->any)
			return open;
	}
	return open;
}

static bool judges(const struct view *v, unsigned abi)
{
	return abi_runs_on(abi, v->machine) && (!v->f || v->f->abis >> abi & 1);
}

static bool is_open(const struct view *v, const struct score_cve *c)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (judges(v, abi) && is_open_in(v, c, abi))
			return true;
	return false;
}

enum tamis_abi score_machine(const struct filter *f)
{
	enum tamis_abi here = abi_native();
	enum tamis_abi there = here == TAMIS_ABI_X86_64 ? TAMIS_ABI_AARCH64 : TAMIS_ABI_X86_64;

	return f && !(f->abis >> here & 1) && f->abis >> there & 1 ? there : here;
}

static struct view view_of(const struct filter *f)
{
	return (struct view){ .f = f, .machine = score_machine(f) };
}

/* --- figures -------------------------------------------------------------------------------- */

bool score_blocks(const struct filter *f, const struct score_cve *c)
{
	struct view v = view_of(f);

	return !is_open(&v, c);
}

bool score_passes(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	return !f || passes_with(f, abi, nr, 0);
}

static void count_calls(const struct view *v, const struct score_risk *r, struct score *s)
{
	for (unsigned nr = 0; nr < calls_end(v->machine); nr++) {
		bool passes = score_passes(v->f, v->machine, nr);

		if (!calls_name(v->machine, nr))
			continue;
		s->of++;
		s->calls += passes;
		s->guarded += passes && sysset_has(&r->guard[v->machine], nr);
	}
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		s->abis += judges(v, abi);
}

void score_filter(const struct filter *f, const struct score_risk *r, struct score *ret)
{
	struct view v = view_of(f);
	struct score s = { 0 };

	count_calls(&v, r, &s);
	for (size_t i = 0; i < r->cnt; i++) {
		bool blocked = !is_open(&v, &r->cve[i]);

		if (r->cve[i].execve) {
			s.cves_execve++;
			s.blocked_execve += blocked;
		} else {
			s.cves++;
			s.blocked += blocked;
		}
	}
	*ret = s;
}

/* Those that are open one way and not the other. */
static size_t decides(const struct view *open, const struct view *shut, const struct score_risk *r,
		      size_t *ret)
{
	size_t cnt = 0;

	for (size_t i = 0; i < r->cnt; i++)
		if (is_open(open, &r->cve[i]) && !is_open(shut, &r->cve[i]))
			ret[cnt++] = i;
	return cnt;
}

size_t score_alone(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret)
{
	struct view now = view_of(f), then = now;

	then.what = REFUSED;
	then.call = calls_name(abi, nr);
	return !then.call ? 0 : decides(&now, &then, r, ret);
}

size_t score_opens(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret)
{
	struct view now = view_of(f), then = now;

	then.what = PASSES;
	then.call = calls_name(abi, nr);
	return !then.call ? 0 : decides(&then, &now, r, ret);
}

/* --- many ----------------------------------------------------------------------------------- */

/* A call of a hole that needs them all is refused: it isn't open in that ABI. */
static void narrow_set(struct score_cve *c, enum tamis_abi abi, const struct filter *f)
{
	struct sysset calls = c->calls[abi];

	for (int nr = sysset_next(&calls, 0); nr >= 0; nr = sysset_next(&calls, (unsigned)nr + 1)) {
		const struct filter_rule *rule;

		if (filter_find(f, abi, (uint32_t)nr, &rule) == 0 ||
		    passes_with(f, abi, (uint32_t)nr, c->arg0))
			continue;
		if (c->any)
			sysset_del(&c->calls[abi], (unsigned)nr);
		else
			c->calls[abi] = (struct sysset){ 0 };
	}
}

void score_narrow(struct score_risk *r, const struct filter *f)
{
	for (size_t i = 0; i < r->cnt; i++)
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			if (f->abis >> abi & 1)
				narrow_set(&r->cve[i], abi, f);
}

static void open_doors(struct sysset *pass, enum tamis_abi abi)
{
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		int door = calls_number(abi, doors[i].name);

		if (door < 0 || !sysset_has(pass, (unsigned)door))
			continue;
		for (const char *const *to = doors[i].to; *to; to++) {
			int nr = calls_number(abi, *to);

			if (nr >= 0)
				sysset_add(pass, (unsigned)nr);
		}
	}
}

static bool sets_open(const struct sysset *pass, const struct score_cve *c, enum tamis_abi abi)
{
	uint64_t some = 0, missing = 0;

	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++) {
		some |= c->calls[abi].bits[i] & pass->bits[i];
		missing |= c->calls[abi].bits[i] & ~pass->bits[i];
	}
	return some && (c->any || !missing);
}

void score_sets(const struct sysset pass[TAMIS_ABI_MAX], uint32_t abis, const struct score_risk *r,
		unsigned *ret_blocked, unsigned *ret_cves)
{
	struct sysset with_doors[TAMIS_ABI_MAX];
	unsigned blocked = 0, cves = 0;

	memcpy(with_doors, pass, sizeof(with_doors));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		open_doors(&with_doors[abi], abi);
	for (size_t i = 0; i < r->cnt; i++) {
		bool open = false;

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			open |= abis >> abi & 1 && sets_open(&with_doors[abi], &r->cve[i], abi);
		cves += !r->cve[i].execve;
		blocked += !r->cve[i].execve && !open;
	}
	*ret_blocked = blocked;
	*ret_cves = cves;
}
