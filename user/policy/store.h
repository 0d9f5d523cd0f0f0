/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learned, kept in SQLite (WAL) under the state directory as tamis.db. Daemon and
 * commands meet here: any command may write in one transaction, `tamis list` works with the
 * daemon stopped.
 *
 * Invariants:
 *  1. A drain is one transaction: it is in the store whole or not at all.
 *  2. Merging is idempotent: the same drain written twice changes nothing.
 *  3. Sets only grow, but for what a person forgets; a call's first never moves later, its last
 *     never earlier.
 *  4. PRAGMA user_version: an older store is migrated, a newer one refused (-EPROTO), untouched.
 *
 * All functions return negative errno: -ENOSPC (disk full), -EROFS/-EACCES (read-only),
 * -EBUSY (locked for over 30 s), -EUCLEAN (not a database, corrupt), -EPROTO (newer version),
 * -EIO, -EINVAL (written to outside of a transaction, or a value out of range).
 * store_error() has the sentence for the last failure; store_error(NULL) that of store_open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/generation.h"
#include "model/learned.h"
#include "model/policy.h"

struct store;

enum store_mode {
	STORE_READ,
	/* A command that changes what is there. One transaction, begun by store_open (store_begin
	 * does nothing then), taken back by store_close: what is looked up stays true until then. */
	STORE_EDIT,
	STORE_WRITE, /* the daemon: creates directory (0700) and file */
};

/* Opens the store in `dir`. STORE_READ and STORE_EDIT of a state that does not exist: -ENOENT. */
int store_open(const char *dir, enum store_mode mode, struct store **ret);
void store_close(struct store *s);
CLEANUP_DEFINE(struct store *, store_close);
const char *store_error(const struct store *s);

/* --- written by the daemon ------------------------------------------------------------- */

/* A transaction; drains, origins and units are written inside one. After a failure roll back:
 * a full disk may have ended the transaction already. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/* Who may write: commands change the store while the daemon runs. True when somebody else has
 * committed since this was last asked (PRAGMA data_version): row ids that are kept must be asked
 * for again. */
bool store_changed(struct store *s);
/* The daemon itself took rows away: store_changed is true the next time. */
void store_touched(struct store *s);

/* What identifies a workload and what it showed last. Strings are copied; NULL = unknown. */
struct store_workload {
	const char *key; /* stable identity, unique, never NULL: "podman/redis", ... */
	const char
		*owner; /* who could make up any number of such keys; NULL counts as the engine */
	const char *engine; /* "podman", "docker", ..., "systemd", "cgroup", "record" */
	const char *name;
	const char *image;
	const char *image_digest;
	const char *namespace; /* of Kubernetes */
	const char *why_not;   /* it can't be enforced, and why; NULL: it can */
	bool opted_out;	       /* a label of its container says so (identity) */
};

/* An owner has at most so many workloads: a new one more takes the place of the one that was
 * seen longest ago (made a call, true to the unit) among those that are gone and have nothing
 * applied. While all of them run or have, there are more. */
#define STORE_OWNER_MAX 1000

/* Finds or makes the workload of that key, refreshing its other fields: NULL leaves what is known,
 * but for why_not. A key that was merged into another workload is that one, whose key, name,
 * engine and owner stay; so does a name that store_rename gave. An image digest that it hadn't
 * before is one more of store_images (policy/generations.h). */
int store_workload(struct store *s, const struct store_workload *w, int64_t now, int64_t *ret_id);

/* One life of a workload: a container, i.e. one cgroup id in one boot. `instance` is unique:
 * "BOOT_ID/CGROUP_ID". One that comes back with another workload (its engine wrote the name
 * late) takes its calls along; a workload that loses its only instance so is dropped. */
