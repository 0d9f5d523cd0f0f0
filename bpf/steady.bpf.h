/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The front door of kernels that preempt tasks inside raw_tp programs (Linux 7). There a program is
 * left out while another task of the processor lies preempted inside it (prog->active), and that call
 * is recorded by nobody. perf's probe of the same tracepoint holds preemption off, and hands each event
 * to perf_trace_run_bpf_submit: whoever is attached there can't be come upon by another task. An
 * interrupt's own events may be left out, and a system call is none. perf's probe passes events on
 * while a program of the classic kind is attached, whatever it does: tamis_feed. (That kind alone isn't
 * enough: it is left out while a task lies preempted in bpf(2) on a map, bpf_prog_active.)
 */
#pragma once

#include "bpf/cache.bpf.h"

/* The number of the event raw_syscalls:sys_enter. */
const volatile __u32 cfg_enter_event;

struct trace_event___steady {
	int type;
} __attribute__((preserve_access_index));

struct trace_event_call___steady {
	struct trace_event___steady event;
} __attribute__((preserve_access_index));

struct trace_event_raw_sys_enter___steady {
	long id;
} __attribute__((preserve_access_index));

struct pt_regs___steady {
	unsigned long sp; /* of the place in the kernel that the event came from */
} __attribute__((preserve_access_index));

/* The arguments of perf_trace_run_bpf_submit. */
enum { STEADY_DATA = 0, STEADY_CALL = 3, STEADY_REGS = 5 };

#ifdef TAMIS_PORTABLE

#define steady_enter(ctx) 0

#else

static __always_inline __u64 steady_nr(__u64 data)
{
	struct trace_event_raw_sys_enter___steady *e = bpf_rdonly_cast(
		(void *)data, bpf_core_type_id_kernel(struct trace_event_raw_sys_enter___steady));

	return e->id;
}

/* A number: nothing can be calculated with what the helper returns. */
static __always_inline __u64 steady_regs(void)
{
	long regs = bpf_task_pt_regs(bpf_get_current_task_btf());
	__u64 at = 0;

	bpf_probe_read_kernel(&at, sizeof(at), &regs);
	return at;
}

/* The cache looks at the stack that an address is in, and any in it will do. */
static __always_inline int steady_enter(__u64 *ctx)
{
	struct trace_event_call___steady *call = (void *)ctx[STEADY_CALL];
	struct pt_regs___steady *here = (void *)ctx[STEADY_REGS];
	__u64 nr;

	if (call->event.type != cfg_enter_event)
		return 0;
	nr = steady_nr(ctx[STEADY_DATA]);
	if (nr < CACHE_CALLS && cache_has(here->sp, nr) && is_native_task())
		return 0;
	return enter_slowly(steady_regs(), nr);
}

#endif

/* Not loaded unless it is asked for, neither of them. */
SEC("?fentry/perf_trace_run_bpf_submit")
int tamis_steady(__u64 *ctx)
{
	return steady_enter(ctx);
}

SEC("?tp/raw_syscalls/sys_enter")
int tamis_feed(void *ctx)
{
	return 0;
}
