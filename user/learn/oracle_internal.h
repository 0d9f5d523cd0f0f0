/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's machine: one for each row. */
#pragma once

#include "learn/oracle.h"
#include "learn/oracle_child.h"

/* An action of an engine's that goes on. */
struct oracle_job {
	bool on;
	struct oracle_run run;
};

/* Ends of production that nobody asked for, since the last loop began. */
struct oracle_death {
	unsigned cnt; /* in a row */
	unsigned
		grace; /* drains left until there is no denial of it; 1: that is now; 0: none is new */
	bool is_down;	    /* it wasn't started again */
	enum trial_end end; /* of the last one */
	int code;
};

struct oracle_machine {
	struct store_oracle row; /* how it is; the store follows */
	char *key;		 /* of the workload */
	const struct oracle_engine *engine;
	struct oracle_job job;	     /* the state's action; in WINDOW: until the twin ends */
	struct oracle_child *replay; /* in WINDOW */
	int64_t not_before;	     /* an action that failed isn't tried again at once */
	bool resumed;		     /* the state's action is to be begun anew */
	bool unsaved;		     /* the store doesn't have it */
	bool gone;		     /* the row is no more: it ends when production is back */
	bool drained;		     /* since the state was entered everything was drained */
	bool asked;		     /* there may be a denial without a verdict */
	struct oracle_death death;
	int64_t runs_ms; /* CLOCK_BOOTTIME: since then production was started, or is known of */
	bool remembered; /* the twin may be in the list of workloads */
};

struct oracles {
	struct oracle_options o;
	char *dir; /* STATE/oracle */
	struct oracle_machine *machine;
	size_t cnt;
};

__attribute__((format(printf, 4, 5))) void oracle_say(const struct oracles *all, bool bad,
						      const struct oracle_machine *m,
						      const char *fmt, ...);

/* --- learn/oracle_rows.c --------------------------------------------------------------------- */

/* What commands made, changed and took away since. */
int oracle_load(struct oracles *all);
/* In a transaction of its own; with a loop's begin (seconds) if it isn't 0. */
int oracle_save(struct oracles *all, struct oracle_machine *m, int64_t loop_began);
/* In a transaction: into its row, as long as that is the same oracle's. */
int oracle_write(struct store *s, struct store_oracle *o);
/* The last one takes its place. */
int oracle_drop(struct oracles *all, size_t i);
void oracle_machine_stop(struct oracle_machine *m);
void oracle_machine_done(struct oracle_machine *m);

/* --- learn/oracle_job.c ---------------------------------------------------------------------- */

/* Begins it, or looks after it: 1 it goes on, 0 done, negative errno. Over in either case but 1. */
int oracle_job_go(struct oracle_job *j, const struct oracle_machine *m, const char *dir,
		  enum oracle_action action);
void oracle_job_end(struct oracle_job *j);
/* 1: it goes on; 0: it has ended. Begun by the first call of a window. */
int oracle_replay_go(struct oracle_machine *m);

/* --- learn/oracle_trace.c -------------------------------------------------------------------- */

/* The test's hook: a state was entered, and whether it is held there. */
void oracle_trace(const struct oracles *all, const struct oracle_machine *m);
bool oracle_is_held(const struct oracles *all, const struct oracle_machine *m);

/* --- learn/oracle_denials.c ------------------------------------------------------------------ */

/* What a workload's calls are to be judged by. TAMIS_ABI_MAX sets each. */
struct oracle_calls {
	struct store_applied is;
	struct generation now;		       /* that production is under; number 0: none */
	struct verdicts said;		       /* of a person, or by an earlier rejection */
	struct sysset rejected[TAMIS_ABI_MAX]; /* by the oracle */
	struct sysset in_force[TAMIS_ABI_MAX]; /* what the generation has */
	struct sysset guard[TAMIS_ABI_MAX], sanitizer[TAMIS_ABI_MAX];
	struct sysset passes[TAMIS_ABI_MAX]; /* policies/always, and any runtime's gate */
};
int oracle_calls_load(struct store *s, int64_t workload, struct oracle_calls *ret);
static inline void oracle_calls_donep(struct oracle_calls *c)
{
	generation_done(&c->now);
}
#define _calls_ __attribute__((cleanup(oracle_calls_donep)))

/* Calls refused to production since then (seconds); adds to `ret`. */
int oracle_asked(struct store *s, int64_t workload, int64_t since, struct sysset *ret);
/* In WATCH and REST: guarded calls are rejected at once. 1: another call is without a verdict: the
 * row's abi and nr now, refused at *ret_at (seconds). */
int oracle_find_denied(const struct oracles *all, struct oracle_machine *m, int64_t now_ms,
		       int64_t *ret_at);
/* In a transaction: "rejected" to each, with a denial; counted in `o`. */
int oracle_reject(struct store *s, struct store_oracle *o, const struct oracle_calls *c,
		  const struct sysset *calls, const char *report, int64_t now);
/* execve of production that passed because a runtime's gate has it, was made for the first time since
 * then, and by no twin: it shares the verdict. Adds to `ret`. */
int oracle_shared(struct store *s, int64_t workload, const struct oracle_calls *c, int64_t since,
		  struct sysset *ret);
/* "openat, i386:open and 7 more". NULL when out of memory. Caller frees. */
char *oracle_list(const struct sysset *calls);
unsigned oracle_count(const struct sysset *calls);

/* --- learn/oracle_death.c -------------------------------------------------------------------- */

/* A signal of those that stop services. */
bool oracle_is_stop(int sig);
void oracle_death_drained(struct oracle_machine *m);
/* In WATCH, no denial being found: it is one to be answered. */
bool oracle_death_counts(struct oracle_machine *m);
/* Into the row's why, once the step is made. -ENOMEM. */
int oracle_death_told(struct oracle_machine *m, int64_t now_ms);
/* It is answered. Whether it was one too many. */
bool oracle_death_over(struct oracle_machine *m);

/* --- learn/oracle_verdict.c ------------------------------------------------------------------ */

/* JUDGE: all of it in one transaction, with the next generation put in place and the row's next
 * state. */
int oracle_verdict(const struct oracles *all, struct oracle_machine *m, int64_t now_ms);
/* In a transaction of its own: production is under nothing any more. */
int oracle_release(const struct oracles *all, struct oracle_machine *m);
/* The workload that the twin was seen as is forgotten. 1: it is there still, since the observer has
 * not heard of its end. */
int oracle_forget_twin(struct store *s, const struct oracle_machine *m);

/* A workload's row by its id. -ENOENT. */
int oracle_workload(struct store *s, int64_t id, struct store_row *ret);
