/* SPDX-License-Identifier: Apache-2.0 */
/* What a call is answered. Pure; by the number and the ABI alone. */
#pragma once

#include <linux/seccomp.h>

#include "apply/applied.h"
#include "keeper/journal.h"

/* policies/guard and policies/errno: TAMIS_ABI_MAX sets each. */
struct decide {
	struct sysset guard[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX];
};

struct decision {
	enum journal_answer answer;
	int error; /* positive; 0: it goes on */
};

/* The ABI, and the number as in the sets (TAMIS_CALLS: out of range). -EINVAL: of no ABI known. */
int decide_call(const struct seccomp_data *d, enum tamis_abi *ret_abi, uint32_t *ret_nr);

/*
 * The first that fits: refused by a person, a number that nothing can learn: denied; allowed by a person:
 * allowed; guarded: denied, for the filter lets none of these ask; nothing is applied (NULL): nobody's;
 * what the rule says, which under ask and deny lets pass what the generation has by now.
 */
struct decision decide_answer(const struct decide *d, const struct applied *a, enum tamis_abi abi,
			      uint32_t nr);
