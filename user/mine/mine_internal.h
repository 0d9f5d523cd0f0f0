/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by mine.c (a run from its beginning to its end) and its phases: mine_observe.c, mine_enforce.c,
 * mine_minimise.c; and mine_refusals.c. */
#pragma once

#include "learn/observer.h"
#include "mine/mine.h"
#include "sensor/sensor.h"

/* How far a refused call's count in the kernel was looked at. */
struct refused_count {
	struct tamis_denied_key key;
	uint64_t count;
};

struct mine {
	const struct mine_options *o;
	struct mine_result *ret;
	struct sensor *sensor;
	struct observer *observer;
	struct identity_options identity;
	enum mine_phase phase;
	int64_t phase_began;
	/* of the unit that begins, and is then: */
	const char *label;
	int64_t unit;
	char *key; /* of the workload, once its entrypoint's exec was seen */
	unsigned last_calls;
	struct generation generation; /* what is enforced */
	struct sysset always[TAMIS_ABI_MAX], gates[TAMIS_ABI_MAX];
	struct sysset before[TAMIS_ABI_MAX]; /* refused without us, by the engine's own profile */
	struct refused_count *count;
	size_t count_cnt;
	size_t test;	/* that runs; SIZE_MAX: none */
	int failed;	/* of a callback, which can't say so */
	bool unhurried; /* no time limit: what was found is run again */
};

/* --- mine.c ------------------------------------------------------------------------------ */

/* Ends the unit under way and begins one; it is the run's own in the observing phase alone. */
int mine_unit(struct mine *m, const char *label);
/* All that was seen, and refused, is in the store and in the result. */
int mine_drain(struct mine *m);
/* 1: the phase's time is over. */
bool mine_is_late(const struct mine *m);
void mine_phase(struct mine *m, enum mine_phase p);
/* Some test passed without us, and all that did passed under the policy, which refused nothing. */
bool mine_is_good(const struct mine_result *r);
/* The workload's row; -ENOENT until its entrypoint's exec was seen. */
int mine_find_row(struct mine *m);
int mine_refresh_row(struct mine *m);
/* What the tests say of how complete it is, where no daemon can say. In a transaction. */
int mine_keep_coverage(struct mine *m);

/* One test. Its outcome says so when the service ended during it. */
int mine_test(struct mine *m, size_t i, struct mine_outcome *ret);

/* --- mine_tell.c ------------------------------------------------------------------------- */

/* So many calls of the workload are in the store. */
unsigned mine_calls(struct mine *m);
/* After a test, or before one: `name` NULL between two. */
void mine_tell(struct mine *m, size_t done, const char *name);

/* --- mine_start.c ------------------------------------------------------------------------ */

/* Starts the target and waits until it is ready. */
int mine_start(struct mine *m, const char *profile, char **ret_why);
/* The same where it ended meanwhile; 0 also when it runs. */
int mine_revive(struct mine *m, char **ret_why);

/* --- phases ------------------------------------------------------------------------------ */

int mine_observe(struct mine *m);
int mine_enforce(struct mine *m);
/* Stores each decision, fills ret->call, and makes the smaller generation (run.minimised). */
int mine_minimise(struct mine *m);

/* Starts the target under what was learned with the `refused` calls answered otherwise (TAMIS_ABI_MAX sets
 * each), runs every test that passed without us, stops. 1: all pass. 0: *ret_why names the first that
 * doesn't, or what kept it from starting (caller frees). -EINTR; -ETIME: the phase's time is over; other
 * errors with a sentence. What is refused then is no refusal of the result's. */
int mine_trial(struct mine *m, const struct sysset *enosys, const struct sysset *eperm,
	       char **ret_why);

/* --- mine_refusals.c --------------------------------------------------------------------- */

/* What was refused since it was looked at last belongs to the test that runs. */
int refusals_look(struct mine *m);
/* A death by SIGSYS. */
int refusals_death(struct mine *m, enum tamis_abi abi, uint32_t nr, const char *comm);
