/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the registers that a task entered the kernel with tell of its call. */
#pragma once

#include "bpf/cache.bpf.h"

#define SECCOMP_MODE_FILTER 2
#define SECCOMP_MODE_DEAD   3 /* kernel/seccomp.c, 5.17: its filter has killed this thread */

struct task_call {
	__u32 abi;
	__u32 nr; /* as in the sets */
};

/* Where a task's registers are; NULL until that is known. */
static __always_inline struct pt_regs *task_regs(struct task_struct *t)
{
	return cache_regs_off ? (void *)BPF_CORE_READ(t, stack) + cache_regs_off : NULL;
}

/* The current task's call. False where there is none that a set could have: rt_sigreturn and
 * interrupts leave -1. */
static __always_inline bool regs_call(struct task_struct *t, struct pt_regs *regs,
				      struct task_call *ret)
{
#if defined(__TARGET_ARCH_x86)
	__u64 nr = (__s64)(__s32)BPF_CORE_READ(regs, orig_ax);
#else
	__u64 nr = (__s64)BPF_CORE_READ(regs, syscallno);
#endif

	ret->abi = task_abi(t, &nr);
	ret->nr = nr;
	return nr < TAMIS_CALLS;
}

/* As they were before the call: seccomp does so for a core dump or a handler to see. */
static __always_inline bool is_rolled_back(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(regs, ax) == BPF_CORE_READ(regs, orig_ax);
#else
	return BPF_CORE_READ(regs, regs[0]) == BPF_CORE_READ(regs, orig_x0);
#endif
}
