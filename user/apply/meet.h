/* SPDX-License-Identifier: Apache-2.0 */
/* A generation and the engine's profile to the filter of one start: compose with all data. */
#pragma once

#include "model/filter.h"
#include "model/generation.h"

/* `engine` NULL: none, or it is to be ignored. Caller frees. */
int meet_generation(const struct generation *g, const struct filter *engine,
		    const struct sysset *gate, struct filter **ret);
/* In probation: what nobody learned asks; `refused` (TAMIS_ABI_MAX sets) doesn't ask any more, nor does
 * what the generation denies. But every container starts, as no trial takes such a start back: of these
 * what `gate` has passes, and what a runtime hands its filter over with asks still. */
int meet_probation(const struct generation *g, const struct filter *engine,
		   const struct sysset *gate, const struct sysset *refused, struct filter **ret);
/* Calls that crun makes under its filter already while it hands its descriptor over: the keeper lets them
 * go on for crun itself (keeper/handover.h). */
bool meet_is_handover(enum tamis_abi abi, uint32_t nr);
