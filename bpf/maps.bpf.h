/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps, and what is configured before load. All but the cache are pinned. */
#pragma once

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* x32 is compiled into the kernel and switched on: otherwise its calls are ENOSYS, and
 * counted as out of range. Found out by making one (user/sensor/probe.c). */
const volatile bool cfg_x32;
/* 32 - log2(slots in use): 32 leaves one, for the test of collisions. */
const volatile __u32 cfg_slot_shift = 32 - 13;
/* Bytes of the ring after which a quiet event rings the bell. */
const volatile __u64 cfg_ring_high = 64 * 1024;

#ifdef TAMIS_LEGACY
#define kept_set tamis_legacy_set
#else
#define kept_set tamis_set
#endif

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct tamis_key);
	__type(value, struct kept_set);
} tamis_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct tamis_cgroup);
} tamis_cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct tamis_task);
} tamis_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct tamis_loss);
} tamis_losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct tamis_path);
} tamis_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct tamis_leave);
} tamis_leaves SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tamis_denied_key);
	__type(value, struct tamis_denied);
} tamis_denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} tamis_ring SEC(".maps");

/* The state is shared with the daemon, and by old and new programs during an upgrade. */
struct tamis_state state SEC(".data.state") = {
	.magic = TAMIS_MAGIC,
	.version = TAMIS_ABI_VERSION,
	.unit = 1,
};

static const struct tamis_loss no_loss;

/* Where this cgroup's losses are counted; the totals where even that map is full. */
static __always_inline struct tamis_loss *loss_of(__u64 cgroup)
{
	struct tamis_loss *loss = bpf_map_lookup_elem(&tamis_losses, &cgroup);

	if (loss)
		return loss;
	bpf_map_update_elem(&tamis_losses, &cgroup, &no_loss, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tamis_losses, &cgroup);
}

#define count_loss(cgroup, field)                               \
	({                                                      \
		struct tamis_loss *loss_ = loss_of(cgroup);     \
		if (loss_)                                      \
			__sync_fetch_and_add(&loss_->field, 1); \
		__sync_fetch_and_add(&state.lost.field, 1);     \
		__sync_fetch_and_add(&state.notes, 1);          \
	})
