/* SPDX-License-Identifier: Apache-2.0 */
/* What a generation would have refused of what its workload was seen to do, and who did it. */
#pragma once

#include <jansson.h>

#include "model/generation.h"
#include "policy/store.h"

struct refused {
	uint32_t generation;
	struct sysset calls[TAMIS_ABI_MAX];    /* it lacks them */
	struct sysset withheld[TAMIS_ABI_MAX]; /* it lacks them because nobody allowed them */
	struct sysset mined[TAMIS_ABI_MAX];    /* of these: mining found them not to be needed */
	struct policy_origin *origin;	       /* of all calls, sorted by (abi, nr, stage) */
	size_t origin_cnt;
};

/* Negative errno of the store. `ret` is to be given to refused_done in any case. */
int refused_load(struct store *s, int64_t workload, const struct generation *g,
		 struct refused *ret);
void refused_done(struct refused *r);
#define _refused_ __attribute__((cleanup(refused_done)))

/* Nothing where it is empty. -ENOMEM. */
int refused_print(const struct refused *r);
/* [{"abi":, "nr":, "name":, "withheld":, "mined":, "first":, "comm":, "pid":, "exe":}]. New
 * reference. */
json_t *refused_json(const struct refused *r);
