/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that were refused, and what was learned otherwise than by the sensor. Errors and transactions
 * as in policy/store.h. */
#pragma once

#include "policy/generations.h"

enum denial_kind {
	DENIAL_ERRNO,	 /* by a filter's errno, seen at sys_exit */
	DENIAL_SIGSYS,	 /* somebody died of it */
	DENIAL_ASKED,	 /* in probation, rule ask: pending until `tamis allow` */
	DENIAL_DENIED,	 /* in probation, rule deny or a person's denial */
	DENIAL_REJECTED, /* the oracle's verdict: the twin didn't survive it */
	DENIAL_MAX,
};
const char *
denial_kind_name(enum denial_kind k); /* "errno", "sigsys", "asked", "denied", "rejected" */

struct store_denial {
	int64_t workload;
	enum denial_kind kind;
	enum tamis_abi abi;
	uint32_t nr;	     /* TAMIS_CALLS: not known */
	uint32_t generation; /* in force then; 0: not known */
	uint32_t pid;
	const char *comm, *exe; /* hostile; NULL: not known */
	uint64_t count;
	int64_t first, last; /* seconds since the epoch */
	const char *key;     /* of the workload: store_denials alone fills it */
};

/* Merged into the row of (workload, kind, abi, nr): count adds up, first and last widen, process and
 * generation are the last one's. A workload has at most STORE_DENIALS_MAX rows; beyond that the one
 * that was last seen longest ago goes. *ret_new (may be NULL): there was no such row. */
#define STORE_DENIALS_MAX 4096
int store_denial_add(struct store *s, const struct store_denial *d, bool *ret_new);
/* Sorted by last, newest last; workload 0: of all. Strings belong to the array's own block. */
int store_denials(struct store *s, int64_t workload, struct store_denial **ret, size_t *ret_cnt);
void store_denials_free(struct store_denial *d, size_t cnt);
/* Fills count, first and last of the row of (workload, kind, abi, nr). -ENOENT. */
int store_denial_sum(struct store *s, struct store_denial *d);

/* How far the kernel's count of a refused call is in the rows above: it counts on while no daemon
 * runs. `first_ms` tells one count from the next of the same key. */
struct store_counted {
	uint64_t cgroup;
	enum tamis_abi abi;
	uint32_t nr;
	uint64_t first_ms, count;
};
/* Those of a boot. Caller frees. */
int store_counted(struct store *s, const char *boot, struct store_counted **ret, size_t *ret_cnt);
/* What other boots left goes. */
int store_counted_set(struct store *s, const char *boot, const struct store_counted *c);
int store_counted_remove(struct store *s, const char *boot, const struct store_counted *c);

/* What was asked and has no verdict: TAMIS_ABI_MAX sets. */
int store_asked(struct store *s, int64_t workload, struct sysset *ret);

/* Calls learned by `source` ("keeper", "oracle") and not by the sensor: workload stage, as of now.
 * They are kept as those of an instance of that name, which never runs, counts no start, no replica
 * and no container. `origin` may be NULL: who made it first. */
int store_learn(struct store *s, int64_t workload, const char *source, enum tamis_abi abi,
		const struct sysset *calls, const struct policy_origin *origin, int64_t now);
