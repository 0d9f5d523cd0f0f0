/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a workload's applied file in place by hand.
 *
 *	rule STATE KEY MODE RULE [=CALL | +CALL | -CALL | @SOCKET]...
 *
 * =: the generation has it; +: a person allowed it; -: a person refused it. Calls are of this machine.
 * @: where its keeper listens.
 * MODE "none": it goes.
 */
#include <stdio.h>
#include <string.h>

#include "apply/applied.h"
#include "model/abi.h"
#include "model/calls.h"

static int add(struct applied *a, const char *text)
{
	const enum tamis_abi abi = abi_native();
	int nr = *text ? calls_number(abi, text + 1) : -1;
	struct sysset *set = *text == '='   ? &a->now.learned.set[TAMIS_WORKLOAD][abi]
			     : *text == '+' ? &a->allowed[abi]
			     : *text == '-' ? &a->refused[abi]
					    : NULL;

	if (*text == '@') {
		a->listener = (char *)text + 1;
		return 0;
	}
	if (nr < 0 || !set)
		return -1;
	sysset_add(set, (unsigned)nr);
	return 0;
}

int main(int argc, char **argv)
{
	struct applied a = { .now = { .number = 1, .created = 1 }, .trial_s = APPLIED_TRIAL_S };
	int r;

	if (argc == 4 && strcmp(argv[3], "none") == 0)
		return applied_remove(argv[1], argv[2]) < 0;
	if (argc < 5 || policy_mode_from_name(argv[3], &a.mode) < 0 ||
	    probation_rule_from_name(argv[4], &a.rule) < 0)
		return 2;
	a.key = argv[2];
	for (int i = 5; i < argc; i++)
		if (add(&a, argv[i]) < 0)
			return 2;
	r = generation_digest(&a.now);
	if (r == 0)
		r = applied_write(argv[1], &a);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
	return r < 0;
}
