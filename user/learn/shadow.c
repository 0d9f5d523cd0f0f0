/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/shadow.h"

#include <string.h>

#include "model/calls.h"
#include "policy/data.h"

static const enum tamis_stage passing[] = { TAMIS_WORKLOAD, TAMIS_SESSION, TAMIS_GATE };

/* What a filter of it lets through, whatever the runtime and the engine's profile are. */
static void passes(const struct generation *g, const struct sysset *always,
		   const struct sysset *guard, enum tamis_abi abi, struct sysset *ret)
{
	int clone = calls_number(abi, "clone"), clone3 = calls_number(abi, "clone3");

	*ret = always[abi];
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		sysset_merge(ret, &g->learned.set[passing[i]][abi]);
	/* libc falls back to it. */
	if (clone >= 0 && clone3 >= 0 && sysset_has(ret, (unsigned)clone3))
		sysset_add(ret, (unsigned)clone);
	for (unsigned nr = 0; g->descendants && nr < TAMIS_CALLS; nr++)
		if (!sysset_has(&guard[abi], nr))
			sysset_add(ret, nr);
	sysset_remove(ret, &g->denied[abi]);
}

/* Everything that was made, as a filter has to judge it. */
static void made(const struct learned *l, enum tamis_abi abi, struct sysset *ret)
{
	*ret = l->set[TAMIS_WORKLOAD][abi];
	sysset_merge(ret, &l->set[TAMIS_SESSION][abi]);
}

/* What nobody has allowed, of calls that were made. */
static void withheld(const struct sysset *guard, const struct verdicts *v, enum tamis_abi abi,
		     struct sysset *ret)
{
	*ret = guard[abi];
	sysset_remove(ret, &v->allowed[abi]);
	sysset_merge(ret, &v->denied[abi]);
}

int shadow_refused(struct store *s, int64_t workload, const struct generation *g,
		   struct sysset *ret_refused, struct sysset *ret_pending)
{
	struct sysset always[TAMIS_ABI_MAX] = { 0 }, guard[TAMIS_ABI_MAX] = { 0 };
	struct verdicts v;
	struct learned l;
	int r = store_learned(s, workload, &l);

	if (r == 0)
		r = store_verdicts(s, workload, &v);
	if (r == 0)
		r = data_guard(guard);
	if (r == 0)
		r = data_always(always);
	if (r < 0)
		return r;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset missing, through, held;

		made(&l, abi, &missing);
		passes(g, always, guard, abi, &through);
		sysset_remove(&missing, &through);
		withheld(guard, &v, abi, &held);
		ret_refused[abi] = missing;
		sysset_remove(&ret_refused[abi], &held);
		ret_pending[abi] = missing;
		sysset_remove(&ret_pending[abi], &ret_refused[abi]);
	}
	return 0;
}
