/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as compose makes them, of random sets. */
#pragma once

#include "model/compose.h"
#include "policy/data.h"
#include "unit/filters.h"

/* Learned on this machine, about one call in `one_in`, with those that have conditions of their own,
 * and with `also` ("" for none). */
static inline struct filter *policy_random(uint64_t *seed, unsigned one_in, const char *also)
{
	static const char *const conditional[] = { "clone", "clone3", "personality", "socket" };
	struct sysset always[TAMIS_ABI_MAX] = { 0 }, eperm[TAMIS_ABI_MAX] = { 0 };
	_cleanup_(filter_free) struct filter *fallback = NULL;
	struct learned l = { 0 };
	struct sysset *set = &l.set[TAMIS_WORKLOAD][abi_native()];
	struct compose_in in = { .learned = &l, .always = always, .eperm = eperm };
	_free_ char *copy = strdup(also);
	struct filter *ret = NULL;
	char *save = NULL;

	for (unsigned nr = 0; nr < calls_end(abi_native()); nr++) {
		if (calls_name(abi_native(), nr) && next_random(seed) % one_in == 0)
			sysset_add(set, nr);
	}
	for (size_t i = 0; i < ARRAY_SIZE(conditional); i++) {
		if (next_random(seed) % 2)
			sysset_add(set, calls_number(abi_native(), conditional[i]));
	}
	for (char *n = strtok_r(copy, " ", &save); n; n = strtok_r(NULL, " ", &save))
		sysset_add(set, calls_number(abi_native(), n));
	assert_int_equal(data_always(always), 0);
	assert_int_equal(data_eperm(eperm), 0);
	assert_int_equal(data_fallback(&fallback), 0);
	in.fallback = fallback;
	assert_int_equal(compose(&in, &ret), 0);
	return ret;
}
