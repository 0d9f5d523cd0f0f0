/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a task has had recorded already: looked at on every call, without a helper.
 *
 * A task is known by the address of its pt_regs, the first argument of raw_tp/sys_enter: a
 * fixed place in its kernel stack. A slot has one word for each 8 calls, and a word is
 *
 *     tag (56 bits: regs >> 14, xor epoch << 32) | 8 call bits
 *
 * so that whose bits they are and the bits are read, and stored, as one. Slots are shared by
 * colliding tasks; a lost race is a miss.
 *
 * Invariants:
 *  1. A bit is put only after the call is in tamis_sets (or is of the root cgroup), under the
 *     epoch read before the task's cgroup and the unit were.
 *  2. The epoch rises when a task changes its cgroup and when a unit begins: no bit of before
 *     answers for after. (24 bits: a word would have to lie untouched for 16,777,216 moves.)
 *  3. A fork empties the child's slot, an exec its own: stacks are reused at once.
 *  4. Only native calls are cached, and only of tasks whose stage lasts until one of these: what is
 *     being started may go on to the gate by a call of its own (setup_lasts, stage.bpf.h).
 *  5. A word with a task's tag is stored by that task alone, in one store, from what it read there
 *     under the same tag; it is emptied by itself, or before it runs (3). Whoever comes between its
 *     load and its store has another tag and loses what it put: no bit is ever taken for another's,
 *     and none comes back that was emptied.
 */
#pragma once

#include "bpf/task.bpf.h"

/*
 * Beside it, where a task was last seen: cgroup_attach_task comes *after* the migration, so a
 * running process can make calls in a cgroup that it was moved into, not known to be a
 * newcomer yet. The word is
 *
 *     regs >> 14 (32 bits) | cgroup id (16) | moves (16)
 *
 * Migrations and their events are serialized (cgroup_mutex): another cgroup than at the same
 * count of moves means that the event is still to come.
 */
#ifdef TAMIS_LEGACY
#define CACHE_SLOTS 4096 /* 5.10 has no array above 4 MB: the globals are one */
#else
#define CACHE_SLOTS 8192
#endif
#define CACHE_CALLS 512
#define CACHE_WORDS (CACHE_CALLS / 8)

__u64 cache[CACHE_SLOTS * CACHE_WORDS];
__u64 homes[CACHE_SLOTS];
/* pt_regs - task->stack, learned from the first task seen; the same for all, else not cached. */
__u64 cache_regs_off;

static __always_inline __u32 cache_index(__u64 regs)
{
	__u64 spread = (__u32)((__u32)(regs >> 14) * 2654435761u); /* Knuth's multiplicative hash */

	return (spread >> (cfg_slot_shift & 63)) & (CACHE_SLOTS - 1);
}

static __always_inline __u64 *cache_slot(__u64 regs)
{
	return &cache[cache_index(regs) * CACHE_WORDS];
}

static __always_inline __u64 cache_tag(__u64 regs, __u32 epoch)
{
	return ((regs >> 14) ^ ((__u64)epoch << 32)) << 8;
}

static __always_inline bool cache_has(__u64 regs, __u64 nr)
{
	__u64 *word = cache_slot(regs) + nr / 8;
	__u64 wanted = cache_tag(regs, *(volatile __u32 *)&state.epoch);
	__u64 now = *(volatile __u64 *)word;

	return (now & ~0xffull) == wanted && (now >> (nr % 8) & 1);
}

/* Whether the slot of a task's stack is where cache_clear will look for it. */
static __always_inline bool cache_usable(struct task_struct *t, __u64 regs)
{
	__u64 off = regs - (__u64)BPF_CORE_READ(t, stack);

	/* two at once store the same: task_pt_regs() is a constant away from the stack */
	if (!cache_regs_off)
		cache_regs_off = off;
	return off == cache_regs_off;
}

static __always_inline void cache_put(__u64 regs, __u64 nr, __u32 epoch)
{
	__u64 *word = cache_slot(regs) + nr / 8;
	__u64 tag = cache_tag(regs, epoch), old = *(volatile __u64 *)word;
	__u64 bits = (old & ~0xffull) == tag ? old : tag;

	*(volatile __u64 *)word = bits | 1ull << (nr % 8);
}

static __always_inline void cache_clear(struct task_struct *t)
{
	__u64 *slot = cache_slot((__u64)BPF_CORE_READ(t, stack) + cache_regs_off);

#pragma unroll
	for (int i = 0; i < CACHE_WORDS; i++)
		*(volatile __u64 *)(slot + i) = 0;
}

static __always_inline __u64 home_word(__u64 regs, __u64 cgroup, __u32 moves)
{
	return regs >> 14 << 32 | (cgroup & 0xffff) << 16 | (moves & 0xffff);
}

/* Moved, and the event not seen yet. `moves` was read before `cgroup`. */
static __always_inline bool in_transit(__u64 regs, __u64 cgroup, __u32 moves)
{
	__u64 home = *(volatile __u64 *)&homes[cache_index(regs)];

	return (home ^ home_word(regs, cgroup, moves)) >> 32 == 0 && /* this task's */
	       (__u16)home == (__u16)moves && (__u16)(home >> 16) != (__u16)cgroup;
}

static __always_inline void home_put(__u64 regs, __u64 cgroup, __u32 moves)
{
	*(volatile __u64 *)&homes[cache_index(regs)] = home_word(regs, cgroup, moves);
}

/* A new task, before its first call. */
static __always_inline void home_born(struct task_struct *t, __u64 cgroup)
{
	home_put((__u64)BPF_CORE_READ(t, stack) + cache_regs_off, cgroup, state.moves);
}
