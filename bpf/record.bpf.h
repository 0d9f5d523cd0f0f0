/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One call into its set. */
#pragma once

#include "bpf/event.bpf.h"
#include "bpf/set.bpf.h"

static const struct kept_set no_calls;

static __always_inline struct kept_set *set_of(struct tamis_key *key)
{
	struct kept_set *set = bpf_map_lookup_elem(&tamis_sets, key);

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
	struct kept_set *set = set_of(key);
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
