/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Timeloops loop: on the first refused call production stops, a hardened twin runs in its place for
 * a window, and what it did without a sanitizer's report becomes learned; then production comes back
 * with the next generation.
 *
 *	state     entered                      does                              left when
 *	WATCH     production runs, enforced    waits for a denial                a call that isn't rejected,
 *	                                                                         or it died without one
 *	STOP      a call was refused           stops production                  it is stopped
 *	TWIN      production is stopped        removes an old twin, starts one   it runs
 *	WINDOW    the twin runs                observes it; the replay runs      deadline, replay's or twin's end
 *	UNTWIN    the window is over           stops the twin, keeps its log     it is gone
 *	JUDGE     the twin is gone             verdicts, next generation         in the same transaction
 *	START     the generation is applied    starts production                 it runs
 *	REST      back-off, or per_hour met    production runs as it is          deadline
 *
 * Every action can be done twice: a daemon that comes back does its state's action again. An action
 * that fails ORACLE_TRIES times, or a twin that isn't up, ends in START with the generation as it was,
 * then REST: production always comes back. A guarded call is rejected at once, without a loop; a
 * rejected call begins none.
 *
 * Production that ends in WATCH by itself (by SIGSYS; soon after its start with a status that isn't 0, by
 * a signal that nobody stops it with) and, some drains later, without a refused call that has no verdict,
 * is started again after a back-off (START, then REST); the ORACLE_TRIES'th time in a row without its policy.
 *
 * A production that an observer sees make a call that only a runtime's gate lets pass (execve) during
 * a loop hasn't learned it: it shares the verdict of the loop's call.
 */
#pragma once

#include "apply/trial.h"
#include "apply/ways.h"
#include "policy/oracles.h"

#define ORACLE_WINDOW_S	     15
#define ORACLE_TRIES	     3
#define ORACLE_ACTION_S	     90 /* one that takes longer failed */
#define ORACLE_PER_HOUR	     60
#define ORACLE_BACKOFF_S     5 /* doubled with each loop in a row without a verdict, up to */
#define ORACLE_BACKOFF_MAX_S 600
#define ORACLE_QUICK_MS	     60000 /* production that fails later isn't said to do so by its policy */
#define ORACLE_TWIN_PREFIX   "tamis-oracle-" /* of a twin's container and unit */

/* --- pure: the next step (tested as a table) --------------------------------------------- */

enum oracle_event {
	ORACLE_EV_DENIED, /* in WATCH: a call was refused that has no verdict */
	ORACLE_EV_DONE,	  /* the state's action succeeded */
	ORACLE_EV_FAILED, /* or failed */
	ORACLE_EV_TIME,	  /* the deadline has passed */
	ORACLE_EV_TWIN_ENDED,
	ORACLE_EV_REPLAYED,
	ORACLE_EV_RESUMED, /* a daemon has just begun */
	ORACLE_EV_DIED,	   /* in WATCH: production, and nothing was refused */
};
/* Moves o->state, since, deadline, tries, failures, why. 1: it moved, or its action is to be done
 * (again). */
int oracle_step(struct store_oracle *o, enum oracle_event e, uint32_t loops_this_hour,
		int64_t now_ms);

/* A loop that nobody goes on with: to START, without a verdict. */
void oracle_abandon(struct store_oracle *o, const char *why, int64_t now_ms);

/* --- pure: the verdict -------------------------------------------------------------------- */

/* Whether an end is one that nobody asked for. Pure. */
bool oracle_is_death(enum trial_end end, int code, int64_t lived_ms);

struct oracle_twin {
	bool was_up; /* ran, or ended with 0 */
	bool ended;  /* by itself */
	bool killed; /* by a signal: `code` */
	int code;
	const char *log; /* what it wrote to its standard output and error, or NULL */
	size_t log_len;
};
struct oracle_said {
	bool up, reported; /* reported: nothing of this window is to be believed */
	char report[200];  /* the sanitizer's line, escaped later; "" */
};
/* ASan, LSan, MSan, TSan, UBSan lines; a death by a signal other than TERM, INT, KILL, HUP. */
struct oracle_said oracle_judge_twin(const struct oracle_twin *t);

/* What a window's calls come to. `sanitizer`: its own calls, which count only when they are
 * `asked` (refused to production in this loop). TAMIS_ABI_MAX sets each. */
void oracle_judge_calls(const struct sysset *made_by_twin, const struct sysset *asked,
			const struct sysset *guard, const struct sysset *sanitizer,
			const struct sysset *known, bool reported, struct sysset *ret_learned,
			struct sysset *ret_rejected);

