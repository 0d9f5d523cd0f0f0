/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sensor: which calls were made, by cgroup, ABI and stage. All programs are raw_tp, so that
 * BPF_PROG_TEST_RUN can run them. Two front doors for the same room: tamis_enter reads the
 * registers without a helper (kernels with bpf_rdonly_cast, 6.2), tamis_enter_any asks for the
 * task instead; user/sensor loads the first that the kernel takes. bpf/portable.bpf.c is the latter,
 * bpf/legacy.bpf.c the same for kernels before 5.12.
 */
#include "bpf/cache.bpf.h"
#include "bpf/denied.bpf.h"
#include "bpf/exec.bpf.h"
#include "bpf/exit.bpf.h"
#include "bpf/leave.bpf.h"
#include "bpf/record.bpf.h"
#include "bpf/set.bpf.h"
#include "bpf/stage.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

_Static_assert(sizeof(struct tamis_key) == 16, "tamis_key");
_Static_assert(sizeof(struct tamis_set) == 360, "tamis_set");
_Static_assert(sizeof(struct tamis_legacy_set) == 2304, "tamis_legacy_set");
_Static_assert(sizeof(struct tamis_task) == 32, "tamis_task");
_Static_assert(sizeof(struct tamis_event) == 64, "tamis_event");
_Static_assert(sizeof(struct tamis_leave) == 40, "tamis_leave");
_Static_assert(sizeof(struct tamis_loss) == 40, "tamis_loss");
_Static_assert(sizeof(struct tamis_denied_key) == 16, "tamis_denied_key");
_Static_assert(sizeof(struct tamis_denied) == 48, "tamis_denied");

#ifndef TAMIS_PORTABLE
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;
#endif

#if defined(__TARGET_ARCH_x86)
#define NR_PRCTL   157 /* arch/x86/entry/syscalls/syscall_64.tbl */
#define NR_SECCOMP 317
#else
#define NR_PRCTL   167 /* include/uapi/asm-generic/unistd.h */
#define NR_SECCOMP 277
#endif
#define PR_SET_SECCOMP		22 /* include/uapi/linux/prctl.h */
#define SECCOMP_SET_MODE_FILTER 1  /* include/uapi/linux/seccomp.h */

static __always_inline bool abi_is_native(__u32 abi)
{
	return abi == TAMIS_ABI_X86_64 || abi == TAMIS_ABI_AARCH64;
}

static __always_inline bool abi_is_there(__u32 abi)
{
	return abi != TAMIS_ABI_X32 || cfg_x32;
}

/* The other ABIs' numbers aren't told apart. Without a program nothing is loaded: libseccomp asks so
 * for what the kernel has. */
static __always_inline __u32 filter_by(__u64 at, __u32 abi, __u64 nr)
{
	struct pt_regs *regs = (void *)at;
	__u32 first, loads;
	__u64 program;

	if (!abi_is_native(abi))
		return FILTER_LOADED;
	if (nr != NR_PRCTL && nr != NR_SECCOMP)
		return FILTER_NONE;
#if defined(__TARGET_ARCH_x86)
	first = BPF_CORE_READ(regs, di);
	program = BPF_CORE_READ(regs, dx);
#else
	first = BPF_CORE_READ(regs, orig_x0);
	program = BPF_CORE_READ(regs, regs[2]);
#endif
	loads = nr == NR_PRCTL ? PR_SET_SECCOMP : SECCOMP_SET_MODE_FILTER;
	return first == loads && program ? FILTER_LOADED : FILTER_ASKED;
}

/* Where the current task belongs. `transit`: its move is not known to the stages yet. */
static __always_inline __u32 stage_of_call(struct task_struct *t, bool transit, __u32 filter,
					   bool *ret_lasts)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 stage = stage_now(t, tgid, filter, ret_lasts);

	return transit && stage == TAMIS_WORKLOAD ? TAMIS_SETUP : stage;
}

