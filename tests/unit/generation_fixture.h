/* SPDX-License-Identifier: Apache-2.0 */
/* Generations in a real store. */
#pragma once

#include "policy/generations.h"
#include "store_fixture.h"

#define NO_CALLS ((struct sysset){ 0 })

/* One whose only call is `nr`. */
static inline uint32_t add_generation(int64_t workload, unsigned nr)
{
	_generation_ struct generation g = { .created = NOW };

	sysset_add(&g.learned.set[TAMIS_WORKLOAD][MACHINE], nr);
	assert_stored(store_generation_add(st, workload, &g));
	return g.number;
}

static inline size_t count_generations(int64_t workload)
{
	struct generation *all = NULL;
	size_t cnt = 0;

	assert_stored(store_generations(st, workload, &all, &cnt));
	for (size_t i = 0; i < cnt; i++)
		generation_done(&all[i]);
	free(all);
	return cnt;
}

static inline void apply_generation(int64_t workload, enum policy_mode mode, uint32_t number)
{
	const struct store_applied a = { .mode = mode, .generation = number, .since = NOW };

	assert_stored(store_applied_set(st, workload, &a));
}

static inline struct store_applied applied_to(int64_t workload)
{
	struct store_applied a;

	assert_stored(store_applied_get(st, workload, &a));
	return a;
}

static inline struct verdicts said_of(int64_t workload)
{
	struct verdicts v;

	assert_stored(store_verdicts(st, workload, &v));
	return v;
}
