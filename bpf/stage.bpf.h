/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which stage a task is in.
 *
 * A process that enters a cgroup from outside (moved there, or born there by a parent in another
 * cgroup) is *setup*, and so are its children: it has an entry in tamis_tasks. All without an
 * entry are *workload*. Its starter is its parent, or itself if it moved itself. It leaves the
 * stage at an exec, by the first rule that fits:
 *
 *  1. A hook, or a child of one: it stays, whatever it makes.
 *  2. It is process 1 of a pid namespace deeper than its starter's: *workload*.
 *  3. The cgroup has a container, and the task has joined its mount namespace, or, where that is
 *     the starter's, its pid namespace: *session* (podman exec), and its children too.
 *  4. A namespace was made, and its parent is a setup task of the same cgroup: it is an OCI hook.
 *  5. Its mount namespace isn't its starter's (shared pid namespace, pods): *workload*.
 *  6. The cgroup has a container, and the task isn't in it: a helper of `exec`. It stays.
 *  7. No mount namespace was made (units, `tamis record`): *workload* at its own exec, but for what
 *     is known to exec again: systemd-executor (systemd 255 on), a runtime by descriptor or its
 *     /proc/self name; and for tamis-start, which watches over a unit's trial.
 *
 * What runs already is no start: a program of several threads, or one that somebody else moved
 * when it was older than any start is (cfg_grown_ns); moved younger, it stays setup until it is
 * that old. Not so in a container's cgroup, where who isn't inside is no workload; nor for what
 * moved itself, which a shell does before the exec of what it starts.
 *
 * Nothing tells: a daemon that moves itself and never execs (setup for ever); where no namespace
 * is made, hooks from starts (each counts as one); where neither mounts nor pids are the
 * container's own, sessions from starts. A unit with mounts of its own that runs containers below
 * its cgroup counts as their outer container.
 *
 * Facts: runc init re-execs a copy of itself by descriptor (execveat) around the time it is moved
 * into the cgroup, 1.1.5 often after it; crun doesn't exec; runc exec >= 1.4 is born inside
 * (CLONE_INTO_CGROUP) and execs itself there as /proc/self/fd/N; OCI hooks exec in the
 * container's cgroup before the entrypoint does.
 */
#pragma once

#include "bpf/task.bpf.h"

/* No start takes so long before its exec, or until it has made a namespace. */
const volatile __s64 cfg_grown_ns = 30ll * 1000 * 1000 * 1000;

#define EEXIST	  17 /* include/uapi/asm-generic/errno-base.h */
#define ANCESTORS 8  /* levels looked up for a container that a cgroup is inside of */

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

static __always_inline bool has_own_pids(const struct tamis_cgroup *c)
{
	return c->pid_ns && c->pid_ns != c->starter_pid_ns;
}

static __always_inline bool is_container(const struct tamis_cgroup *c)
{
	return c && (has_own_mounts(c) || has_own_pids(c));
}

/* Whether a task is one of the container's own. */
static __always_inline bool is_inside(const struct tamis_cgroup *c, struct task_struct *t)
{
	if (has_own_mounts(c) && task_mnt_ns(t) == c->mnt_ns)
		return true;
	return has_own_pids(c) && task_pid(t).ns == c->pid_ns;
}

static __always_inline bool is_grown(struct task_struct *t)
{
	return task_age_ns(t) > cfg_grown_ns;
}

/* What runs already isn't being started. Into a container nothing else comes than sessions, and
 * a runtime's helper may have threads by then. */
static __always_inline bool is_running(const struct tamis_cgroup *c, struct task_struct *t,
				       bool self)
{
	if (!is_container(c) && BPF_CORE_READ(t, signal, nr_threads) > 1)
		return true;
	return !self && is_grown(t) && (!is_container(c) || is_inside(c, t));
}

/* A program is at work in the cgroup, or above it: something was started there, or came running. */
static __always_inline bool is_at_work(struct kernfs_node *kn)
{
	for (int i = 0; i < ANCESTORS && kn; i++) {
		__u64 id = kn_id(kn);

		if (bpf_map_lookup_elem(&tamis_cgroups, &id))
			return true;
		kn = kn_parent(kn);
	}
	return false;
}

