/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel half from outside: load, pin, drain. The only user of libbpf.
 *
 * Invariants:
 *  1. With pins, maps and links outlive the daemon: what is called while it is down is in the
 *     maps when it comes back. New programs are attached before the old links go.
 *  2. Draining never deletes: a set is read and merged by OR. It goes with sensor_forget, after
 *     its cgroup was removed and its last read is in the store.
 *  3. Bits of unit N may be overwritten once unit N+2 begins: begin it only after a drain that
 *     came after the end of N, and is in the store.
 *  4. Pinned objects may be another version's or anybody's: they live under vVERSION, and magic,
 *     version and sizes are checked before one is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "bpf/abi.h"

struct sensor;

struct sensor_options {
	const char *pins; /* a directory on a bpffs, made if missing; NULL: nothing outlives us */
	uint32_t sets;	  /* room in tamis_sets, 1..16777216; 0 = 32768, or 8192 of the larger ones
			     of the legacy door. Pinned maps keep theirs */
	uint32_t
		cache_slots; /* a power of two, 1..8192; 0 = 8192. 1 makes all tasks collide (tests) */
	bool portable;	     /* don't try the fast front door */
	bool legacy;	     /* nor what takes atomic operations that return a value */
};

/* Loads and attaches: from its return on every call is recorded. *ret_why gets a sentence on
 * failure (caller frees; may stay NULL). -EPERM not root, -ENOENT or -ESRCH no BTF, -EMEDIUMTYPE
 * pins not on a bpffs, -EUCLEAN pinned objects that aren't ours. */
int sensor_open(const struct sensor_options *o, struct sensor **ret, char **ret_why);
/* Pinned maps and links stay. */
void sensor_close(struct sensor *s);
CLEANUP_DEFINE(struct sensor *, sensor_close);

/* Removes everything pinned below `pins`, of any version. 0 also when there is nothing. */
int sensor_unpin(const char *pins);

/* True when sensor_open found pinned maps of an earlier daemon: nothing was lost between. */
bool sensor_was_pinned(const struct sensor *s);
/* "steady" (where tasks are preempted inside of raw_tp programs: bpf/steady.bpf.h), "fast"
 * (bpf_rdonly_cast), "portable" (bpf_get_current_task), or "legacy" (the same for kernels
 * before 5.12: sets are kept otherwise, and pinned elsewhere). */
const char *sensor_door(const struct sensor *s);

/* Readable when events wait; for an event loop. */
int sensor_fd(const struct sensor *s);
/* Takes all waiting events. `text` is text_len bytes, NUL-terminated; the event's own isn't there. */
typedef void (*sensor_event_fn)(const struct tamis_event *e, const char *text, void *arg);
int sensor_events(struct sensor *s, sensor_event_fn fn, void *arg);

/* --- what costs, and when it is worth it ------------------------------------------------ */

/* The program on sys_enter, the one that costs on every call, is taken from the kernel, or put back;
 * all others stay. While it rests, state.resting is set, and an entrypoint's exec counts as a loss
 * (`rest`) of its cgroup: it was there before the program was back. Any thread may call it. 0 also
 * when it is so already. */
int sensor_rest(struct sensor *s, enum tamis_rest kind);
bool sensor_rests(const struct sensor *s);
/* True when sensor_open found that an earlier daemon's program napped (TAMIS_NAPS) until now: what was
 * called meanwhile is in no map, and nobody ended the nap. */
bool sensor_was_napping(const struct sensor *s);
/* Whether the first exec of each executable in each cgroup is told (TAMIS_EV_EXEC), from now on; off
 * at first. */
void sensor_tell_execs(struct sensor *s, bool tell);

/* Attaches or detaches the program on sys_exit that counts refused calls (struct tamis_denied).
 * -EOPNOTSUPP where the kernel takes it not. Not kept by pins: who comes next asks again. */
int sensor_watch_denials(struct sensor *s, bool watch);

/* Each a walk over one map, skipped (0) when nothing changed since the last walk that ended
 * well; `force` walks anyway. fn's first non-zero value ends it and is returned. */
struct sensor_walk {
	int (*set)(const struct tamis_key *key, const struct tamis_set *set, void *arg);
	int (*cgroup)(uint64_t id, const struct tamis_cgroup *c, void *arg);
	int (*loss)(uint64_t id, const struct tamis_loss *loss, void *arg);
	int (*leave)(uint64_t id, const struct tamis_leave *leave, void *arg);
	int (*path)(uint64_t id, void *arg); /* sensor_paths alone asks for it */
	/* sensor_denials alone asks for it */
	int (*denied)(const struct tamis_denied_key *key, const struct tamis_denied *d, void *arg);
	void *arg;
};
/* Whether a walk would find anything. */
bool sensor_has_news(const struct sensor *s);
int sensor_drain(struct sensor *s, const struct sensor_walk *w, bool force);

/* The current unit, and its end: see invariant 3. */
uint32_t sensor_unit(const struct sensor *s);
void sensor_unit_next(struct sensor *s);

/* All losses since the maps were made. */
struct tamis_loss sensor_lost(const struct sensor *s);
/* How often the kernel left a program of this sensor out, which nobody's loss can tell: a task was
 * preempted inside it, and another came to it on the same processor (Linux 7 with lazy or full
 * preemption; before, tracepoints' programs are not preempted). */
uint64_t sensor_missed(const struct sensor *s);

/* Tells the stage rules about a container that was there before us. Never replaces what the
 * programs saw themselves. */
int sensor_seed(struct sensor *s, uint64_t cgroup, const struct tamis_cgroup *c);
/* Tells that a process is on its way into a container that was not there before: what it calls from
 * now on is setup. What was recorded of its cgroup until now isn't taken back (sensor_forget). */
int sensor_mark(struct sensor *s, pid_t pid, const struct tamis_task *task);
/* Where a cgroup is or was, as the kernel said when it was made. -ENOENT when it was there before
 * us, or its path is longer than is kept. Caller frees. */
int sensor_path(struct sensor *s, uint64_t cgroup, char **ret);
/* Every cgroup whose path is kept: those among them of which the ring had no room to tell. */
int sensor_paths(struct sensor *s, const struct sensor_walk *w);
/* Every refused call that is kept, by cgroup. */
int sensor_denials(struct sensor *s, const struct sensor_walk *w);
/* Refused calls that found no room to be kept. */
uint64_t sensor_denials_lost(const struct sensor *s);
/* It was none: a call that passes. Counted again from 1 when it comes again. */
void sensor_denial_drop(struct sensor *s, const struct tamis_denied_key *key);

/* For a cgroup that is nobody's: its path won't be asked for. */
void sensor_path_drop(struct sensor *s, uint64_t cgroup);
/* Deletes all that is kept of a cgroup. */
void sensor_forget(struct sensor *s, uint64_t cgroup);