struct store_instance {
	const char *instance;
	int64_t workload;
	const char *container; /* engine's id or NULL */
	const char *pod;       /* its name, or NULL */
	const char *path;      /* cgroup path */
	bool running;
	uint64_t starts;	/* of this instance, as a total: the larger one is kept */
	struct evidence lost;	/* lost_* and leaves of this instance, totals likewise; other fields
				 unused */
	const char *leave_comm; /* the last process that left, and where to; NULL: none did */
	const char *leave_path;
};
int store_instance(struct store *s, const struct store_instance *i, int64_t now, int64_t *ret_id);
/* Whose an instance of that name is. -ENOENT. */
int store_instance_workload(struct store *s, const char *instance, int64_t *ret);
/* Marks all instances that are running but not in `keep` (cnt ids) as gone. */
int store_instances_gone(struct store *s, const int64_t *keep, size_t cnt, int64_t now);

/* Counts an interval in which nobody observed an instance that the store knows; 0 also when it
 * knows none of that name. */
int store_instance_gap(struct store *s, const char *instance);

/* An instance that runs. */
struct store_running {
	int64_t workload;
	char *key;		/* of the workload */
	char *engine;		/* or NULL, as the next */
	char *container, *path; /* as store_instance has them */
};
/* All, in the order in which they were seen first. */
int store_running(struct store *s, struct store_running **ret, size_t *ret_cnt);
void store_running_free(struct store_running *i, size_t cnt);

/* Sampling units. *ret_id is the row id: never reused, grows. */
int store_unit_begin(struct store *s, int64_t now, const char *label, int64_t *ret_id);

/* Calls of an instance in a unit, seen by the drain at `now`. Merged into the observation of
 * (instance, stage, abi, unit) and into each call's first/last (never later than needed: last is
 * the unit's own time, so it is true to the unit). */
int store_calls(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		enum tamis_abi abi, const struct sysset *calls, int64_t now);
/* The same for calls of which nobody knows in which unit they were made (the kernel's maps were
 * there before this store, or before this daemon): forgotten ones stay forgotten. */
int store_calls_before(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		       enum tamis_abi abi, const struct sysset *calls, int64_t now);

/* A container that an engine inside of a container made, or that engine's guess of a name, for
 * display: "docker/0123456789ab". Its calls are its outermost container's. At most
 * STORE_INNER_MAX labels of a workload are kept, those seen last (true to the minute). */
#define STORE_INNER_MAX 64
int store_inner(struct store *s, int64_t workload, const char *label, int64_t now);

/* Who made a call first. Only the first origin of (workload, stage, abi, nr) is kept. */
int store_origin(struct store *s, int64_t instance, const struct policy_origin *o);

/* Key/value state of the daemon itself (boot id, last clean stop, kernel unit <-> row). */
int store_meta_set(struct store *s, const char *key, const char *value);
/* *ret NULL when there is none; caller frees. */
int store_meta_get(struct store *s, const char *key, char **ret);

/* --- changed by commands --------------------------------------------------------------- */

/*
 * Forgetting is for good although the kernel's maps and the daemon still know: what was called in
 * the sampling unit under way, or before, is not learned again; what is called in a later one is.
 *
 * An instance that runs while its workload is forgotten counts as new, but not as observed whole:
 * none of its starts count, what it had lost or left before counts no more, and it is a gap of the
 * workload until a later instance has a start. Gone without a call since, it goes when the next
 * unit begins, and its workload too if that was all of it.
 */

/* Forgets one call of all stages; -ENOENT when it was never seen. */
int store_forget_call(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr);
/* Forgets a workload, its alias names, generations and verdicts too. While it has a running
 * instance it stays in the list without calls and with a gap counted (partial until its next
 * start); *ret_running says so. -EBUSY when a generation is applied: it has to be released, starts
 * find its file; and while it has an oracle. */
int store_forget(struct store *s, int64_t workload, bool *ret_running);

