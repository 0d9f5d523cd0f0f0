/* SPDX-License-Identifier: Apache-2.0 */
/* A set of calls of one ABI. Merge is union, so the order of observations never matters. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

struct sysset {
	uint64_t bits[TAMIS_SEEN_WORDS];
};

static inline bool sysset_has(const struct sysset *s, unsigned nr)
{
	return nr < TAMIS_CALLS && (s->bits[nr / 64] >> (nr % 64) & 1);
}

/* Numbers out of range are ignored: the sensor counts them elsewhere. */
static inline void sysset_add(struct sysset *s, unsigned nr)
{
	if (nr < TAMIS_CALLS)
		s->bits[nr / 64] |= UINT64_C(1) << (nr % 64);
}

static inline void sysset_del(struct sysset *s, unsigned nr)
{
	if (nr < TAMIS_CALLS)
		s->bits[nr / 64] &= ~(UINT64_C(1) << (nr % 64));
}

void sysset_merge(struct sysset *into, const struct sysset *from);
void sysset_remove(struct sysset *from, const struct sysset *what);
unsigned sysset_count(const struct sysset *s);
bool sysset_is_empty(const struct sysset *s);
bool sysset_equal(const struct sysset *a, const struct sysset *b);
/* The lowest member >= from, or -1. for (int n = sysset_next(s, 0); n >= 0; n = sysset_next(s, n + 1)) */
int sysset_next(const struct sysset *s, unsigned from);
