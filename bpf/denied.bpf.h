/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that came back with one of our filters' errnos. The kernel answers so too: what is kept are
 * candidates. Not those that the task's stage has made in this cgroup: such a call passes the filter.
 * Nor those of who is being started: the runtime's probes.
 *
 * Nobody's call is what comes back elsewhere: a fork's child and rt_sigreturn come back from no call
 * (0, -1), a call to be restarted comes back with another errno.
 */
#pragma once

#include "bpf/event.bpf.h"
#include "bpf/regs.bpf.h"
#include "bpf/set.bpf.h"

#define EPERM  1  /* include/uapi/asm-generic/errno-base.h */
#define ENOSYS 38 /* include/uapi/asm-generic/errno.h */

static __always_inline bool has_passed(const struct tamis_key *key, __u32 nr)
{
	struct kept_set *set = bpf_map_lookup_elem(&tamis_sets, key);

	return set && set_has(set, nr);
}

static __always_inline void tell_denied(const struct tamis_key *key, __u32 nr,
					struct task_struct *t)
{
	struct tamis_event *e = event_new(TAMIS_TEXT_CALL, TAMIS_EV_DENIED, key->cgroup);

	if (!e)
		return;
	e->abi = key->abi;
	e->stage = key->stage;
	e->nr = nr;
	event_who(e);
	event_exe(e, t);
	event_submit_quietly(e);
}

static const struct tamis_denied no_denial;

static __always_inline void denied_count(const struct tamis_key *key, __u32 nr, __u32 error,
					 struct task_struct *t)
{
	struct tamis_denied_key at = { key->cgroup, key->abi, nr };
	struct tamis_denied *d = bpf_map_lookup_elem(&tamis_denials, &at);
	bool first = false;

	if (!d) {
		first = !bpf_map_update_elem(&tamis_denials, &at, &no_denial, BPF_NOEXIST);
		d = bpf_map_lookup_elem(&tamis_denials, &at);
	}
	if (!d) {
		__sync_fetch_and_add(&state.denials_full, 1);
		return;
	}
	d->last_ms = bpf_ktime_get_boot_ns() / 1000000;
	d->errno_ret = error;
	d->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(d->comm, sizeof(d->comm));
	__sync_fetch_and_add(&d->count, 1);
	if (!first)
		return;
	d->first_ms = d->last_ms;
	tell_denied(key, nr, t);
}

static __noinline int denied_note(struct pt_regs *regs, __u32 error)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct tamis_key key = { .stage = TAMIS_WORKLOAD };
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct tamis_task *mark;
	struct task_call call;

	if (BPF_CORE_READ(t, seccomp.mode) != SECCOMP_MODE_FILTER)
		return 0;
	key.cgroup = bpf_get_current_cgroup_id();
	mark = bpf_map_lookup_elem(&tamis_tasks, &tgid);
	if (mark)
		key.stage = mark->stage;
	if (key.cgroup == ROOT_CGROUP || key.stage == TAMIS_SETUP || !regs_call(t, regs, &call))
		return 0;
	if (call.abi == TAMIS_ABI_X32 && !cfg_x32) /* nothing could let it pass */
		return 0;
	key.abi = call.abi;
	if (!has_passed(&key, call.nr))
		denied_count(&key, call.nr, error, t);
	return 0;
}
