/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one header that the kernel half and the user half share: what the maps
 * hold. Fixed-width types only; every size is asserted in bpf/sensor.bpf.c and
 * user/sensor/sensor.c. Whoever changes a layout raises TAMIS_ABI_VERSION, so
 * that a newer daemon refuses (and replaces) pinned maps of an older one.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define TAMIS_MAGIC	  0x7461736d /* "tams" */
#define TAMIS_ABI_VERSION 5

/*
 * Which table a call's number belongs to. Seccomp tells them apart by the
 * AUDIT_ARCH value and, for x32, by bit 30 of the number (seccomp(2)); so do we.
 */
enum tamis_abi {
	TAMIS_ABI_X86_64,
	TAMIS_ABI_I386,
	TAMIS_ABI_X32,
	TAMIS_ABI_AARCH64,
	TAMIS_ABI_ARM,
	TAMIS_ABI_MAX,
};

/* A stage is a property of a task; the rules are in bpf/stage.bpf.h. */
enum tamis_stage {
	TAMIS_SETUP,	/* the runtime's own calls, before the container's filter */
	TAMIS_GATE,	/* after the filter, before the container's exec */
	TAMIS_WORKLOAD, /* the container itself */
	TAMIS_SESSION,	/* what came in later by exec */
	TAMIS_STAGE_MAX,
};

/*
 * Calls are numbered 0..TAMIS_CALLS-1. x86_64 ends near 470 (7.0), x32 at 547.
 * ARM's private calls (0x0f0001..0x0f0005, arch/arm/include/uapi/asm/unistd.h)
 * are moved to TAMIS_ARM_PRIVATE + n.
 */
#define TAMIS_CALLS	  576
#define TAMIS_ARM_PRIVATE 560
#define TAMIS_X32_BIT	  0x40000000u
#define TAMIS_ARM_NR_BASE 0x0f0000u
#define TAMIS_SEEN_WORDS  (TAMIS_CALLS / 64)
#define TAMIS_UNIT_WORDS  (TAMIS_CALLS / 32)

/* One set of calls is kept for each of these. */
struct tamis_key {
	__u64 cgroup; /* kernfs id = inode number of the cgroup v2 directory */
	__u32 abi;    /* enum tamis_abi */
	__u32 stage;  /* enum tamis_stage */
};

/*
 * The calls seen.
 *
 * `seen` is the truth: bits are only ever set, never cleared, so it can be read
 * at any time and merged by OR. `unit` says in which sampling unit: one half
 * for even, one for odd units; each word is (unit << 32 | 32 call bits), so that
 * one compare-and-swap both starts a unit and sets a bit, and a word of an older
 * unit is told from one of this. A half is overwritten two units later: the
 * daemon reads it before it begins that unit.
 */
struct tamis_set {
	__u64 seen[TAMIS_SEEN_WORDS];
	__u64 unit[2][TAMIS_UNIT_WORDS];
};

/*
 * The same where BPF has no atomic operation that returns a value (bpf/legacy.bpf.c): a place of
 * its own for each call, so that a plain store does. It holds the low half of the unit that the
 * call was last seen in, of even units and of odd ones, made odd, for 0 is never. Never cleared
 * either: seen is what either has. A mark that lay untouched for 65,536 units is taken for one of
 * this unit; what was never called has none.
 */
struct tamis_legacy_set {
	__u16 unit[2][TAMIS_CALLS];
};

#define TAMIS_LEGACY_MARK(unit) ((__u16)((unit) | 1))

/* What was not recorded, by cgroup (key 0 in the totals); all only grow. */
struct tamis_loss {
	__u64 range; /* numbers outside 0..TAMIS_CALLS-1, or an ABI the kernel lacks */
	__u64 full;  /* calls that found tamis_sets full */
	__u64 ring;  /* events that found the ring full: provenance or a path is missing */
	__u64 task;  /* tasks whose stage could not be kept: their setup calls are taken
			for the workload's */
	__u64 rest;  /* entrypoints' execs that came while the syscall program rested */
};

/* What is known of a cgroup that something was started in. Namespaces are inode numbers, 0
 * where none was seen: those of the last entrypoint, and of whoever started it. */
struct tamis_cgroup {
	__u32 starts; /* entrypoint execs seen */
	__u32 pid_ns;
	__u32 mnt_ns;
	__u32 starter_pid_ns;
	__u32 starter_mnt_ns;
	__u32 pid; /* of that entrypoint's process, in the initial pid namespace */
};

/* Where a cgroup is, from its creation until it is forgotten: what the ring says once, and a
 * daemon that was killed has read, would be nobody's otherwise. A longer path isn't kept. */
#define TAMIS_PATH 384
struct tamis_path {
	char text[TAMIS_PATH]; /* NUL-terminated */
};

/* A process that is not (yet) the workload: keyed by its thread group id. */
struct tamis_task {
	__u64 cgroup;
	__u32 stage;   /* TAMIS_SETUP or TAMIS_SESSION */
	__u32 filters; /* seccomp filters it came with: one more is the gate */
	__u32 pid_ns;  /* namespaces and pid namespace depth of its starter, */
	__u32 mnt_ns;
	__u32 nsproxy; /* and all of them: of the address that they are at, the low half */
	__u16 pid_level;
	__u16 flags; /* enum tamis_task_flags */
};

