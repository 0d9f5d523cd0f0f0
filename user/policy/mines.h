/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the store that is about mining and completeness: runs, their tests as sampling units, what
 * minimising decided, and each workload's coverage. Errors and transactions as in policy/store.h.
 */
#pragma once

#include "model/matrix.h"
#include "model/naps.h"
#include "model/unseen.h"
#include "policy/store.h"

enum store_mine_state {
	STORE_MINE_OBSERVING,
	STORE_MINE_ENFORCING,
	STORE_MINE_MINIMISING,
	STORE_MINE_DONE,
	STORE_MINE_STOPPED, /* by ^C, by an error: `why` */
	STORE_MINE_STATE_MAX,
};

struct store_mine {
	int64_t id, workload; /* workload 0: not known yet */
	int64_t began, ended; /* 0: it goes on, or was cut off */
	enum store_mine_state state;
	uint32_t generation, minimised; /* generations it made; 0: none */
	char *target;			/* as the user named it */
	char *tests; /* a digest of the tests' names and contents: the same tests go on, others don't */
	char *why; /* NULL: nothing went wrong */
};
void store_mine_done(struct store_mine *m);

/* Row ids grow, never reused. Fields given are id 0, began, target, tests. */
int store_mine_add(struct store *s, const struct store_mine *m, int64_t *ret_id);
/* All but id, began, target and tests. Instances of the workload that came since it began, and once it
 * has ended those of them that are gone, are its own: what they do is none of production's
 * (store_made_after_all). -ENOENT, as for units: it was forgotten with its workload. */
int store_mine_set(struct store *s, const struct store_mine *m);
/* The newest of a workload; -ENOENT. */
int store_mine_last(struct store *s, int64_t workload, struct store_mine *ret);

/* The newest of a workload that has minimised something by the same tests; -ENOENT. */
int store_mine_minimised(struct store *s, int64_t workload, const char *tests,
			 struct store_mine *ret);

/* A sampling unit of a run: as store_unit_begin, and what came of it. */
int store_mine_unit(struct store *s, int64_t mine, int64_t now, const char *label,
		    int64_t *ret_unit);
int store_mine_outcome(struct store *s, int64_t unit, enum matrix_outcome o);

/*
 * Which unit made which calls (workload and session stages, less what was forgotten): all units of a
 * run, or with `mine` 0 those that were not a run's and have a call of the workload (in others it may
 * not have run at all). At most STORE_MATRIX_MAX of them, the newest. Units that were folded are one;
 * those of a run never are while it is a workload's newest, or its newest that is done. Older runs go
 * when store_prune folds, and their units are nobody's.
 */
#define STORE_MATRIX_MAX 4096
int store_matrix(struct store *s, int64_t workload, int64_t mine, struct matrix *ret);

/* What minimising decided so far; `state` as enum minimise_state of mine/minimise.h has it, kept as a
 * number below STORE_MINIMISED_STATE_MAX; `errno_ret` is 0, ENOSYS or EPERM. */
#define STORE_MINIMISED_STATE_MAX 4
struct store_minimised {
	enum tamis_abi abi;
	uint32_t nr, state, errno_ret;
	char *why;
};
int store_minimised_set(struct store *s, int64_t mine, const struct store_minimised *m);
/* Caller frees with store_minimised_free. */
int store_minimised(struct store *s, int64_t mine, struct store_minimised **ret, size_t *ret_cnt);
void store_minimised_free(struct store_minimised *m, size_t cnt);

/* The estimate of a workload as it was computed last (learn/coverage.h), for lists. */
struct store_coverage {
	int64_t at;
	uint32_t units;
	bool is_known;
	double coverage, low, high; /* 0..1 */
	double next_hour;	    /* new calls expected in it; < 0: not known */
};
int store_coverage_set(struct store *s, int64_t workload, const struct store_coverage *c);
/* -ENOENT: never computed. */
int store_coverage_get(struct store *s, int64_t workload, struct store_coverage *ret);

/* A nap of the host: what was called from `began` to `ended` may be known to nobody, `slept_ms` of it.
 * Those of an hour are one; older than STORE_NAP_FOLD_S before `ended`, those of a day (UTC). In a
 * transaction. */
#define STORE_NAP_FOLD_S (8 * 86400)
int store_nap_add(struct store *s, const struct nap *nap);
/* All of them; naps_done. */
int store_naps(struct store *s, struct naps *ret);
/* When instances of a workload ran, by their beginning; those that run do so until `now`. Caller frees. */
struct store_life {
	int64_t began, ended;
};
int store_lives(struct store *s, int64_t workload, int64_t now, struct store_life **ret,
		size_t *ret_cnt);
