/* SPDX-License-Identifier: Apache-2.0 */
/* Filters compared by what they answer: every number of every ABI, arguments at and around every
 * boundary that a rule of one of them has. */
#pragma once

#include "unit/filters.h"

struct verdicts_of {
	const struct filter *f[3];
	size_t filters;
	/* Fails the test when the answers (one of each filter) don't fit. */
	void (*fit)(const struct filter_verdict *v, const char *call);
	uint32_t abis; /* those looked at */
	size_t cnt;    /* how many answers were compared */
};

static inline void verdicts_at(struct verdicts_of *v, enum tamis_abi abi, uint32_t nr,
			       const uint64_t args[FILTER_ARGS])
{
	char name[CALLS_NAME_MAX], call[CALLS_NAME_MAX + 128];
	struct filter_verdict answer[ARRAY_SIZE(v->f)];

	snprintf(call, sizeof(call), "%s %s(%#llx, %#llx, %#llx)", abi_name(abi),
		 calls_print(abi, nr, name), (unsigned long long)args[0],
		 (unsigned long long)args[1], (unsigned long long)args[2]);
	for (size_t i = 0; i < v->filters; i++)
		answer[i] = filter_verdict(v->f[i], abi, nr, args);
	v->fit(answer, call);
	v->cnt++;
}

static inline void verdicts_around(struct verdicts_of *v, const struct filter_rule *r)
{
	static const uint64_t steps[] = { 0, 1, -1ULL, 1ULL << 32, 0x7e020000ULL, 1ULL << 63 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			uint64_t args[FILTER_ARGS] = { 0 };

			for (unsigned c = 0; c < r->cond_cnt; c++) {
				const struct filter_cond *cond = &r->cond[c];
				bool masked = cond->op == FILTER_MASKED_EQ;

				args[cond->index] = (masked ? cond->value_two : cond->value) +
						    steps[c % 2 ? j : i];
			}
			verdicts_at(v, r->abi, r->nr, args);
		}
	}
}

static inline void verdicts_rules(struct verdicts_of *v, const struct filter *f, enum tamis_abi abi,
				  uint32_t nr)
{
	const struct filter_rule *rule;
	size_t cnt = filter_find(f, abi, nr, &rule);

	for (size_t i = 0; i < cnt; i++) {
		if (rule[i].cond_cnt)
			verdicts_around(v, &rule[i]);
	}
}

static inline void verdicts_compare(struct verdicts_of *v)
{
	static const uint64_t zero[FILTER_ARGS];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (uint32_t nr = 0; (v->abis >> abi & 1) && nr < TAMIS_CALLS; nr++) {
			verdicts_at(v, abi, nr, zero);
			for (size_t i = 0; i < v->filters; i++)
				verdicts_rules(v, v->f[i], abi, nr);
		}
	}
	assert_true(v->cnt >= TAMIS_CALLS);
}

static inline void verdicts_same(const struct filter_verdict *v, const char *call)
{
	if (v[0].action != v[1].action || v[0].errno_ret != v[1].errno_ret)
		print_error("%s: %s %u, not %s %u\n", call, filter_action_oci(v[1].action),
			    v[1].errno_ret, filter_action_oci(v[0].action), v[0].errno_ret);
	assert_int_equal(v[0].action, v[1].action);
	assert_int_equal(v[0].errno_ret, v[1].errno_ret);
}
