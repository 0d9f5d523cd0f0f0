/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who leaves a cgroup: a filter follows him, the cgroup doesn't.
 *
 * A process leaves by being moved (cgroup_attach_task: once for a whole process) or by being born
 * elsewhere than its parent is (CLONE_INTO_CGROUP). What counts is the nearest cgroup, from the one
 * that was left upwards, that something was started in: within it a container's own systemd or
 * engine may move its processes as it likes. Tasks in setup never count: they are passing through.
 *
 * cgroup_attach_task comes *after* the migration and doesn't say where from. So the place of each
 * process is remembered: two words, by its number,
 *
 *     process (32 bits) | cgroup id, low half (32),   its kernfs_node
 *
 * Invariants:
 *  1. A place is put at birth and at every move. Of processes that were there before us it is put
 *     at the first call seen, of those alone: between a migration and its event a call sees the
 *     new cgroup already.
 *  2. At the event the cgroup that was left still is (cgroup_mutex). A kernfs_node of an older word
 *     may be another's by now: its id tells.
 *  3. A slot that another process took over is no place: its parent's is the best guess.
 */
#pragma once

#include "bpf/stage.bpf.h"

#define PLACES	      32768 /* a power of two: no process shares one where pid_max is the same */
#define LEAVE_LEVELS  32    /* of a destination; one that lies deeper is not told from inside */
#define PF_FORKNOEXEC 0x00000040 /* include/linux/sched.h */
#define PF_KTHREAD    0x00200000

__u64 places[PLACES * 2];

static const struct tamis_leave no_leave;

static __always_inline volatile __u64 *place_of(__u32 tgid)
{
	return &places[(tgid & (PLACES - 1)) * 2];
}

static __always_inline void place_put(__u32 tgid, struct kernfs_node *kn, __u64 cgroup)
{
	volatile __u64 *place = place_of(tgid);

	place[1] = (__u64)kn;
	place[0] = (__u64)tgid << 32 | (__u32)cgroup;
}

static __always_inline struct kernfs_node *place_get(__u32 tgid)
{
	volatile __u64 *place = place_of(tgid);
	__u64 who = place[0];
	struct kernfs_node *kn = (void *)place[1];

	return who >> 32 == tgid && (__u32)kn_id(kn) == (__u32)who ? kn : NULL;
}

/* The current task, on the slow path. */
static __always_inline void place_learn(struct task_struct *t)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct kernfs_node *kn;

	if (place_of(tgid)[0] >> 32 == tgid)
		return;
	kn = task_kn(BPF_CORE_READ(t, group_leader));
	place_put(tgid, kn, kn_id(kn));
}

/* Where a process was before it was moved. A parent in another mount namespace is an engine, or
 * what it left to watch a container: no guess. */
static __always_inline struct kernfs_node *place_before(struct task_struct *t, __u32 tgid)
{
	struct kernfs_node *kn = place_get(tgid);
	struct task_struct *parent;

	if (kn)
		return kn;
	parent = BPF_CORE_READ(t, real_parent);
	return task_mnt_ns(parent) == task_mnt_ns(t) ? task_kn(parent) : NULL;
}

/* Like started_above, but which one; what the observer seeded counts too. */
static __always_inline __u64 left_above(struct kernfs_node *kn)
{
	for (int i = 0; i < ANCESTORS && kn; i++) {
		__u64 id = kn_id(kn);

		if (bpf_map_lookup_elem(&tamis_cgroups, &id))
			return id;
		kn = kn_parent(kn);
	}
	return 0;
}

static __always_inline bool is_within(struct kernfs_node *kn, __u64 cgroup)
{
	for (int i = 0; i < LEAVE_LEVELS && kn; i++) {
		if (kn_id(kn) == cgroup)
			return true;
		kn = kn_parent(kn);
	}
	return kn;
}

static __always_inline struct tamis_leave *leave_of(__u64 cgroup)
{
	struct tamis_leave *leave = bpf_map_lookup_elem(&tamis_leaves, &cgroup);

	if (leave)
		return leave;
	bpf_map_update_elem(&tamis_leaves, &cgroup, &no_leave, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tamis_leaves, &cgroup);
}

/* 1 when it is no leave: `to` is in what `from` is a part of. */
static __noinline int leave_note(struct kernfs_node *from, struct kernfs_node *to,
				 struct task_struct *t)
{
	__u64 cgroup = left_above(from);
	struct tamis_leave *leave;

	if (!cgroup)
		return 0;
	if (is_within(to, cgroup))
		return 1;
	leave = leave_of(cgroup);
	if (!leave) {
		count_loss(cgroup, task);
		return 0;
	}
	leave->to = kn_id(to);
	leave->pid = BPF_CORE_READ(t, tgid);
	bpf_probe_read_kernel_str(leave->comm, sizeof(leave->comm), t->comm);
	__sync_fetch_and_add(&leave->count, 1);
	__sync_fetch_and_add(&state.notes, 1);
	return 0;
}

static __always_inline bool is_in_setup(__u32 tgid)
{
	struct tamis_task *mark = bpf_map_lookup_elem(&tamis_tasks, &tgid);

	return mark && mark->stage == TAMIS_SETUP;
}

/* `t` was moved to `to`; the stages don't know yet. True when they needn't: a program that puts
 * itself below the cgroup it was started in (systemd-udevd, systemd --user) is not being started.
 * What it forks for another and lets go there is, and what it moves. */
static __always_inline bool leave_move(struct task_struct *t, struct kernfs_node *to)
{
	__u32 tgid = BPF_CORE_READ(t, tgid), flags = BPF_CORE_READ(t, flags);
	struct kernfs_node *from;

	/* a thread that is moved by itself: its process stays */
	if (BPF_CORE_READ(t, pid) != tgid || flags & PF_KTHREAD)
		return false;
	from = place_before(t, tgid);
	place_put(tgid, to, kn_id(to));
	if (!from || is_in_setup(tgid) || !leave_note(from, to, t))
		return false;
	return !(flags & PF_FORKNOEXEC) && tgid == bpf_get_current_pid_tgid() >> 32;
}

/* `kn`, `cgroup`: the child's. The parent is the current task. */
static __always_inline void leave_fork(struct task_struct *parent, struct task_struct *child,
				       struct kernfs_node *kn, __u64 cgroup)
{
	__u32 tgid = BPF_CORE_READ(child, tgid), parent_tgid = bpf_get_current_pid_tgid() >> 32;

	if (tgid == parent_tgid)
		return;
	place_put(tgid, kn, cgroup);
	if (BPF_CORE_READ(parent, cgroups) != BPF_CORE_READ(child, cgroups) &&
	    !is_in_setup(parent_tgid))
		leave_note(task_kn(parent), kn, child);
}
