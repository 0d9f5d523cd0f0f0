/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/mined.h"
#include "cli/verdict.h"
#include "model/calls.h"

static void say(const struct verdict_work *w, enum tamis_abi abi, unsigned nr)
{
	char name[CALLS_NAME_MAX];
	const char *abi_text = abi_name(abi), *call = calls_print(abi, nr, name);

	if (sysset_has(&w->before.mined[abi], nr))
		printf("%s %s was denied by mining (%s) until now\n", abi_text, call,
		       mined_errno_said(&w->before, abi, nr));
	else if (sysset_has(&w->before.denied[abi], nr))
		printf("%s %s was denied until now\n", abi_text, call);
	if (!verdict_was_seen(w, abi, nr))
		printf("%s %s was never seen\n", abi_text, call);
}

static const struct verdict_kind kind = {
	.cmd = &cmd_allow,
	.verdict = VERDICT_ALLOW,
	.did = "allowed",
	.after = "with",
	.say = say,
};

static int run(int argc, char **argv)
{
	return verdict_run(&kind, argc, argv);
}

const struct cmd cmd_allow = {
	.name = "allow",
	.args = "WORKLOAD CALL... [--abi ABI] [--forget] [--config FILE] [--state DIR]",
	.help = "let a workload's policy have calls, guarded ones too: NAME or #NUMBER",
	.run = run,
};
