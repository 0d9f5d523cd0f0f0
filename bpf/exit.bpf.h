/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How what was started ended, and who died by SIGSYS: under a filter that kills, that is a call
 * refused. A thread that such a filter killed alone counts too: nobody waits for it, and its
 * process goes on without it.
 *
 * The last two threads of a process may both find that none is left: the entrypoint's end is told
 * by who takes its number out of the cgroup's entry.
 *
 * Which call it was, only the thread that made it can say, and a process's end is told by the last
 * one: tamis_dying keeps it so long. A SIGSYS that somebody sent has no call.
 */
#pragma once

#include "bpf/event.bpf.h"
#include "bpf/leave.bpf.h"
#include "bpf/regs.bpf.h"

#define SIGNAL_GROUP_EXIT 0x4 /* include/linux/sched/signal.h */
#define SIGSYS		  31

/* By process. Not pinned; whoever fills it only drives out what is oldest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct task_call);
} tamis_dying SEC(".maps");

static __always_inline bool is_sigsys(__u32 status)
{
	return (status & 0x7f) == SIGSYS;
}

/* A filter killed this thread, or had its process killed for this thread's call. */
static __always_inline bool is_refused(struct task_struct *t, bool grouped, struct pt_regs *regs)
{
	int mode = BPF_CORE_READ(t, seccomp.mode);

	if (mode == SECCOMP_MODE_DEAD)
		return true;
	return mode == SECCOMP_MODE_FILTER && (!grouped || is_rolled_back(regs));
}

static __always_inline void keep_call(struct task_struct *t, __u32 tgid, bool grouped)
{
	struct pt_regs *regs = task_regs(t);
	struct task_call call;

	if (regs && is_refused(t, grouped, regs) && regs_call(t, regs, &call))
		bpf_map_update_elem(&tamis_dying, &tgid, &call, BPF_ANY);
}

static __always_inline void tell_exit(__u64 cgroup, __u32 tgid, __u32 stage, __u32 status)
{
	struct task_call *call =
		is_sigsys(status) ? bpf_map_lookup_elem(&tamis_dying, &tgid) : NULL;
	struct tamis_event *e = event_new(0, TAMIS_EV_EXIT, cgroup);

	if (!e)
		return;
	if (call) {
		e->abi = call->abi;
		e->call = call->nr;
	}
	e->stage = stage;
	e->nr = status;
	e->at_ms = bpf_ktime_get_boot_ns() / 1000000;
	event_who(e);
	event_submit_quietly(e);
}

/* The nearest cgroup, from kn up, that something was started in: an init may have moved itself
 * down. The observer's seeds count too. */
static __always_inline struct tamis_cgroup *nearest_started(struct kernfs_node *kn, __u64 *ret_id)
{
	for (int i = 0; i < ANCESTORS && kn; i++) {
		__u64 id = kn_id(kn);
		struct tamis_cgroup *c = bpf_map_lookup_elem(&tamis_cgroups, &id);

		if (c) {
			*ret_id = id;
			return c;
		}
		kn = kn_parent(kn);
	}
	return NULL;
}

#ifdef TAMIS_LEGACY
/* Whose end is told: a process and when it was born. As tamis_dying it needn't be kept for long. */
struct ended_key {
	__u64 born;
	__u32 tgid;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ended_key);
	__type(value, __u8);
} tamis_ended SEC(".maps");

static __always_inline bool take_pid(struct tamis_cgroup *c, __u32 tgid, struct task_struct *t)
{
	struct ended_key key = { BPF_CORE_READ(t, group_leader, start_time), tgid };
	__u8 told = 1;

	if (bpf_map_update_elem(&tamis_ended, &key, &told, BPF_NOEXIST) == -EEXIST)
		return false;
	if (*(volatile __u32 *)&c->pid == tgid) /* no other start came meanwhile */
		c->pid = 0;
	return true;
}
#else
static __always_inline bool take_pid(struct tamis_cgroup *c, __u32 tgid, struct task_struct *t)
{
	return __sync_val_compare_and_swap(&c->pid, tgid, 0) == tgid;
}
#endif

/* The last thread of what was started in c as the last one. False: its end is told already. */
static __always_inline bool take_started(struct tamis_cgroup *c, __u32 tgid, struct task_struct *t)
{
	stage_ended(c);
	return take_pid(c, tgid, t);
}

/* Without a group's exit wait(2) tells how the first thread ended. */
static __always_inline __u32 status_of(struct task_struct *t, bool grouped, __u32 own)
{
	return grouped || is_sigsys(own) ? own : BPF_CORE_READ(t, group_leader, exit_code);
}

/* `own`: how this thread ended, or with `grouped` its process. `last`: no other thread is left. */
static __always_inline void exit_note(struct task_struct *t, __u32 tgid, bool grouped, __u32 own,
				      bool last)
{
	struct kernfs_node *kn = task_kn(t);
	__u64 cgroup = 0;
	struct tamis_cgroup *c = nearest_started(kn, &cgroup);

	if (last && c && c->pid == tgid && take_started(c, tgid, t)) {
		tell_exit(cgroup, tgid, TAMIS_WORKLOAD, status_of(t, grouped, own));
		return;
	}
	if (!is_sigsys(own))
		return;
	/* one that is being started is nobody's child yet */
	if (is_in_setup(tgid))
		cgroup = kn_id(kn);
	if (cgroup)
		tell_exit(cgroup, tgid, TAMIS_SESSION, own);
}

static __always_inline void exit_seen(struct task_struct *t)
{
	struct signal_struct *signal = BPF_CORE_READ(t, signal);
	bool grouped = BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT;
	bool last = BPF_CORE_READ(signal, live.counter) == 0; /* counted down before the event */
	__u32 own = grouped ? BPF_CORE_READ(signal, group_exit_code) : BPF_CORE_READ(t, exit_code);
	__u32 tgid = BPF_CORE_READ(t, tgid);

	if (is_sigsys(own))
		keep_call(t, tgid, grouped);
	if (last || (!grouped && is_sigsys(own)))
		exit_note(t, tgid, grouped, own, last);
	if (!last)
		return;
	bpf_map_delete_elem(&tamis_tasks, &tgid);
	bpf_map_delete_elem(&tamis_dying, &tgid);
}