enum tamis_task_flags {
	TAMIS_TASK_SELF = 1, /* it moved itself: a start, however old it is */
	TAMIS_TASK_HOOK = 2, /* a program that a runtime runs during a start, or a child of one */
	TAMIS_TASK_FILTERS = 4, /* it may have loaded a filter since: not cached until its exec */
};

/* Processes that left a cgroup for one that isn't below it (sshd's and cron's sessions, container
 * engines): a filter follows them, a cgroup doesn't. Kept for the nearest cgroup above the one
 * they left that something was started in; never for setup tasks, which are on their way in. */
struct tamis_leave {
	__u64 count; /* only grows; 0 is no entry */
	__u64 to;    /* cgroup of the last one, */
	__u32 pid;   /* its process in the initial pid namespace, */
	__u32 pad;
	char comm[16]; /* and what it was called when it left */
};

/*
 * Calls that came back with one of the errnos of our filters (ENOSYS, EPERM) to a task under a seccomp
 * filter: candidates, for the kernel may have answered so itself. A refused call fires sys_exit and no
 * sys_enter (measured, 6.18). Kept only while denials are watched (sensor_watch_denials).
 */
struct tamis_denied_key {
	__u64 cgroup;
	__u32 abi;
	__u32 nr; /* as in the sets */
};

struct tamis_denied {
	__u64 count;	/* only grows */
	__u64 first_ms; /* CLOCK_BOOTTIME */
	__u64 last_ms;
	__u32 errno_ret; /* of the last one, positive */
	__u32 pid;	 /* and who made it */
	char comm[16];
};

enum tamis_rest {
	TAMIS_AWAKE,
	TAMIS_RESTS, /* all that runs is under a filter of ours */
	TAMIS_NAPS,  /* what runs is known well, and is looked at now and then (learn/duty.h) */
};

/* Shared by the programs and the daemon, pinned with the maps. */
struct tamis_state {
	__u32 magic;
	__u32 version;
	__u32 unit;  /* current sampling unit; written by the daemon only */
	__u32 epoch; /* of the cache; raised on every unit and every move between cgroups */
	__u32 moves; /* between cgroups; raised once the stages know of one */
	/* Both written by the daemon. */
	__u16 resting; /* enum tamis_rest: the syscall program is, or is about to be, detached */
	__u16 execs;   /* executables that are new to a cgroup are told (TAMIS_EV_EXEC) */
	/* Raised with every bit newly set, and with whatever else is to be drained: nothing changed,
	 * nothing to drain. */
	__u64 changes;
	__u64 notes;
	struct tamis_loss lost; /* all cgroups together, the nameless ones too */
	__u64 denials_full;	/* refused calls that found tamis_denials full */
};

enum tamis_event_kind {
	TAMIS_EV_MKDIR = 1, /* a cgroup was made: text is its path below the root */
	TAMIS_EV_RMDIR,	    /* and removed */
	TAMIS_EV_START,	    /* an entrypoint's exec: text is the file name it was given */
	TAMIS_EV_CALL,	    /* first time of a call in a set: text is the executable's path,
			       last component first: "redis-server/bin/usr/" */
	TAMIS_EV_EXIT,	    /* the process of the last entrypoint ended, or any process (or thread
			       alone) of a cgroup that something is or was started in died by SIGSYS:
			       nr is its status as wait(2) has it; stage says which: TAMIS_WORKLOAD
			       is the entrypoint; call and abi: the call that SIGSYS was for */
	TAMIS_EV_DENIED, /* the first time that a call was refused in a cgroup (struct tamis_denied_key):
			    nr is the call, text the executable's path as in TAMIS_EV_CALL */
	TAMIS_EV_EXEC, /* an executable that this cgroup wasn't seen to run before */
	TAMIS_EV_MAX,
};

#define TAMIS_COMM	16
#define TAMIS_TEXT_CALL 192 /* room for the text of TAMIS_EV_CALL and TAMIS_EV_START, */
#define TAMIS_TEXT_PATH \
	960 /* and of the cgroup events: a longer path is cut, the reader asks the tree */

/* What the ring buffer carries: a doorbell, and who did it. Every field is bounded by the
 * reader (text_len by the record's own size); text is whatever a container chose. */
struct tamis_event {
	__u32 kind;
	__u32 abi;
	__u32 stage;
	__u32 nr;
	__u64 cgroup;
	__u32 pid; /* in the initial pid namespace: process */
	__u32 tid; /* and thread */
	char comm[TAMIS_COMM];
	__u32 text_len; /* bytes used, without a final NUL */
	__u32 at_ms;	/* of TAMIS_EV_EXIT: CLOCK_BOOTTIME, the low half of its ms */
	__u32 call;	/* of TAMIS_EV_EXIT: the number, as kept in sets, that a task which died by
			   SIGSYS was in; TAMIS_CALLS: not known, or no SIGSYS */
	__u32 pad;
	char text[];
};
