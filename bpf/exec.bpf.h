/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Executables that are new to a cgroup: while the syscall program naps (user/learn/duty.h) they may
 * make calls that nobody saw, so the daemon is told at once. Only while it wants to know.
 *
 * An executable is a file; a script is its interpreter and the path it was given by, which may be
 * another for the same script: one time too often is told rather than one too few. What is driven
 * out of the map is told again, too.
 */
#pragma once

#include "bpf/event.bpf.h"

#define EXEC_WORDS 16 /* of 8 bytes: of a script's path */

struct exec_key {
	__u64 cgroup;
	__u64 inode;
	__u64 script; /* 0: none */
	__u32 dev;
	__u32 pad;
};

/* Not pinned: who comes next learns anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct exec_key);
	__type(value, __u8);
} tamis_execs SEC(".maps");

/* Fowler-Noll-Vo, by words. */
static __always_inline __u64 path_hash(const char *path)
{
	__u64 word[EXEC_WORDS] = {}, hash = 0xcbf29ce484222325;

	bpf_probe_read_kernel_str(word, sizeof(word), path);
	for (int i = 0; i < EXEC_WORDS; i++)
		hash = (hash ^ word[i]) * 0x100000001b3;
	return hash | 1;
}

static __always_inline void tell_exec(__u64 cgroup)
{
	bool naps = *(volatile __u16 *)&state.resting == TAMIS_NAPS;
	struct tamis_event *e = event_new(0, TAMIS_EV_EXEC, cgroup);

	if (!e) { /* nobody will wake for it */
		if (naps)
			count_loss(cgroup, rest);
		return;
	}
	event_who(e);
	if (naps)
		bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
	else
		event_submit_quietly(e);
}

/* The current task has become what it will be, in `cgroup`. */
static __noinline int exec_seen(struct task_struct *t, struct linux_binprm *bprm, __u64 cgroup)
{
	struct inode *inode = BPF_CORE_READ(t, mm, exe_file, f_inode);
	const char *name = BPF_CORE_READ(bprm, filename);
	struct exec_key key = {
		.cgroup = cgroup,
		.inode = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
	};
	__u8 known = 1;

	if (BPF_CORE_READ(bprm, interp) != name)
		key.script = path_hash(name);
	if (bpf_map_lookup_elem(&tamis_execs, &key))
		return 0;
	bpf_map_update_elem(&tamis_execs, &key, &known, BPF_ANY);
	tell_exec(cgroup);
	return 0;
}

static __always_inline void exec_note(struct task_struct *t, struct linux_binprm *bprm)
{
	__u64 cgroup;

	if (!*(volatile __u16 *)&state.execs)
		return;
	cgroup = kn_id(task_kn(t));
	if (cgroup != ROOT_CGROUP)
		(void)exec_seen(t, bprm, cgroup);
}