static __noinline int enter_slowly(__u64 regs, __u64 nr)
{
	/* first the counters, then what they vouch for (cache.bpf.h, invariants 1 and 2) */
	__u32 epoch = *(volatile __u32 *)&state.epoch;
	__u32 moves = *(volatile __u32 *)&state.moves;
	__u32 unit = *(volatile __u32 *)&state.unit;
	struct task_struct *t = (void *)bpf_get_current_task();
	struct tamis_key key = { .cgroup = bpf_get_current_cgroup_id() };
	bool transit = in_transit(regs, key.cgroup, moves), done = true, lasts = true;

	key.abi = task_abi(t, &nr);
	key.stage = TAMIS_WORKLOAD;
	if (key.cgroup != ROOT_CGROUP) {
		if (nr >= TAMIS_CALLS || !abi_is_there(key.abi)) {
			count_loss(key.cgroup, range);
			return 0;
		}
		key.stage = stage_of_call(t, transit, filter_by(regs, key.abi, nr), &lasts);
		done = record(&key, nr, unit, t);
	}
	if (transit)
		return 0;
	home_put(regs, key.cgroup, moves);
	place_learn(t);
	if (done && lasts && abi_is_native(key.abi) && nr < CACHE_CALLS && cache_usable(t, regs))
		cache_put(regs, nr, epoch);
	return 0;
}

/* By the `syscall` instruction rcx is the return address (Intel SDM, SYSCALL): a call through
 * another door, int 0x80 above all, has another table. Whoever makes them alike on purpose only
 * hides a call from what is learned for himself. */
static __always_inline bool came_by_syscall(__u64 regs)
{
#if defined(TAMIS_PORTABLE)
	return false;
#elif defined(__TARGET_ARCH_x86)
	struct pt_regs *r = bpf_rdonly_cast((void *)regs, bpf_core_type_id_kernel(struct pt_regs));

	return r->cx == r->ip;
#else
	return true; /* a 32-bit task is never cached, and stays one until its exec */
#endif
}

static __always_inline bool is_native_task(void)
{
#if defined(__TARGET_ARCH_x86) && defined(TAMIS_LEGACY)
	return !(BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), thread_info.status) &
		 TS_COMPAT);
#elif defined(__TARGET_ARCH_x86)
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *t = bpf_get_current_task_btf();

		return !(t->thread_info.status & TS_COMPAT);
	} else {
		struct task_struct *t = (void *)bpf_get_current_task();

		return !(BPF_CORE_READ(t, thread_info.status) & TS_COMPAT);
	}
#else
	return true;
#endif
}

SEC("raw_tp/sys_enter")
int tamis_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 regs = ctx->args[0], nr = ctx->args[1];

	if (nr < CACHE_CALLS && cache_has(regs, nr) && came_by_syscall(regs))
		return 0;
	return enter_slowly(regs, nr);
}

SEC("raw_tp/sys_enter")
int tamis_enter_any(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 regs = ctx->args[0], nr = ctx->args[1];

	if (nr < CACHE_CALLS && cache_has(regs, nr) && is_native_task())
		return 0;
	return enter_slowly(regs, nr);
}

#include "bpf/steady.bpf.h" /* the third door, made of what is above */

/* On every call's way back, while denials are watched: almost all end at the first line. */
SEC("raw_tp/sys_exit")
int tamis_return(struct bpf_raw_tracepoint_args *ctx)
{
	__s64 ret = ctx->args[1];

	if (ret == -ENOSYS || ret == -EPERM)
		denied_note((void *)ctx->args[0], -ret);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int tamis_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	struct kernfs_node *kn = task_kn(child);
	__u64 cgroup = kn_id(kn);

	cache_clear(child);
	home_born(child, cgroup);
	leave_fork(parent, child, kn, cgroup);
	stage_fork(parent, child);
	return 0;
}

