/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How what was started ended, and who died by SIGSYS: under a filter that kills, that is a call
 * refused. A thread that such a filter killed alone counts too: nobody waits for it, and its
 * process goes on without it.
 *
 * The last two threads of a process may both find that none is left: the entrypoint's end is told
 * by who takes its number out of the cgroup's entry.
 */
#pragma once

#include "bpf/event.bpf.h"
#include "bpf/leave.bpf.h"

#define SIGNAL_GROUP_EXIT 0x4 /* include/linux/sched/signal.h */
#define SIGSYS		  31

static __always_inline bool is_sigsys(__u32 status)
{
	return (status & 0x7f) == SIGSYS;
}

static __always_inline void tell_exit(__u64 cgroup, __u32 stage, __u32 status)
{
	struct tamis_event *e = event_new(0, TAMIS_EV_EXIT, cgroup);

	if (!e)
		return;
	e->stage = stage;
	e->nr = status;
	e->at_ms = bpf_ktime_get_boot_ns() / 1000000;
	event_who(e);
	event_submit_quietly(e);
}

/* The cgroup that this process was started in as the last one: its own or one above, for an init
 * may move itself down. 0: it wasn't, or its end is told already. */
static __always_inline __u64 take_started(struct kernfs_node *kn, __u32 tgid)
{
	for (int i = 0; i < ANCESTORS && kn; i++) {
		__u64 id = kn_id(kn);
		struct tamis_cgroup *c = bpf_map_lookup_elem(&tamis_cgroups, &id);

		if (c && c->pid == tgid)
			return __sync_val_compare_and_swap(&c->pid, tgid, 0) == tgid ? id : 0;
		kn = kn_parent(kn);
	}
	return 0;
}

/* Where somebody who died by SIGSYS belonged: to what he was being started in, else to the nearest
 * cgroup that something was started in. */
static __always_inline __u64 cgroup_of_dead(struct kernfs_node *kn, __u32 tgid)
{
	return is_in_setup(tgid) ? kn_id(kn) : left_above(kn);
}

/* `last`: no thread of its process is left. Before its mark is dropped. */
static __always_inline void exit_note(struct task_struct *t, __u32 tgid, bool last)
{
	bool grouped = BPF_CORE_READ(t, signal, flags) & SIGNAL_GROUP_EXIT;
	__u32 own =
		grouped ? BPF_CORE_READ(t, signal, group_exit_code) : BPF_CORE_READ(t, exit_code);
	bool refused = is_sigsys(own);
	__u64 cgroup;

	if (!last && (grouped || !refused))
		return;
	cgroup = last ? take_started(task_kn(t), tgid) : 0;
	if (cgroup) {
		/* without a group's exit wait(2) tells how the first thread ended */
		if (!grouped && !refused)
			own = BPF_CORE_READ(t, group_leader, exit_code);
		tell_exit(cgroup, TAMIS_WORKLOAD, own);
		return;
	}
	cgroup = refused ? cgroup_of_dead(task_kn(t), tgid) : 0;
	if (cgroup)
		tell_exit(cgroup, TAMIS_SESSION, own);
}
