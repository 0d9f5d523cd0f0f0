/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused calls into the store: deaths by SIGSYS always; errnos where they are watched. A candidate of
 * the sensor is a denial when its container was started under a generation in enforce or probation
 * and that generation lets the call pass for nobody: it isn't learned, nor in policies/always, nor in
 * any runtime's gate. ENOSYS to what a gate has is a denial as well: that gate isn't its own. Never
 * widens anything.
 */
#pragma once

#include "learn/observer.h"
#include "learn/under.h"
#include "policy/denials.h"

struct denied_options {
	struct sensor *sensor;
	struct store *store;
	struct observer *observer; /* whose a cgroup is */
	struct under *under;
	/* For each row that gained: `more` is by how many. May be NULL. */
	void (*denied)(void *arg, const char *key, const char *container,
		       const struct store_denial *d, uint64_t more);
	void *arg;
};

struct denied;
int denied_new(const struct denied_options *o, struct denied **ret);
void denied_free(struct denied *d);
/* Candidates of the kernel's map, one transaction. 0 also when denials aren't watched. */
int denied_drain(struct denied *d, int64_t now);
int denied_exit(struct denied *d, const struct observed_exit *e, int64_t now);

/* Pure: whether a generation refuses a call to everybody. Sets: TAMIS_ABI_MAX; `gates` of all runtimes. */
bool denied_by(const struct generation *g, const struct sysset *always, const struct sysset *gates,
	       enum tamis_abi abi, uint32_t nr);
