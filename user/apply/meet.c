/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/meet.h"

#include "model/compose.h"
#include "policy/data.h"

/* policies/, as compose takes it. */
struct meet_data {
	struct sysset always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX], guard[TAMIS_ABI_MAX];
	struct filter *fallback;
};

static int load_data(struct meet_data *d)
{
	int r = data_always(d->always);

	if (r == 0)
		r = data_eperm(d->eperm);
	if (r == 0)
		r = data_guard(d->guard);
	return r == 0 ? data_fallback(&d->fallback) : r;
}

static int meet(const struct generation *g, const struct filter *engine, const struct sysset *gate,
		const struct sysset *denied, bool probation, struct filter **ret)
{
	struct meet_data d = { 0 };
	struct compose_in in = {
		.learned = &g->learned,
		.engine = engine,
		.gate = gate,
		.always = d.always,
		.eperm = d.eperm,
		.strict = true,
		.descendants = g->descendants,
		.guard = d.guard,
		.denied = denied,
		.probation = probation,
	};
	int r = load_data(&d);

	in.fallback = d.fallback;
	if (r == 0)
		r = compose(&in, ret);
	filter_free(d.fallback);
	return r;
}

int meet_generation(const struct generation *g, const struct filter *engine,
		    const struct sysset *gate, struct filter **ret)
{
	return meet(g, engine, gate, g->denied, false, ret);
}

int meet_probation(const struct generation *g, const struct filter *engine,
		   const struct sysset *gate, const struct sysset *refused, struct filter **ret)
{
	struct sysset denied[TAMIS_ABI_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		denied[abi] = g->denied[abi];
		sysset_merge(&denied[abi], &refused[abi]);
	}
	return meet(g, engine, gate, denied, true, ret);
}
