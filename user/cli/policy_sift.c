/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves of what was learned. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/policy_load.h"
#include "model/widen.h"
#include "policy/data.h"

enum tamis_abi policy_machine(const struct policy_options *o)
{
	return o->other_machine ? o->machine : abi_native();
}

int policy_take_machine(const char *name, void *ctx)
{
	struct policy_options *o = ctx;
	bool known = true;

	if (strcmp(name, "arm64") == 0)
		o->machine = TAMIS_ABI_AARCH64;
	else if (strcmp(name, "amd64") == 0)
		o->machine = TAMIS_ABI_X86_64;
	else
		known = abi_from_name(name, &o->machine) == 0 &&
			abi_runs_on(o->machine, o->machine);
	if (!known) {
		log_err("--arch: unknown machine \"%s\", not aarch64 or x86_64", name);
		return -EINVAL;
	}
	o->other_machine = o->machine != abi_native();
	return 0;
}

/* --- another machine ------------------------------------------------------------------------ */

static int translate(const struct policy_options *o, const struct learned *l, struct learned *ret,
		     struct sysset *ret_lost)
{
	struct translation *rows = NULL;
	size_t cnt = 0;
	int r = data_translate(&rows, &cnt);

	if (r == 0)
		r = learned_translate(l, o->machine, rows, cnt, ret, ret_lost);
	free(rows);
	return r;
}

int policy_translate(const struct policy_options *o, struct sysset *sets, struct sysset *ret_lost)
{
	struct learned l = { 0 }, there;
	int r;

	if (!o->other_machine)
		return 0;
	memcpy(l.set[TAMIS_WORKLOAD], sets, sizeof(l.set[TAMIS_WORKLOAD]));
	r = translate(o, &l, &there, ret_lost);
	if (r == 0)
		memcpy(sets, there.set[TAMIS_WORKLOAD], sizeof(there.set[TAMIS_WORKLOAD]));
	return r;
}

static int go_there(const struct policy_options *o, struct policy_calls *c)
{
	struct learned there;
	int r;

	if (!o->other_machine)
		return 0;
	r = translate(o, &c->learned, &there, c->lost);
	if (r == 0)
		r = policy_translate(o, c->said.denied, NULL);
	if (r == 0)
		r = policy_translate(o, c->said.denied_eperm, NULL);
	if (r == 0)
		c->learned = there;
	return r;
}

/* --- what a person has to be asked for -------------------------------------------------------- */

static int widen(struct policy_calls *c, const struct sysset *guard)
{
	_free_ struct widen_group *groups = calloc(WIDEN_GROUPS_MAX, sizeof(*groups));
	struct sysset but[TAMIS_ABI_MAX];
	size_t cnt = 0;
	int r = groups ? data_widen(groups, &cnt) : -ENOMEM;

	if (r < 0)
		return r;
	memcpy(but, guard, sizeof(but));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&but[abi], &c->said.denied[abi]);
	learned_widen(&c->learned, groups, cnt, but);
	return 0;
}

int policy_sift(const struct policy_options *o, struct policy_calls *c)
{
	struct sysset guard[TAMIS_ABI_MAX] = { 0 };
	int r = data_guard(guard);

	c->seen = c->learned;
	if (r == 0)
		guard_sift(&c->learned, guard, &c->said, c->pending);
	if (r == 0)
		r = data_gate_unknown(&c->learned, c->gate_unknown);
	if (r == 0 && o->widen)
		r = widen(c, guard);
	if (r == 0)
		r = go_there(o, c);
	return r < 0 ? log_err_errno(r, "policies/") : 0;
}

void policy_borrow(const struct policy_calls *c, struct policy *p)
{
	p->learned = &c->learned;
	p->seen = &c->seen;
	p->gate_unknown = c->gate_unknown;
	p->pending = c->pending;
	p->untranslated = c->lost;
}
