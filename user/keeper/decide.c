/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/decide.h"

#include <errno.h>

#include "model/abi.h"

static uint32_t number_of(enum tamis_abi abi, uint32_t nr)
{
	if (abi == TAMIS_ABI_X32)
		nr &= ~TAMIS_X32_BIT;
	if (abi == TAMIS_ABI_ARM && nr >= TAMIS_ARM_NR_BASE)
		nr = nr - TAMIS_ARM_NR_BASE < TAMIS_CALLS - TAMIS_ARM_PRIVATE
			     ? nr - TAMIS_ARM_NR_BASE + TAMIS_ARM_PRIVATE
			     : TAMIS_CALLS;
	return nr < TAMIS_CALLS ? nr : TAMIS_CALLS;
}

int decide_call(const struct seccomp_data *d, enum tamis_abi *ret_abi, uint32_t *ret_nr)
{
	uint32_t nr = (uint32_t)d->nr;

	for (unsigned i = 0; i < TAMIS_ABI_MAX; i++) {
		enum tamis_abi abi = (enum tamis_abi)i;
		bool x32 = d->arch == abi_audit_arch(TAMIS_ABI_X32) && nr & TAMIS_X32_BIT;

		if (abi_audit_arch(abi) != d->arch || x32 != (abi == TAMIS_ABI_X32))
			continue;
		*ret_abi = abi;
		*ret_nr = number_of(abi, nr);
		return 0;
	}
	return -EINVAL;
}

static bool is_learned(const struct applied *a, enum tamis_abi abi, uint32_t nr)
{
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		if (sysset_has(&a->now.learned.set[stage][abi], nr))
			return true;
	return false;
}

/* A rule is there in probation, and for a new image that goes there. */
static enum journal_answer by_rule(const struct applied *a, bool learned)
{
	bool ruled = a->mode == MODE_PROBATION || a->probe_new_image;

	if (!ruled)
		return learned ? ANSWER_ALLOWED : ANSWER_NOBODYS;
	if (a->rule == PROBATION_LEARN)
		return ANSWER_CONTINUED;
	if (learned)
		return ANSWER_ALLOWED;
	return a->rule == PROBATION_ASK ? ANSWER_ASKED : ANSWER_DENIED;
}

static enum journal_answer choose(const struct decide *d, const struct applied *a,
				  enum tamis_abi abi, uint32_t nr)
{
	bool learned = a && is_learned(a, abi, nr);

	if (a && (sysset_has(&a->refused[abi], nr) || sysset_has(&a->now.denied[abi], nr)))
		return ANSWER_DENIED;
	if (a && sysset_has(&a->allowed[abi], nr))
		return ANSWER_ALLOWED;
	if (sysset_has(&d->guard[abi], nr))
		return learned ? ANSWER_ALLOWED : ANSWER_DENIED;
	if (!a)
		return ANSWER_NOBODYS;
	return nr < TAMIS_CALLS ? by_rule(a, learned) : ANSWER_DENIED;
}

static bool gets_eperm(const struct decide *d, const struct applied *a, enum tamis_abi abi,
		       uint32_t nr)
{
	return sysset_has(&d->eperm[abi], nr) || (a && sysset_has(&a->now.denied_eperm[abi], nr));
}

struct decision decide_answer(const struct decide *d, const struct applied *a, enum tamis_abi abi,
			      uint32_t nr)
{
	struct decision ret = { .answer = choose(d, a, abi, nr) };

	if (ret.answer == ANSWER_ASKED || ret.answer == ANSWER_DENIED)
		ret.error = gets_eperm(d, a, abi, nr) ? EPERM : ENOSYS;
	return ret;
}
