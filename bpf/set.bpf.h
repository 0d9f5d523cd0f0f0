/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of calls as this object keeps it: the two layouts of bpf/abi.h. */
#pragma once

#include "bpf/maps.bpf.h"

#ifdef TAMIS_LEGACY

static __always_inline bool set_has(const struct kept_set *set, __u32 nr)
{
	return nr < TAMIS_CALLS && (set->unit[0][nr] || set->unit[1][nr]);
}

/* Whether it was the first time ever, for all that is known: of two tasks at once both may hear so.
 * unit_add puts it in. */
static __always_inline bool seen_add(struct kept_set *set, __u32 nr)
{
	return nr < TAMIS_CALLS && !set_has(set, nr);
}

/* Whoever stores here meanwhile stores the same. */
static __always_inline bool unit_add(struct kept_set *set, __u32 nr, __u32 unit)
{
	__u16 mark = TAMIS_LEGACY_MARK(unit);
	volatile __u16 *at;

	if (nr >= TAMIS_CALLS)
		return false;
	at = &set->unit[unit & 1][nr];
	if (*at == mark)
		return false;
	*at = mark;
	return true;
}

#else

/* A word starts over at most once and gains at most 32 bits: each lost race is one of these. */
#define UNIT_TRIES 34

static __always_inline bool set_has(const struct kept_set *set, __u32 nr)
{
	__u32 index = nr / 64;

	barrier_var(index); /* else the comparison is dropped where clang knows its outcome */
	return index < TAMIS_SEEN_WORDS && set->seen[index] & 1ull << (nr % 64);
}

/* Whether it was the first time ever in this set. */
static __always_inline bool seen_add(struct kept_set *set, __u32 nr)
{
	__u64 bit = 1ull << (nr % 64);
	__u32 index = nr / 64;

	barrier_var(index);
	if (index >= TAMIS_SEEN_WORDS || set->seen[index] & bit)
		return false;
	return !(__sync_fetch_and_or(&set->seen[index], bit) & bit);
}

/* Whether it was the first time in this unit. */
static __always_inline bool unit_add(struct kept_set *set, __u32 nr, __u32 unit)
{
	__u64 *word, bit = 1ull << (nr % 32), old, new;
	__u32 index = nr / 32;

	barrier_var(index); /* else what is compared is nr, which says less of the offset */
	if (index >= TAMIS_UNIT_WORDS)
		return false;
	word = &set->unit[unit & 1][index];
	for (int i = 0; i < UNIT_TRIES; i++) {
		old = *(volatile __u64 *)word;
		new = old >> 32 == unit ? old : (__u64)unit << 32;
		if (new &bit)
			return false;
		if (__sync_val_compare_and_swap(word, old, new | bit) == old)
			return true;
	}
	return false;
}

#endif
