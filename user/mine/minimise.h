/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which learned calls the tests do without: groups by bisection, the most dangerous first, each refused
 * with ENOSYS and then with EPERM. Pure but for the trial, which the caller makes. State is rows of the
 * store (policy/mines.h), so that a run goes on where it was ended.
 */
#pragma once

#include "model/score.h"
#include "model/sysset.h"

enum minimise_state {
	MINIMISE_OPEN,	 /* not tried */
	MINIMISE_NEEDED, /* a test failed without it, alone */
	MINIMISE_KEPT,	 /* policies/keep/: never tried */
	MINIMISE_GONE,	 /* all passed without it, with `errno_ret` */
	MINIMISE_STATE_MAX,
};
const char *minimise_state_name(enum minimise_state s); /* "open", "needed", "kept", "not needed" */

struct minimise_call {
	enum tamis_abi abi;
	uint32_t nr;
	enum minimise_state state;
	uint32_t errno_ret; /* with GONE: ENOSYS or EPERM */
	double danger;	    /* of the order: more goes first */
	char *why; /* NEEDED: the test that failed; KEPT: what the keep list says; NULL: none */
};

struct minimise_options {
	/* Runs every test with the `refused` calls answered errno_ret[i] and all other GONE ones as they
	 * are; 1: all passed, 0: not (*ret_why: which test, caller frees), negative errno: nobody can
	 * say (stopped, no time): the state stays as it is. */
	int (*passes)(void *arg, const struct minimise_call *const *refused,
		      const uint32_t *errno_ret, size_t cnt, char **ret_why);
	/* A call's state has changed: to be kept. */
	int (*decided)(void *arg, const struct minimise_call *c);
	void *arg;
	unsigned
		confirm; /* the whole result must pass so often more; a call that then fails goes back */
};
/* Of `calls`, those that are OPEN are tried; KEPT and NEEDED ones never, GONE ones (of a run before) stay
 * refused and are confirmed with the others. 0: every call is decided. -EAGAIN: the result failed, and so
 * do the tests with no call refused: nothing can be said. Any other negative errno is that of `passes`
 * or `decided`; `calls` has what is known. */
int minimise(struct minimise_call *calls, size_t cnt, const struct minimise_options *o);
