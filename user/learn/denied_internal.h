/* SPDX-License-Identifier: Apache-2.0 */
/* What generations refuse, as denied.c asks it: each is read once in a drain. */
#pragma once

#include "learn/denied.h"

#define DENIED_GENERATIONS 64 /* kept */

struct denied_data {
	struct sysset always[TAMIS_ABI_MAX], gates[TAMIS_ABI_MAX];
	struct denied_generation {
		int64_t workload;
		struct generation g;
	} * kept; /* the newest first */
	size_t cnt;
};

int denied_data_load(struct denied_data *ret);
void denied_data_done(struct denied_data *d);
/* A generation never changes, but a workload that is forgotten counts from 1 again. */
void denied_data_forget(struct denied_data *d);
/* 1: what runs under `row` has that call refused, with that errno; 0: not, or its generation isn't
 * known any more. */
int denied_data_asks(struct denied_data *d, struct store *s, const struct under_row *row,
		     enum tamis_abi abi, uint32_t nr, uint32_t errno_ret);
