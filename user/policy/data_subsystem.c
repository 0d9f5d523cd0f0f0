/* SPDX-License-Identifier: Apache-2.0 */
/* policies/risk/subsystems, and what makes a call dangerous. */
#include <string.h>

#include "model/calls.h"
#include "model/score.h"
#include "policy/data.h"
#include "policy/data_text.h"

#define GUARDED 10

static const char *const subsystems[] = { "bpf-perf", "machine", "async-io", "namespaces",
					  "keys",     "tracing", "network",  "zero-copy",
					  "memory",   "ipc",	 "process",  "watches",
					  "files",    "events",	 "security", "signals",
					  "time",     NULL };

static const char *subsystem_of(enum tamis_abi abi, uint32_t nr)
{
	const char *name = calls_name(abi, nr);

	return name ? data_group(data_text_subsystems(), subsystems, name) : NULL;
}

const char *data_subsystem(enum tamis_abi abi, uint32_t nr)
{
	return subsystem_of(abi, nr) ?: "other";
}

const char *data_subsystem_name(const char *name)
{
	for (const char *const *s = subsystems; *s; s++)
		if (strcmp(*s, name) == 0)
			return *s;
	return NULL;
}

/* Its number is on the group's first line. */
static double danger_of_subsystem(const char *subsystem)
{
	struct data_text text = data_text_subsystems(), line;
	double number = 0;

	while (subsystem && number == 0 && data_line(&text, &line)) {
		double n = 0;

		if (data_group_line(&line, subsystems, &n) == subsystem)
			number = n;
	}
	return number;
}

double data_danger(enum tamis_abi abi, uint32_t nr)
{
	double danger = danger_of_subsystem(subsystem_of(abi, nr));
	struct score_risk r;

	if (danger == 0 || data_risk(&r) < 0)
		return danger;
	for (size_t i = 0; i < r.cnt; i++)
		danger += sysset_has(&r.cve[i].calls[abi], nr);
	if (sysset_has(&r.guard[abi], nr))
		danger += GUARDED;
	data_risk_done(&r);
	return danger;
}
