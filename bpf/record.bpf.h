/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One call into its set. */
#pragma once

#include "bpf/event.bpf.h"

/* A word starts over at most once and gains at most 32 bits: each lost race is one of these. */
#define UNIT_TRIES 34

static const struct tamis_set no_calls;

static __always_inline bool unit_add(struct tamis_set *set, __u32 nr, __u32 unit)
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

/* Whether it was the first time ever in this set. */
static __always_inline bool seen_add(struct tamis_set *set, __u32 nr)
{
	__u64 bit = 1ull << (nr % 64);
	__u32 index = nr / 64;

	if (index >= TAMIS_SEEN_WORDS || set->seen[index] & bit)
		return false;
	return !(__sync_fetch_and_or(&set->seen[index], bit) & bit);
}

static __always_inline struct tamis_set *set_of(struct tamis_key *key)
{
	struct tamis_set *set = bpf_map_lookup_elem(&tamis_sets, key);

	if (set)
		return set;
	bpf_map_update_elem(&tamis_sets, key, &no_calls, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tamis_sets, key);
}

static __always_inline void tell_first(struct tamis_key *key, __u32 nr, struct task_struct *t)
{
	struct tamis_event *e = event_new(TAMIS_TEXT_CALL, TAMIS_EV_CALL, key->cgroup);

	if (!e)
		return;
	e->abi = key->abi;
	e->stage = key->stage;
	e->nr = nr;
	event_who(e);
	event_exe(e, t);
	event_submit_quietly(e);
}

/* True when the call is in the set (now or before): only then may it be cached. */
static __always_inline bool record(struct tamis_key *key, __u32 nr, __u32 unit,
				   struct task_struct *t)
{
	struct tamis_set *set = set_of(key);
	bool first, fresh;

	if (!set) {
		count_loss(key->cgroup, full);
		return false;
	}
	first = seen_add(set, nr);
	fresh = unit_add(set, nr, unit);
	if (first || fresh)
		__sync_fetch_and_add(&state.changes, 1);
	if (first)
		tell_first(key, nr, t);
	return true;
}