/* The stage that a setup task is in after its exec. */
static __always_inline __u32 exec_in_setup(struct task_struct *t, struct linux_binprm *bprm,
					   __u32 tgid, struct tamis_task *mark)
{
	struct kernfs_node *kn = task_kn(t);
	__u32 stage;

	mark->cgroup = kn_id(kn);
	mark->stage = stage = stage_at_exec(t, mark, started_above(kn), bprm);
	if (stage != TAMIS_WORKLOAD)
		return stage;
	stage_started(t, mark->cgroup, mark);
	bpf_map_delete_elem(&tamis_tasks, &tgid);
	return stage;
}

SEC("raw_tp/sched_process_exec")
int tamis_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	__u32 tgid = BPF_CORE_READ(t, tgid);
	struct tamis_task *mark = bpf_map_lookup_elem(&tamis_tasks, &tgid);

	cache_clear(t);
	if (!mark || mark->stage != TAMIS_SETUP ||
	    exec_in_setup(t, bprm, tgid, mark) != TAMIS_SETUP)
		exec_note(t, bprm);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int tamis_exit(struct bpf_raw_tracepoint_args *ctx)
{
	exit_seen((void *)ctx->args[0]);
	return 0;
}

/* The default hierarchy alone: on hybrid hosts the event comes once for each. */
static __always_inline bool is_v2(struct cgroup *cgrp)
{
	return BPF_CORE_READ(cgrp, root, hierarchy_id) == 0;
}

SEC("raw_tp/cgroup_attach_task")
int tamis_attach(struct bpf_raw_tracepoint_args *ctx)
{
	struct cgroup *dst = (void *)ctx->args[0];
	struct task_struct *t = (void *)ctx->args[2];
	struct kernfs_node *kn;

	if (!is_v2(dst))
		return 0;
	kn = BPF_CORE_READ(dst, kn);
	/* first: by the stage it had before */
	if (!leave_move(t, kn))
		stage_enter(t, kn, (void *)bpf_get_current_task());
	/* the stages know; and one event is for a whole process: every thread's cache must go */
	__sync_fetch_and_add(&state.moves, 1);
	__sync_fetch_and_add(&state.epoch, 1);
	return 0;
}

static const struct tamis_path no_path;

static __always_inline void keep_path(__u64 cgroup, const char *path)
{
	struct tamis_path *kept;

	bpf_map_update_elem(&tamis_paths, &cgroup, &no_path, BPF_NOEXIST);
	kept = bpf_map_lookup_elem(&tamis_paths, &cgroup);
	if (kept && bpf_probe_read_kernel_str(kept->text, TAMIS_PATH, path) >= TAMIS_PATH)
		bpf_map_delete_elem(&tamis_paths, &cgroup);
}

static __always_inline int tell_cgroup(struct cgroup *cgrp, const char *path, __u32 kind)
{
	struct tamis_event *e;

	if (!is_v2(cgrp))
		return 0;
	e = event_new(TAMIS_TEXT_PATH, kind, BPF_CORE_READ(cgrp, kn, id));
	if (!e)
		return 0;
	event_who(e);
	event_text(e, path, TAMIS_TEXT_PATH);
	/* by itself the ring stays silent while quiet events wait before this one */
	bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
	return 0;
}

SEC("raw_tp/cgroup_mkdir")
int tamis_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
	struct cgroup *cgrp = (void *)ctx->args[0];

	if (is_v2(cgrp))
		keep_path(BPF_CORE_READ(cgrp, kn, id), (void *)ctx->args[1]);
	return tell_cgroup(cgrp, (void *)ctx->args[1], TAMIS_EV_MKDIR);
}

SEC("raw_tp/cgroup_rmdir")
int tamis_rmdir(struct bpf_raw_tracepoint_args *ctx)
{
	return tell_cgroup((void *)ctx->args[0], (void *)ctx->args[1], TAMIS_EV_RMDIR);
}
