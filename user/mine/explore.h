/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exercising a service without tests of its own. An exploration is data (policies/explore/, and any
 * directory of the user's): for which services it is, and steps. man tamis-explore(5) has the format.
 */
#pragma once

#include "mine/target.h"
#include "mine/test.h"

struct exploration;

struct explorations {
	struct exploration **list; /* owned */
	size_t cnt;
};
void explorations_done(struct explorations *e);
#define _explorations_ __attribute__((cleanup(explorations_done)))

/* Those built in, then those of `dir` (NULL: none): a file of a built-in's name takes its place.
 * *ret_why: "FILE:LINE: what is wrong"; caller frees. */
int explorations_load(const char *dir, struct explorations *ret, char **ret_why);

/* Adds to `ret` those that are for this service, in an order that leaves what ends or restarts it to the
 * end. */
int explorations_for(const struct explorations *e, const struct target_facts *facts,
		     struct mine_tests *ret);

const char *exploration_name(const struct exploration *e);
/* Runs its steps. A step that the service answers otherwise than expected fails the exploration; a step
 * marked "maybe" never does. */
int exploration_run(const struct exploration *e, struct target *t, int64_t limit_ms, int stop_fd,
		    struct mine_outcome *ret);