/* Not below what is at work: leaves are counted for the nearest entry (leave.bpf.h), and who moves
 * inside of a unit doesn't leave it. */
static __always_inline void note_work(struct kernfs_node *kn)
{
	struct tamis_cgroup c = {};
	__u64 cgroup = kn_id(kn);
	long r;

	if (is_at_work(kn))
		return;
	r = bpf_map_update_elem(&tamis_cgroups, &cgroup, &c, BPF_NOEXIST);
	if (r && r != -EEXIST) /* a start came meanwhile */
		count_loss(cgroup, task);
}

/* A process is in its new cgroup some us before the kernel tells of the move, and may run meanwhile:
 * runc's is being loaded then. in_transit (cache.bpf.h) knows as long as nobody else moves; besides,
 * nothing was at work in a new cgroup before the first one came. Once anything could not be kept,
 * nothing is concluded from what isn't there: rather too many calls than one too few. */
static __always_inline bool is_arriving(struct task_struct *t)
{
	struct kernfs_node *kn = task_kn(t);
	__u64 cgroup = kn_id(kn);

	if (cgroup == ROOT_CGROUP || state.lost.task || is_at_work(kn))
		return false;
	if (!bpf_map_lookup_elem(&tamis_paths, &cgroup)) /* it wasn't made while we looked */
		return false;
	return BPF_CORE_READ(t, signal, nr_threads) == 1 && !is_grown(t);
}

/* `t` is now in cgroup `kn`, put there by `mover`. */
static __always_inline void stage_enter(struct task_struct *t, struct kernfs_node *kn,
					struct task_struct *mover)
{
	struct tamis_task mark = { .cgroup = kn_id(kn), .stage = TAMIS_SETUP };
	__u32 tgid = BPF_CORE_READ(t, tgid);
	struct tamis_task *now = bpf_map_lookup_elem(&tamis_tasks, &tgid);
	bool self = tgid == BPF_CORE_READ(mover, tgid);
	struct task_struct *from;
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
	if (c && is_inside(c, mover))
		return;
	if (is_running(c, t, self)) {
		note_work(kn);
		return;
	}
	/* but not for the namespaces: with systemd's cgroups it is systemd that moves */
	from = self ? t : BPF_CORE_READ(t, real_parent);
	pid = task_pid(from);
	mark.filters = task_filters(t);
	mark.pid_ns = pid.ns;
	mark.pid_level = pid.level;
	mark.mnt_ns = task_mnt_ns(from);
	mark.nsproxy = task_nsproxy(from);
	mark.flags = self ? TAMIS_TASK_SELF : 0;
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

/* Its parent is an unfinished start of the same cgroup: what runtimes do with hooks. */
static __always_inline bool is_child_of_start(struct task_struct *t, __u64 cgroup)
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

/* What execs once more before it is what was asked for, or is none of the unit's. */
static __always_inline bool execs_again(struct linux_binprm *bprm)
{
	char name[12] = {}, comm[TAMIS_COMM] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(bprm, filename));
	/* by descriptor: the kernel calls it /dev/fd/N; comm is the executable's, cut at 15 bytes */
	return starts_with(name, "/proc/", 6) || starts_with(name, "/dev/fd/", 8) ||
	       starts_with(comm, "systemd-executo", 15) || starts_with(comm, "tamis-start", 12);
}

/* Exec'd into a container: where it has mounts of its own these tell, for its pid namespace may be
 * a pod's. */
static __always_inline bool has_joined(const struct tamis_cgroup *c, const struct task_pid *pid,
				       __u32 mnt_ns)
{
	if (has_own_mounts(c))
		return mnt_ns == c->mnt_ns;
	return has_own_pids(c) && pid->ns == c->pid_ns;
}

