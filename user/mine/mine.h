/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mining run: start, wait until ready, run the tests one by one, stop; then the same under the policy
 * that came out; then, where asked, without each call that may not be needed. All it learns is in the
 * store as it learns it. Its own sensor, with no pins: a daemon beside it is not disturbed and not needed.
 */
#pragma once

#include "mine/explore.h"
#include "mine/minimise.h"
#include "mine/ready.h"
#include "mine/target.h"
#include "mine/test.h"
#include "model/filter.h"
#include "policy/mines.h"

enum mine_phase { MINE_START, MINE_OBSERVE, MINE_ENFORCE, MINE_MINIMISE, MINE_END };
const char *
mine_phase_name(enum mine_phase p); /* "start", "observe", "enforce", "minimise", "end" */

/* For a progress line. */
struct mine_progress {
	enum mine_phase phase;
	size_t test, tests;    /* done, of */
	const char *name;      /* of the one that runs; NULL: between two */
	unsigned calls, grown; /* learned; by the last test */
	struct unseen unseen;
	int64_t took_ms;
};

/* A call that a test was refused under the policy. */
struct mine_refusal {
	size_t test; /* index; SIZE_MAX: while it started or stopped */
	enum tamis_abi abi;
	uint32_t nr;
	uint64_t count;
	char comm[16 + 1]; /* hostile */
};

/* What a run is known by in the store (struct store_mine). */
struct mine_run_names {
	const char *target, *tests;
};

struct mine_options {
	struct mine_run_names names;
	struct target *target;
	struct store *store;
	const char *mount; /* of cgroup2 */
	/* Where it is empty it is filled with those `explorations` (NULL: none) that are for the service,
	 * once it runs. */
	struct mine_tests *tests;
	const struct explorations *explorations;
	struct ready_options ready;
	int64_t test_limit_ms,
		limit_ms; /* of one test; of each phase: tests that don't fit are said */
	int stop_fd;
	/* The profile for what was learned, refusing `enosys` and `eperm` besides (TAMIS_ABI_MAX sets each):
	 * the text of a file that target_start takes. Caller frees. */
	int (*compose)(void *arg, const struct store_row *row, const struct sysset *enosys,
		       const struct sysset *eperm, char **ret);
	/* Everything is learned and the generation is about to be made, in its transaction: the time for
	 * a person's word. May be NULL. */
	int (*learned)(void *arg, struct store *s, const struct store_row *row);
	void (*progress)(void *arg, const struct mine_progress *p);
	bool minimise;
	int64_t minimise_limit_ms;
	unsigned confirm;
	void *arg;
};

struct mine_result {
	struct store_mine run;
	struct store_row row;
	struct matrix matrix;			  /* observed */
	struct mine_outcome *observed, *enforced; /* one for each test; NULL: phase not reached */
	size_t tests;
	struct mine_refusal *refusal;
	size_t refusal_cnt;
	struct minimise_call *call; /* NULL: not minimised */
	size_t call_cnt;
	int64_t took_ms[MINE_END];
	bool partial;  /* sensor losses, or no entrypoint's exec seen */
	char *runtime; /* of the engine; NULL: not known */
	char *why;     /* it ended early; NULL: it didn't */
};
void mine_result_done(struct mine_result *r);

/* What an estimate is made of: of a run's matrix its tests; what was called at the start and the stop counts
 * as seen, in each of them. -ENOMEM. */
int mine_estimate(const struct matrix *all, struct incidence *ret);

/* 0: it ran to its end, whatever the tests said. -EINTR: stopped; *ret has what there is. */
int mine_run(const struct mine_options *o, struct mine_result *ret);
