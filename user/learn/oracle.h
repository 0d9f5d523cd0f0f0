/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Timeloops loop: on the first refused call production stops, a hardened twin runs in its place for
 * a window, and what it did without a sanitizer's report becomes learned; then production comes back
 * with the next generation.
 *
 *	state     entered                      does                              left when
 *	WATCH     production runs, enforced    waits for a denial                a call that isn't rejected
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
 * A production that an observer sees make a call that only a runtime's gate lets pass (execve) during
 * a loop hasn't learned it: it shares the verdict of the loop's call.
 */
#pragma once

#include "apply/ways.h"
#include "learn/under.h"
#include "policy/oracles.h"

#define ORACLE_WINDOW_S	     15
#define ORACLE_TRIES	     3
#define ORACLE_ACTION_S	     90 /* one that takes longer failed */
#define ORACLE_PER_HOUR	     60
#define ORACLE_BACKOFF_S     5 /* doubled with each loop in a row without a verdict, up to */
#define ORACLE_BACKOFF_MAX_S 600
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
};
/* Moves o->state, since, deadline, tries, failures, why. 1: it moved, or its action is to be done
 * (again). */
int oracle_step(struct store_oracle *o, enum oracle_event e, uint32_t loops_this_hour,
		int64_t now_ms);

/* --- pure: the verdict -------------------------------------------------------------------- */

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

/* How production and twin are run: podman (learn/oracle_podman.c), systemd (learn/oracle_unit.c). Each
 * begins an action and returns a child's pid to be waited for, or 0: done already; negative errno. Never
 * blocks. What it is to do is in the row. */
struct oracle_engine {
	const char *prefix; /* of `production`: "container:", "unit:" */
	int (*stop)(const struct store_oracle *o);
	int (*start)(const struct store_oracle *o);
	int (*twin_start)(const struct store_oracle *o);
	/* Its log goes to STATE/oracle/ID.log (0600, at most 1 MB of its end). */
	int (*twin_stop)(const struct store_oracle *o, const char *state);
	int (*twin_look)(const struct store_oracle *o, struct oracle_twin *ret);
	/* The workload's key that the twin is learned under. Caller frees. */
	char *(*twin_key)(const struct store_oracle *o);
};
extern const struct oracle_engine oracle_podman, oracle_unit;

struct oracle_options {
	struct store *store;
	const struct ways *ways;
	struct under *under;
	/* A test's hook: at each state entered a line is written to this file and, where a file of
	 * that name with ".hold" has the state's name, nothing goes on until it is gone. NULL: none. */
	const char *trace;
	/* bad: an alert (rejected, a twin that isn't up). */
	void (*say)(void *arg, bool bad, const char *key, const char *line);
	void *arg;
};
struct oracles;
int oracles_new(const struct oracle_options *o, struct oracles **ret);
void oracles_free(struct oracles *o);
/* Whether any is configured: denials are to be watched then. */
bool oracles_any(const struct oracles *o);
/* From learn/denied.h and the keeper's news. */
int oracles_denied(struct oracles *o, const char *key, const struct store_denial *d);
/* After each drain: rows that commands changed, children that ended, deadlines. */
int oracles_look(struct oracles *o, int64_t now_ms);
