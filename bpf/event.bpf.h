/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The doorbell: events are provenance and paths; no call depends on one. */
#pragma once

#include "bpf/task.bpf.h"

#define EXE_DEPTH     12 /* components of an executable's path, */
#define EXE_COMPONENT 48 /* and bytes of each, kept at most */

static __always_inline struct tamis_event *event_new(__u32 text_room, __u32 kind, __u64 cgroup)
{
	struct tamis_event *e =
		bpf_ringbuf_reserve(&tamis_ring, sizeof(struct tamis_event) + text_room, 0);

	if (!e) {
		count_loss(cgroup, ring);
		return NULL;
	}
	e->kind = kind;
	e->cgroup = cgroup;
	e->abi = e->stage = e->nr = e->at_ms = e->pad = 0;
	e->call = TAMIS_CALLS;
	e->text_len = 0;
	return e;
}

static __always_inline void event_who(struct tamis_event *e)
{
	__u64 id = bpf_get_current_pid_tgid();

	e->pid = id >> 32;
	e->tid = id;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

/* New calls can wait for the next drain, as long as the ring is not filling. */
static __always_inline void event_submit_quietly(struct tamis_event *e)
{
	bool high = bpf_ringbuf_query(&tamis_ring, BPF_RB_AVAIL_DATA) > cfg_ring_high;

	bpf_ringbuf_submit(e, high ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void event_text(struct tamis_event *e, const char *text, __u32 room)
{
	long n = bpf_probe_read_kernel_str(e->text, room, text);

	e->text_len = n > 0 ? n - 1 : 0;
}

/* The path of the current executable inside its mount, last component first. */
static __always_inline void event_exe(struct tamis_event *e, struct task_struct *t)
{
	struct dentry *d = BPF_CORE_READ(t, mm, exe_file, f_path.dentry);
	__u32 off = 0;

	for (int i = 0; i < EXE_DEPTH && d; i++) {
		struct dentry *up = BPF_CORE_READ(d, d_parent);
		const unsigned char *name = BPF_CORE_READ(d, d_name.name);
		long n;

		barrier_var(off); /* else what is compared is another copy than what is added */
		if (up == d || off > TAMIS_TEXT_CALL - EXE_COMPONENT)
			break;
		n = bpf_probe_read_kernel_str(e->text + off, EXE_COMPONENT, name);
		if (n <= 0 || n > EXE_COMPONENT)
			break;
		off += n;
		/* off is at most TAMIS_TEXT_CALL here: its NUL becomes the separator */
		if (off - 1 < TAMIS_TEXT_CALL)
			e->text[off - 1] = '/';
		d = up;
	}
	e->text_len = off;
}
