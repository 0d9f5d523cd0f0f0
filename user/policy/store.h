/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learned, kept in SQLite (WAL) under the state directory as tamis.db. Daemon and
 * commands meet here: any command may write in one transaction, `tamis list` works with the
 * daemon stopped.
 *
 * Invariants:
 *  1. A drain is one transaction: it is in the store whole or not at all.
 *  2. Merging is idempotent: the same drain written twice changes nothing.
 *  3. Sets only grow; a call's first never moves later, its last never earlier.
 *  4. PRAGMA user_version: an older store is migrated, a newer one refused (-EPROTO), untouched.
 *
 * All functions return negative errno: -ENOSPC (disk full), -EROFS/-EACCES (read-only),
 * -EBUSY (locked for over 5 s), -EUCLEAN (not a database, corrupt), -EPROTO (newer version),
 * -EIO, -EINVAL (written to outside of a transaction, or a value out of range).
 * store_error() has the sentence for the last failure; store_error(NULL) that of store_open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/learned.h"
#include "model/policy.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens (STORE_WRITE: creates directory 0700 and file) the store in `dir`. STORE_READ of a
 * state that does not exist is -ENOENT. */
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

/* What identifies a workload and what it showed last. Strings are copied; NULL = unknown. */
struct store_workload {
	const char *key;    /* stable identity, unique, never NULL: "podman/redis", ... */
	const char *engine; /* "podman", "docker", ..., "systemd", "cgroup", "record" */
	const char *name;
	const char *image;
	const char *image_digest;
};

/* Finds or makes the workload of that key, refreshing its other fields. */
int store_workload(struct store *s, const struct store_workload *w, int64_t now, int64_t *ret_id);

/* One life of a workload: a container, i.e. one cgroup id in one boot. `instance` is unique:
 * "BOOT_ID/CGROUP_ID". One that comes back with another workload (its engine wrote the name
 * late) takes its calls along; a workload that loses its only instance so is dropped. */
struct store_instance {
	const char *instance;
	int64_t workload;
	const char *container; /* engine's id or NULL */
	const char *path;      /* cgroup path */
	bool running;
	uint64_t starts;      /* of this instance, as a total: the larger one is kept */
	struct evidence lost; /* lost_* of this instance, totals likewise; other fields unused */
};
int store_instance(struct store *s, const struct store_instance *i, int64_t now, int64_t *ret_id);
/* Marks all instances that are running but not in `keep` (cnt ids) as gone. */
int store_instances_gone(struct store *s, const int64_t *keep, size_t cnt, int64_t now);

/* Counts an interval in which nobody observed an instance that the store knows; 0 also when it
 * knows none of that name. */
int store_instance_gap(struct store *s, const char *instance);

/* Sampling units. *ret_id is the row id: never reused, grows. */
int store_unit_begin(struct store *s, int64_t now, const char *label, int64_t *ret_id);

/* Calls of an instance in a unit, seen by the drain at `now`. Merged into the observation of
 * (instance, stage, abi, unit) and into each call's first/last (never later than needed: last is
 * the unit's own time, so it is true to the unit). */
int store_calls(struct store *s, int64_t instance, int64_t unit, enum tamis_stage stage,
		enum tamis_abi abi, const struct sysset *calls, int64_t now);

/* Who made a call first. Only the first origin of (workload, stage, abi, nr) is kept. */
int store_origin(struct store *s, int64_t instance, const struct policy_origin *o);

/* Key/value state of the daemon itself (boot id, last clean stop, kernel unit <-> row). */
int store_meta_set(struct store *s, const char *key, const char *value);
/* *ret NULL when there is none; caller frees. */
int store_meta_get(struct store *s, const char *key, char **ret);

/* --- read by commands ------------------------------------------------------------------ */

struct store_row {
	int64_t id;
	char *key, *engine, *name, *image, *image_digest;
	bool running;
	struct evidence evidence;
	uint64_t calls;	   /* workload + session stages, all ABIs */
	uint64_t replicas; /* instances seen */
};
void store_row_done(struct store_row *r);

/* All workloads, sorted by key. Caller frees each with store_row_done, then the array. */
int store_list(struct store *s, struct store_row **ret, size_t *ret_cnt);

/* The one workload that `name` means: its whole key, else its whole name, else any part of its
 * key or name that only one has. -ENOENT; -ENOTUNIQ with up to 8 candidates' keys in
 * *ret_candidates (one string, ", " between; caller frees; may be NULL). */
int store_find(struct store *s, const char *name, struct store_row *ret, char **ret_candidates);

int store_learned(struct store *s, int64_t workload, struct learned *ret);
/* Sorted by (abi, nr, stage). Strings belong to the array's own block: free with
 * store_origins_free. */
int store_origins(struct store *s, int64_t workload, struct policy_origin **ret, size_t *ret_cnt);
void store_origins_free(struct policy_origin *o, size_t cnt);
