/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/mined.h"
#include "cli/verdict.h"
#include "model/calls.h"
#include "policy/data.h"

/* Nothing starts, ends, or comes back from a signal without them. */
static const char *const undeniable[] = { "execve", "exit", "exit_group", "rt_sigreturn",
					  "sigreturn" };

static int check(const struct verdict_work *w)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (size_t i = 0; i < ARRAY_SIZE(undeniable); i++) {
			int nr = calls_number(abi, undeniable[i]);

			if (nr < 0 || !sysset_has(&w->calls[abi], (unsigned)nr))
				continue;
			log_err("%s can't be denied: no process can do without it", undeniable[i]);
			return -EPERM;
		}
	}
	return 0;
}

/* Writes whose start has it: "runc", "runc and crun". */
static void runtimes_with(enum tamis_abi abi, unsigned nr, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const char *const *runtime = data_runtimes(); *runtime && used < len; runtime++) {
		struct sysset gate[TAMIS_ABI_MAX] = { 0 };

		if (data_gate(*runtime, gate) == 0 && sysset_has(&gate[abi], nr))
			used += (size_t)snprintf(buf + used, len - used, "%s%s",
						 used ? " and " : "", *runtime);
	}
}

static void say(const struct verdict_work *w, enum tamis_abi abi, unsigned nr)
{
	struct sysset always[TAMIS_ABI_MAX] = { 0 };
	char name[CALLS_NAME_MAX], runtimes[64];
	const char *abi_text = abi_name(abi), *call = calls_print(abi, nr, name);

	if (sysset_has(&w->before.mined[abi], nr))
		printf("%s %s was denied by mining (%s); now a person denies it\n", abi_text, call,
		       mined_errno_said(&w->before, abi, nr));
	if (sysset_has(&w->before.allowed[abi], nr))
		printf("%s %s was allowed until now\n", abi_text, call);
	if (w->is.mode == MODE_PROBATION && verdict_was_seen(w, abi, nr))
		printf("%s %s was learned: a container whose filter lets it pass goes on until it "
		       "restarts\n",
		       abi_text, call);
	else if (verdict_was_seen(w, abi, nr))
		printf("%s %s was seen: it will be refused\n", abi_text, call);
	if (data_always(always) == 0 && sysset_has(&always[abi], nr))
		printf("%s %s is in every policy, as programs make it without meaning to: "
		       "they may fail\n",
		       abi_text, call);
	runtimes_with(abi, nr, runtimes, sizeof(runtimes));
	if (runtimes[0] && w->is.mode == MODE_PROBATION)
		printf("%s %s is made by %s after the filter is on: as long as it is in probation "
		       "it "
		       "passes, so that containers start\n",
		       abi_text, call, runtimes);
	else if (runtimes[0])
		printf("%s %s is made by %s after the filter is on: containers may fail to start; "
		       "a trial takes such a generation back\n",
		       abi_text, call, runtimes);
}

static const struct verdict_kind kind = {
	.cmd = &cmd_deny,
	.verdict = VERDICT_DENY,
	.did = "denied",
	.after = "without",
	.check = check,
	.say = say,
};

static int run(int argc, char **argv)
{
	return verdict_run(&kind, argc, argv);
}

const struct cmd cmd_deny = {
	.name = "deny",
	.args = "WORKLOAD CALL... [--abi ABI] [--forget] [--config FILE] [--state DIR]",
	.help = "keep calls out of a workload's policy, seen or not: NAME or #NUMBER",
	.run = run,
};
