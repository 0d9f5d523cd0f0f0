/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which stage a task is in.
 *
 * A process that enters a cgroup from outside (moved there, or born there by a parent in another
 * cgroup) is *setup*, and so are its children: it has an entry in tamis_tasks. All without an
 * entry are *workload*. A setup process leaves that stage at an exec, by the first rule that fits:
 *
 *  1. It is process 1 of a pid namespace deeper than its starter's: *workload*.
 *  2. The cgroup has a container with a mount namespace of its own, and the task is in it:
 *     *session* (podman exec), and its children too.
 *  3. Its mount namespace isn't its starter's (shared pid namespace, pods): *workload*, unless its
 *     parent is a setup task of the same cgroup: then it is an OCI hook, and stays.
 *  4. No namespace was made (units, `tamis record`): *workload* at its own exec, but for what
 *     is known to exec again: systemd-executor (systemd 255 on), a runtime by descriptor or its
 *     /proc/self name, and helpers of `exec` in a cgroup that already has its container.
 *
 * Facts: runc init re-execs a copy of itself by descriptor (execveat) around the time it is moved
 * into the cgroup, 1.1.5 often after it; crun doesn't exec; runc exec >= 1.4 is born inside
 * (CLONE_INTO_CGROUP) and execs itself there as /proc/self/fd/N; OCI hooks exec in the
 * container's cgroup before the entrypoint does.
 */
#pragma once

#include "bpf/task.bpf.h"

#define ANCESTORS 8 /* levels looked up for a container that a cgroup is inside of */

/* The nearest cgroup, from kn up, that something was started in. An entry without namespaces is a
 * seed for the leavers alone: it must not hide the container above it. */
static __always_inline struct tamis_cgroup *started_above(struct kernfs_node *kn)
{
	for (int i = 0; i < ANCESTORS && kn; i++) {
		__u64 id = kn_id(kn);
		struct tamis_cgroup *c = bpf_map_lookup_elem(&tamis_cgroups, &id);

		if (c && c->pid_ns)
			return c;
		kn = kn_parent(kn);
	}
	return NULL;
}

static __always_inline bool has_own_mounts(const struct tamis_cgroup *c)
{
	return c->mnt_ns && c->mnt_ns != c->starter_mnt_ns;
}

/* Whether a task is one of the container's own. */
static __always_inline bool is_inside(const struct tamis_cgroup *c, struct task_struct *t)
{
	if (has_own_mounts(c) && task_mnt_ns(t) == c->mnt_ns)
		return true;
	return c->pid_ns != c->starter_pid_ns && task_pid(t).ns == c->pid_ns;
}

/* `t` is now in cgroup `kn`, put there by `starter`. */
static __always_inline void stage_enter(struct task_struct *t, struct kernfs_node *kn,
					struct task_struct *starter)
{
	struct tamis_task mark = { .cgroup = kn_id(kn), .stage = TAMIS_SETUP };
	__u32 tgid = BPF_CORE_READ(t, tgid);
	struct tamis_task *now = bpf_map_lookup_elem(&tamis_tasks, &tgid);
	struct tamis_cgroup *c;
	struct task_pid pid;

	if (now) { /* still on its way, or a session that moves: the starter stays */
		now->cgroup = mark.cgroup;
		return;
	}
	if (mark.cgroup == ROOT_CGROUP)
		return;
	/* A container's own process may move its children between its cgroups. Who moves counts, not
	 * who is moved: runc exec joins the namespaces before it is put into the cgroup. */
	c = started_above(kn);
	if (c && is_inside(c, starter))
		return;
	/* A program of several threads is running, not being started; but into a container nothing
	 * else comes than sessions, and runc's may have threads by then. */
	if (!(c && has_own_mounts(c)) && BPF_CORE_READ(t, signal, nr_threads) > 1)
		return;
	pid = task_pid(starter);
	mark.filters = task_filters(t);
	mark.pid_ns = pid.ns;
	mark.pid_level = pid.level;
	mark.mnt_ns = task_mnt_ns(starter);
	if (bpf_map_update_elem(&tamis_tasks, &tgid, &mark, BPF_ANY))
		count_loss(mark.cgroup, task);
}

static __always_inline void stage_fork(struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid), tgid = BPF_CORE_READ(child, tgid);
	struct tamis_task *mark = bpf_map_lookup_elem(&tamis_tasks, &parent_tgid);
	struct kernfs_node *kn = task_kn(child);

	if (mark && tgid != parent_tgid) {
		struct tamis_task copy = *mark;

		if (bpf_map_update_elem(&tamis_tasks, &tgid, &copy, BPF_ANY))
			count_loss(copy.cgroup, task);
	}
	if (kn != task_kn(parent))
		stage_enter(child, kn, parent);
}

static __always_inline bool is_hook(struct task_struct *t, __u64 cgroup)
{
	__u32 parent = BPF_CORE_READ(t, real_parent, tgid);
	struct tamis_task *mark = bpf_map_lookup_elem(&tamis_tasks, &parent);

	return mark && mark->stage == TAMIS_SETUP && mark->cgroup == cgroup;
}

static __always_inline bool starts_with(const char *s, const char *what, int len)
{
	for (int i = 0; i < len; i++)
		if (s[i] != what[i])
			return false;
	return true;
}

/* What execs once more before it is what was asked for. */
static __always_inline bool execs_again(struct linux_binprm *bprm, const char *comm)
{
	char name[12] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(bprm, filename));
	/* by descriptor: the kernel calls it /dev/fd/N; comm is the executable's, cut at 15 bytes */
	return starts_with(name, "/proc/", 6) || starts_with(name, "/dev/fd/", 8) ||
	       starts_with(comm, "systemd-executo", 15);
}

/* The stage after this exec of a setup task. */
static __always_inline __u32 stage_at_exec(struct task_struct *t, const struct tamis_task *mark,
					   const struct tamis_cgroup *c, struct linux_binprm *bprm)
{
	struct task_pid pid = task_pid(t);
	__u32 mnt_ns = task_mnt_ns(t);
	char comm[TAMIS_COMM] = {};

	if (pid.level > mark->pid_level && pid.nr == 1)
		return TAMIS_WORKLOAD;
	if (c && has_own_mounts(c) && mnt_ns == c->mnt_ns)
		return TAMIS_SESSION;
	if (mnt_ns != mark->mnt_ns)
		return is_hook(t, mark->cgroup) ? TAMIS_SETUP : TAMIS_WORKLOAD;
	if (c && has_own_mounts(c))
		return TAMIS_SETUP;
	bpf_get_current_comm(comm, sizeof(comm));
	return execs_again(bprm, comm) ? TAMIS_SETUP : TAMIS_WORKLOAD;
}

/* An entrypoint was seen: what the cgroup's later tasks are compared with. */
static __always_inline void stage_started(struct task_struct *t, __u64 cgroup,
					  const struct tamis_task *mark)
{
	struct tamis_cgroup *now = bpf_map_lookup_elem(&tamis_cgroups, &cgroup);
	struct tamis_cgroup c = {
		.starts = now ? now->starts + 1 : 1,
		.pid_ns = task_pid(t).ns,
		.mnt_ns = task_mnt_ns(t),
		.starter_pid_ns = mark->pid_ns,
		.starter_mnt_ns = mark->mnt_ns,
	};

	if (bpf_map_update_elem(&tamis_cgroups, &cgroup, &c, BPF_ANY))
		count_loss(cgroup, task);
	__sync_fetch_and_add(&state.changes, 1);
}