/* How many loops a bootstrap saved: first times of calls (ms, any order) that a loop each would have
 * been begun by, those within a window of the one before being the same loop. */
uint32_t oracle_saved(int64_t *first_ms, size_t cnt, uint32_t window_s);

/* --- the machine -------------------------------------------------------------------------- */

/* What is asked of an engine. */
enum oracle_action {
	ORACLE_DO_STOP,	     /* production is to be stopped, */
	ORACLE_DO_START,     /* and to run again: with o->loops 0 from anew, in any case */
	ORACLE_DO_TWIN,	     /* a twin that is still there goes, one begins */
	ORACLE_DO_WAIT_TWIN, /* until it ends */
	ORACLE_DO_UNTWIN, /* it is stopped and goes; how it ended and what it said stays in `dir` */
};

/* One action under way. Borrows all but `child`. */
struct oracle_run {
	const struct store_oracle *o;
	const char *dir; /* STATE/oracle, root's own */
	enum oracle_action action;
	unsigned step;		    /* 0: it begins */
	int code;		    /* how the step before ended: an exit status, 128 + signal */
	struct oracle_child *child; /* learn/oracle_child.h; NULL: asked again at the next look */
};

/* How production and twin are run: podman (learn/oracle_podman.c), systemd (learn/oracle_unit.c).
 * Never blocks, but for a question to systemd. What it is to do is in the row; every action can be
 * done twice. */
struct oracle_engine {
	const char *prefix; /* of `production`: "container:", "unit:" */
	/* The next step of an action: 1 it is under way, 0 all is done, negative errno. */
	int (*go)(struct oracle_run *run);
	/* How the twin of the last window was, from `dir`; its log is the caller's to free. -ENOENT:
	 * there was none. */
	int (*twin)(const struct store_oracle *o, const char *dir, struct oracle_twin *ret);
	/* The workload's key that the twin is learned under. Caller frees. */
	char *(*twin_key)(const struct store_oracle *o);
};
extern const struct oracle_engine oracle_podman, oracle_unit;
/* By the prefix of `production`; *ret_name (may be NULL): what follows it. NULL: none of them. */
const struct oracle_engine *oracle_engine_of(const char *production, const char **ret_name);

struct oracle_options {
	struct store *store;
	const struct ways *ways;
	/* A test's hook: at each state entered a line is written to this file and, where a file of
	 * that name with ".hold" has the state's name, nothing goes on until it is gone. NULL: none. */
	const char *trace;
	/* bad: an alert (rejected, a twin that isn't up). */
	void (*say)(void *arg, bool bad, const char *key, const char *line);
	void *arg;
};
struct oracles;
int oracles_new(const struct oracle_options *o, struct oracles **ret);
void oracles_free(struct oracles *all);
/* Whether any is configured: denials are to be watched then. */
bool oracles_any(const struct oracles *all);
/* From learn/denied.h and the keeper's news. */
int oracles_denied(struct oracles *all, const char *key, const struct store_denial *d);
/* Of a workload's starts, and ends under a filter of ours: `began_ms` (CLOCK_BOOTTIME) is when the life that
 * is known of began, which may be the next one. */
struct observed_exit;
void oracles_started(struct oracles *all, const char *key);
void oracles_ended(struct oracles *all, const struct observed_exit *e, int64_t began_ms);
/* After each drain: rows that commands changed, children that ended, deadlines. Negative errno: the
 * first failure of the store; what waits for it is tried again. */
int oracles_look(struct oracles *all, int64_t now_ms);
/* Between drains: children and deadlines alone. Worth calling some times a second while
 * oracles_busy. */
int oracles_hurry(struct oracles *all, int64_t now_ms);
bool oracles_busy(const struct oracles *all);
/* Whoever looks no more brings production back first: loops under way are abandoned. Waits for it, so
 * many seconds at most. */
void oracles_end(struct oracles *all, unsigned limit_s);

/* --- beginning ----------------------------------------------------------------------------- */

struct oracle_wanted {
	const char *production, *hardened, *replay; /* as in struct store_oracle */
	bool is_image, bootstrap, by_rule;
	uint32_t window_s, per_hour;
};
/* The first generation (empty, or what was observed), good, and the row, which starts production; in
 * a transaction, whose caller puts *ret_is in place (store_applied_set, ways_put) and commits. */
int oracle_begin(struct store *s, const struct store_row *row, const struct oracle_wanted *w,
		 int64_t now_ms, struct store_applied *ret_is);
/* Whether a command is meant, or an image: what has a blank, or begins with "/", is a command. */
bool oracle_is_command(const char *hardened);
/* A workload that is itself a twin. */
bool oracle_is_twin(const char *key);
