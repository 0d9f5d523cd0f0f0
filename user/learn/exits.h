/* SPDX-License-Identifier: Apache-2.0 */
/* Starts of containers, how their first processes ended, and who died by SIGSYS: on their way to
 * trials. */
#pragma once

#include "apply/trial.h"
#include "learn/observer.h"

/* Told by the observer when an entrypoint's exec was seen in a cgroup, once for all since the last
 * drain. */
struct observed_start {
	const char *key;
	const char *container;
	const char *cgroup; /* its path below the mount */
};

/* Told by the observer for each TAMIS_EV_EXIT of a workload it knows. */
struct observed_exit {
	const char *key;       /* of the workload */
	const char *container; /* engine's id or NULL */
	bool entrypoint;       /* the container's first process; else somebody who died by SIGSYS */
	enum trial_end end;
	int code;
	int64_t at_ms;	  /* CLOCK_BOOTTIME */
	const char *comm; /* hostile */
	uint32_t pid;
	/* of a death by SIGSYS: the call; nr TAMIS_CALLS: not known */
	enum tamis_abi abi;
	uint32_t nr;
};
