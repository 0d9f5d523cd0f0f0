/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asks the kernel whether tasks are preempted inside of programs at sys_enter, and the number of that
 * event. Attached for one call, anybody's. */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PREEMPT_MASK 0xff /* include/linux/preempt.h */

extern const void event_sys_enter __ksym __weak;
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

struct trace_event___probe {
	int type;
} __attribute__((preserve_access_index));

struct trace_event_call___probe {
	struct trace_event___probe event;
} __attribute__((preserve_access_index));

int event;
bool preemptible;

#if defined(__TARGET_ARCH_x86)
extern const int __preempt_count __ksym __weak;

static __always_inline int preempt_count(void)
{
	const int *count = &__preempt_count ? bpf_this_cpu_ptr(&__preempt_count) : NULL;

	return count ? *count & PREEMPT_MASK : -1;
}
#else
struct thread_info___probe {
	__u64 preempt_count;
} __attribute__((preserve_access_index));

struct task_struct___probe {
	struct thread_info___probe thread_info;
} __attribute__((preserve_access_index));

static __always_inline int preempt_count(void)
{
	struct task_struct___probe *t = (void *)bpf_get_current_task();

	return BPF_CORE_READ(t, thread_info.preempt_count) & PREEMPT_MASK;
}
#endif

/* Where preemption isn't counted, there is none: nothing rises. */
SEC("raw_tp/sys_enter")
int tamis_probe(void *ctx)
{
	struct trace_event_call___probe *call = (void *)&event_sys_enter;
	int before = preempt_count(), held = before;

	if (bpf_preempt_disable && bpf_preempt_enable) {
		bpf_preempt_disable();
		held = preempt_count();
		bpf_preempt_enable();
	}
	preemptible = before == 0 && held == 1;
	event = call ? BPF_CORE_READ(call, event.type) : 0;
	return 0;
}
