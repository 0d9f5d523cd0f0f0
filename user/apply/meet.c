/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/meet.h"

#include "model/abi.h"
#include "model/calls.h"
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

static int meet(struct compose_in in, const struct filter *engine, struct filter **ret)
{
	struct meet_data d = { 0 };
	int r = load_data(&d);

	in.engine = engine;
	in.always = d.always;
	in.eperm = d.eperm;
	in.guard = d.guard;
	in.fallback = d.fallback;
	in.strict = true;
	if (r == 0)
		r = compose(&in, ret);
	filter_free(d.fallback);
	return r;
}

int meet_generation(const struct generation *g, const struct filter *engine,
		    const struct sysset *gate, struct filter **ret)
{
	struct compose_in in = {
		.learned = &g->learned,
		.gate = gate,
		.descendants = g->descendants,
		.denied = g->denied,
		.denied_eperm = g->denied_eperm,
	};

	return meet(in, engine, ret);
}

/* --- probation --------------------------------------------------------------------------- */

bool meet_is_handover(enum tamis_abi abi, uint32_t nr)
{
	static const char *const names[] = { "wait4", "kill", "munmap" };

	for (size_t i = 0; abi == abi_native() && i < ARRAY_SIZE(names); i++)
		if (calls_number(abi, names[i]) == (int)nr)
			return true;
	return false;
}

/* The keeper denies them to the container: its runtime has a descriptor to hand over. */
static void let_hand_over(struct sysset denied[TAMIS_ABI_MAX], struct learned *l)
{
	enum tamis_abi abi = abi_native();

	for (int nr = sysset_next(&denied[abi], 0); nr >= 0;
	     nr = sysset_next(&denied[abi], (unsigned)nr + 1)) {
		if (!meet_is_handover(abi, (uint32_t)nr))
			continue;
		sysset_del(&denied[abi], (unsigned)nr);
		for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
			sysset_del(&l->set[stage][abi], (unsigned)nr);
	}
}

int meet_probation(const struct generation *g, const struct filter *engine,
		   const struct sysset *gate, const struct sysset *refused, struct filter **ret)
{
	struct sysset denied[TAMIS_ABI_MAX];
	struct learned learned = g->learned;
	struct compose_in in = {
		.learned = &learned,
		.gate = gate,
		.descendants = g->descendants,
		.denied = denied,
		.denied_eperm = g->denied_eperm,
		.probation = true,
	};

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		denied[abi] = g->denied[abi];
		sysset_merge(&denied[abi], &refused[abi]);
		if (gate)
			sysset_remove(&denied[abi], &gate[abi]);
	}
	let_hand_over(denied, &learned);
	return meet(in, engine, ret);
}
