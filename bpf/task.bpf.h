/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs ask about a task: CO-RE reads, so that any task will do. */
#pragma once

#include "bpf/maps.bpf.h"

#define ROOT_CGROUP 1 /* kernfs id of a hierarchy's root */

static __always_inline struct kernfs_node *task_kn(struct task_struct *t)
{
	return BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);
}

static __always_inline __u64 kn_id(struct kernfs_node *kn)
{
	return BPF_CORE_READ(kn, id);
}

/* An offset that this kernel doesn't have must stay behind its question: out of a loop, say, clang would
 * take it to where the verifier sees it. */
static __always_inline struct kernfs_node *kn_parent(struct kernfs_node *kn)
{
	struct kernfs_node___6_15 *renamed = (void *)kn;

	if (bpf_core_field_exists(renamed->__parent)) {
		barrier();
		return BPF_CORE_READ(renamed, __parent);
	}
	barrier();
	return BPF_CORE_READ(kn, parent);
}

static __always_inline __u32 task_mnt_ns(struct task_struct *t)
{
	return BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
}

/* Equal for two tasks: neither they nor who they come from made or joined a namespace since they
 * were one (but for a user namespace). The other way round nothing is said. */
static __always_inline __u32 task_nsproxy(struct task_struct *t)
{
	return (__u64)BPF_CORE_READ(t, nsproxy);
}

/* Since the fork of its process. The clock that programs read may be a little behind the kernel's
 * own: negative for one that was just born. */
static __always_inline __s64 task_age_ns(struct task_struct *t)
{
	return (__s64)(bpf_ktime_get_ns() - BPF_CORE_READ(t, group_leader, start_time));
}

/* The innermost pid namespace of a task, and its number there. */
struct task_pid {
	__u32 ns;
	__u32 level;
	int nr;
};

static __always_inline struct task_pid task_pid(struct task_struct *t)
{
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	struct task_pid p = { .level = BPF_CORE_READ(pid, level) };
	struct upid *in_ns = &pid->numbers[0];
	struct pid_namespace *ns;

	in_ns += p.level & 63; /* MAX_PID_NS_LEVEL is 32 */
	p.nr = BPF_CORE_READ(in_ns, nr);
	ns = BPF_CORE_READ(in_ns, ns);
	p.ns = BPF_CORE_READ(ns, ns.inum);
	return p;
}

static __always_inline __u32 task_filters(struct task_struct *t)
{
	if (!bpf_core_field_exists(t->seccomp.filter_count))
		return 0;
	return BPF_CORE_READ(t, seccomp.filter_count.counter);
}

/* Which table the call of the current task goes by: seccomp decides the same way. */
static __always_inline __u32 task_abi(struct task_struct *t, __u64 *nr)
{
#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 0x2 /* arch/x86/include/asm/thread_info.h; set per entry, int 0x80 too */
	if (BPF_CORE_READ(t, thread_info.status) & TS_COMPAT)
		return TAMIS_ABI_I386;
	if (*nr & TAMIS_X32_BIT) {
		*nr &= ~(__u64)TAMIS_X32_BIT;
		return TAMIS_ABI_X32;
	}
	return TAMIS_ABI_X86_64;
#else
#define TIF_32BIT (1ul << 22) /* arch/arm64/include/asm/thread_info.h; set at exec */
	if (!(BPF_CORE_READ(t, thread_info.flags) & TIF_32BIT))
		return TAMIS_ABI_AARCH64;
	if (*nr > TAMIS_ARM_NR_BASE && *nr - TAMIS_ARM_NR_BASE < TAMIS_CALLS - TAMIS_ARM_PRIVATE)
		*nr = *nr - TAMIS_ARM_NR_BASE + TAMIS_ARM_PRIVATE;
	barrier_var(*nr); /* else clang drops comparisons that the verifier wants to see */
	return TAMIS_ABI_ARM;
#endif
}
