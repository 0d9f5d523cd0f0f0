/* SPDX-License-Identifier: Apache-2.0 */
/* What allow and deny have in common: WORKLOAD CALL... [--abi ABI] [--forget]. Where
 * the workload may be in probation, what tamis-keeper answers by is written too. */
#pragma once

#include "cli/cmd.h"
#include "model/guard.h"
#include "policy/generations.h"

/* The calls that a line means, and what is known of their workload. */
struct verdict_work {
	const struct store_row *row;
	struct store_applied is;
	struct learned learned;
	struct verdicts before; /* what was said until now */
	struct sysset calls[TAMIS_ABI_MAX];
};

struct verdict_kind {
	const struct cmd *cmd;
	enum store_verdict verdict;
	const char *did;   /* "allowed" */
	const char *after; /* what becomes of them: "with" */
	/* Negative errno refuses the calls, having logged why. NULL: all will do. */
	int (*check)(const struct verdict_work *w);
	/* What else is to be known of one of them, a line each on standard output, once it is in the
	 * store. */
	void (*say)(const struct verdict_work *w, enum tamis_abi abi, unsigned nr);
};

/* The whole command; returns its exit code. All calls get the verdict, or none does. */
int verdict_run(const struct verdict_kind *k, int argc, char **argv);

/* Whether the workload was seen to make it, in any stage that a policy is made of. */
bool verdict_was_seen(const struct verdict_work *w, enum tamis_abi abi, unsigned nr);
