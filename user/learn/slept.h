/* SPDX-License-Identifier: Apache-2.0 */
/* What a duty cycle (learn/duty.h) may have missed of a workload: how much of its time was watched. */
#pragma once

#include "policy/mines.h"

struct slept {
	int64_t since;	/* of the first nap that it ran through; 0: it ran through none */
	int64_t ran_ms; /* since then, any number of instances at a time; */
	int64_t ms;	/* and slept of that */
};
/* Writes nothing. */
int slept_of(struct store *s, int64_t workload, const struct naps *naps, int64_t now,
	     struct slept *ret);
/* 0..1; 1 where it ran through none. */
double slept_watched(const struct slept *s);