/* Makes one workload of several: instances, calls, images, evidence and verdicts (where `into` has
 * none of its own, nor one that came before) of `from` go to `into`, and their keys become aliases
 * of it. Their generations go, and what was applied to them is applied no more: whoever calls it
 * has them released before, and puts in place anew what is applied to `into`, which the new aliases
 * mean too (apply/ways.h). Units are counted once; where they were folded to days, which ones were
 * shared is not known, and as many count as the one that had more of them. Denials add up; an
 * oracle of `from` goes (-EBUSY while it is at work, for production stands still), what it said stays
 * where `into` has no word of one. -EINVAL when `from` names `into`, -ENOENT when one isn't there. */
int store_merge(struct store *s, int64_t into, const int64_t *from, size_t cnt);
/* Gives it a key and a name (NULL: as it is) for people that a person chose; its old key becomes
 * an alias, which engines go on to say. What is applied stays so, but its files are named by keys:
 * as for store_merge. -ENAMETOOLONG when the key is empty or over 4096 bytes, -EEXIST when another
 * workload, or an alias of one, has the key. */
int store_rename(struct store *s, int64_t workload, const char *key, const char *name);

struct store_prune {
	int64_t gone_before; /* workloads that are gone and last made a call, or went, before it;
				0: none */
	int64_t fold_before; /* sampling units before it are made one a day (UTC); 0: none. Last
				seen is then true to that day, nothing else changes. Units of a
				label apart; never the newest two, which the daemon may write */
};
struct store_pruned {
	uint64_t workloads;
	uint64_t units; /* fewer than before */
};
/* Workloads that have a generation applied, or an oracle, stay, however long they are gone.
 * `fn` hears the key of each workload that goes; may be NULL. For a dry run roll back. A store
 * opened with STORE_WRITE folds some 200,000 sets a call, so that a daemon is not held up: as long
 * as units went, there may be more for the next call. */
int store_prune(struct store *s, const struct store_prune *what,
		void (*fn)(void *ctx, const char *key), void *ctx, struct store_pruned *ret);

/* --- read by commands ------------------------------------------------------------------ */

struct store_row {
	int64_t id;
	char *key, *owner, *engine, *name, *image, *image_digest, *namespace, *why_not;
	char *pod, *container; /* of the instance seen last */
	char *leave_comm, *leave_path;
	bool running;
	bool opted_out;
	enum policy_mode mode; /* what is applied: policy/generations.h has the rest */
	uint32_t generation;   /* 0: none */
	enum generation_state generation_state;
	struct evidence evidence;
	uint64_t calls; /* workload + session stages, all ABIs */
	uint64_t
		replicas; /* instances seen; the cgroups of a container that restarts are several */
	uint64_t containers; /* those, each once: what a policy_origin's replicas are part of */
};
void store_row_done(struct store_row *r);

/* All workloads, sorted by key. Caller frees each with store_row_done, then the array. */
int store_list(struct store *s, struct store_row **ret, size_t *ret_cnt);
/* Likewise those alone that a generation is applied to in this mode. */
int store_list_applied(struct store *s, enum policy_mode mode, struct store_row **ret,
		       size_t *ret_cnt);

/* The one workload that `name` means: its whole key or alias, else its whole name, else any part
 * of its key or name that only one has. -ENOENT; -ENOTUNIQ with up to 8 candidates' keys in
 * *ret_candidates (one string, ", " between; caller frees; may be NULL). */
int store_find(struct store *s, const char *name, struct store_row *ret, char **ret_candidates);

int store_learned(struct store *s, int64_t workload, struct learned *ret);
/* Sorted by (abi, nr, stage). Strings belong to the array's own block: free with
 * store_origins_free. */
int store_origins(struct store *s, int64_t workload, struct policy_origin **ret, size_t *ret_cnt);
void store_origins_free(struct policy_origin *o, size_t cnt);

/* Labels of store_inner, sorted. Caller frees each and the array. */
int store_inner_list(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt);
/* Keys that mean this workload too, sorted. Caller frees each and the array. */
int store_aliases(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt);
