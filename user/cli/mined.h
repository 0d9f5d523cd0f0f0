/* SPDX-License-Identifier: Apache-2.0 */
/* What mining denied of a workload's calls, and was wrong about, for people and for scripts. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "policy/generations.h"

struct mined {
	struct sysset denied[TAMIS_ABI_MAX]; /* by whom ever */
	struct sysset calls[TAMIS_ABI_MAX];  /* of these: by mining */
	struct sysset eperm[TAMIS_ABI_MAX];  /* of these: they get EPERM, the others ENOSYS */
	struct store_made *made;	     /* of `calls`: made outside of mining all the same */
	size_t made_cnt;
};
int mined_load(struct store *s, int64_t workload, const struct verdicts *said, struct mined *ret);
void mined_done(struct mined *m);
#define _mined_ __attribute__((cleanup(mined_done)))

/* Only how many: for lists. */
int mined_count_made(struct store *s, int64_t workload, unsigned *ret);

/* "ENOSYS" or "EPERM", of a denied call; the second where nothing but verdicts is at hand. */
const char *mined_errno(const struct mined *m, enum tamis_abi abi, unsigned nr);
const char *mined_errno_said(const struct verdicts *said, enum tamis_abi abi, unsigned nr);
/* Lines of `tamis show`; none where nothing was denied. */
void mined_print(const struct mined *m, FILE *f);
/* [{"abi":, "nr":, "name":, "errno":, "mined":, "needed":}], sorted by (abi, nr): `needed` is when a
 * call that mining denied was made last, null if it wasn't. New reference. */
json_t *mined_json(const struct mined *m);
