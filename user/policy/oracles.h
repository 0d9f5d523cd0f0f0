/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Oracles: a workload whose refused calls a hardened twin decides on (Timeloops). One row each, which
 * is all the state there is: whoever kills the daemon at any step, the next one goes on from the row.
 * Errors and transactions as in policy/store.h.
 */
#pragma once

#include "policy/denials.h"

/* In the order of a loop; what each does, and what ends it: learn/oracle.h. */
enum oracle_state {
	ORACLE_WATCH,
	ORACLE_STOP,
	ORACLE_TWIN,
	ORACLE_WINDOW,
	ORACLE_UNTWIN,
	ORACLE_JUDGE,
	ORACLE_START,
	ORACLE_REST,
	ORACLE_STATE_MAX,
};
const char *oracle_state_name(enum oracle_state s); /* "watching", "stopping production", ... */

struct store_oracle {
	int64_t workload;
	char *production;  /* "container:NAME" (podman) or "unit:NAME.service" */
	char *hardened;	   /* an image (container), or a command (unit, container) */
	bool is_image;	   /* which of the two */
	char *replay;	   /* a command, NULL: none */
	uint32_t window_s; /* 1..3600 */
	bool bootstrap;
	bool by_rule;	   /* of the configuration: goes when its rule does */
	uint32_t per_hour; /* loops at most */

	enum oracle_state state;
	int64_t since;	  /* of this state, ms since the epoch */
	int64_t deadline; /* of this state, likewise; 0: none */
	uint32_t tries;	  /* of this state's action */
	/* the call that this loop is for */
	enum tamis_abi abi;
	uint32_t nr;
	uint32_t loops, learned, rejected, saved; /* since it was begun */
	uint32_t failures;			  /* loops in a row without a verdict: back-off */
	int64_t began;				  /* seconds */
	char *why;				  /* the last thing to know, for a person; NULL */
};
void store_oracle_done(struct store_oracle *o);
static inline void store_oracle_donep(struct store_oracle *o)
{
	store_oracle_done(o);
}
#define _oracle_ __attribute__((cleanup(store_oracle_donep)))

/* One for a workload, replaced whole. */
int store_oracle_set(struct store *s, const struct store_oracle *o);
/* -ENOENT. */
int store_oracle_get(struct store *s, int64_t workload, struct store_oracle *ret);
int store_oracle_remove(struct store *s, int64_t workload);
/* Caller does each, frees the array. */
int store_oracles(struct store *s, struct store_oracle **ret, size_t *ret_cnt);

/* What the oracle said of a call; `report` (hostile, may be NULL): of the sanitizer. A later verdict
 * takes the place of an earlier one, but learned never of rejected: `tamis allow` does that. */
struct store_oracle_call {
	enum tamis_abi abi;
	uint32_t nr;
	bool rejected;
	int64_t at;
	uint32_t loop;
	char *report;
};
int store_oracle_call(struct store *s, int64_t workload, const struct store_oracle_call *c);
/* Sorted by (abi, nr). Caller frees each report and the array. */
int store_oracle_calls(struct store *s, int64_t workload, struct store_oracle_call **ret,
		       size_t *ret_cnt);
/* Starts of loops, for the cap: how many began since. Seconds since the epoch; those of the last two
 * hours are kept. */
int store_oracle_loops_since(struct store *s, int64_t workload, int64_t since, uint32_t *ret);
int store_oracle_loop_began(struct store *s, int64_t workload, int64_t now);