/* The stage after this exec of a setup task. */
static __always_inline __u32 stage_at_exec(struct task_struct *t, struct tamis_task *mark,
					   const struct tamis_cgroup *c, struct linux_binprm *bprm)
{
	struct task_pid pid = task_pid(t);
	__u32 mnt_ns = task_mnt_ns(t);

	mark->flags &= ~TAMIS_TASK_SELF;
	if (mark->flags & TAMIS_TASK_HOOK)
		return TAMIS_SETUP;
	if (pid.level > mark->pid_level && pid.nr == 1)
		return TAMIS_WORKLOAD;
	if (c && has_joined(c, &pid, mnt_ns))
		return TAMIS_SESSION;
	if (task_nsproxy(t) != mark->nsproxy && is_child_of_start(t, mark->cgroup)) {
		mark->flags |= TAMIS_TASK_HOOK;
		return TAMIS_SETUP;
	}
	if (mnt_ns != mark->mnt_ns)
		return TAMIS_WORKLOAD;
	return is_container(c) || execs_again(bprm) ? TAMIS_SETUP : TAMIS_WORKLOAD;
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
		.pid = BPF_CORE_READ(t, tgid),
	};

	if (bpf_map_update_elem(&tamis_cgroups, &cgroup, &c, BPF_ANY))
		count_loss(cgroup, task);
	if (*(volatile __u16 *)&state.resting)
		count_loss(cgroup, rest);
	__sync_fetch_and_add(&state.notes, 1);
}

/* The last entrypoint is no more. The number of a mount namespace that is no more is given out
 * again, at once: to a unit's next command, which isn't a session of the one before it. */
static __always_inline void stage_ended(struct tamis_cgroup *c)
{
	if (has_own_mounts(c))
		c->mnt_ns = 0;
}

/* A setup task that never was a start: grown up where nothing tells it from what was started. */
static __always_inline bool is_settled(struct task_struct *t, const struct tamis_task *mark)
{
	return !(mark->flags & (TAMIS_TASK_SELF | TAMIS_TASK_HOOK)) &&
	       task_nsproxy(t) == mark->nsproxy && is_grown(t) &&
	       !is_container(started_above(task_kn(t)));
}

/* Whether a call adds to the calling task's filters, and perhaps to its whole process's. */
enum filter_call {
	FILTER_NONE,
	FILTER_ASKED, /* one that can, but doesn't now */
	FILTER_LOADED,
};

/* A setup task's stage changes before its exec when it loads a filter, and when it settles. The
 * latter never happens to what has another namespace than its starter. */
static __always_inline bool setup_lasts(struct task_struct *t, struct tamis_task *mark,
					__u32 filter)
{
	if (filter == FILTER_LOADED && !(mark->flags & TAMIS_TASK_FILTERS)) {
		/* all its threads may get it: what is cached of any is nothing from here on */
		mark->flags |= TAMIS_TASK_FILTERS;
		__sync_fetch_and_add(&state.epoch, 1);
	}
	return filter == FILTER_NONE && !(mark->flags & TAMIS_TASK_FILTERS) &&
	       task_nsproxy(t) != mark->nsproxy;
}

/* `ret_lasts`: only a fork, an exec or a move changes this stage, where the cache forgets; and the call
 * needn't be seen again. */
static __always_inline __u32 stage_now(struct task_struct *t, __u32 tgid, __u32 filter,
				       bool *ret_lasts)
{
	struct tamis_task *mark = bpf_map_lookup_elem(&tamis_tasks, &tgid);
	bool arrives;

	*ret_lasts = true;
	if (!mark) {
		arrives = is_arriving(t);
		*ret_lasts = !arrives;
		return arrives ? TAMIS_SETUP : TAMIS_WORKLOAD;
	}
	if (mark->stage != TAMIS_SETUP)
		return mark->stage;
	if (task_filters(t) > mark->filters)
		return TAMIS_GATE;
	*ret_lasts = setup_lasts(t, mark, filter);
	if (!is_settled(t, mark))
		return TAMIS_SETUP;
	note_work(task_kn(t)); /* before its children are asked about */
	bpf_map_delete_elem(&tamis_tasks, &tgid);
	return TAMIS_WORKLOAD;
}
