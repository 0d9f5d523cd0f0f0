/* SPDX-License-Identifier: Apache-2.0 */
/* A policy on its way out: the filter and what a reader of it should know. Borrows all. */
#pragma once

#include "model/filter.h"
#include "model/learned.h"

/* First process that made a call. Strings may be "" where it is not known. */
struct policy_origin {
	enum tamis_abi abi;
	enum tamis_stage stage;
	uint32_t nr;
	int64_t first, last; /* seconds since the epoch, true to the sampling unit */
	uint32_t pid;
	const char *comm;
	const char *exe;
	uint32_t replicas;   /* containers that made it; 0 = not counted */
	const char *replica; /* the engine's id of the one that made it first; NULL = not known */
	const char *source;  /* who learned it: "keeper", "oracle"; NULL = the sensor */
};

struct policy {
	const char *workload; /* hostile text: escape */
	const char *engine;
	const char *image;
	const struct filter *filter;
	const struct learned *learned;	    /* NULL for a policy that was read from a file */
	const struct learned *seen;	    /* with what is pending or denied; NULL: not known */
	const struct evidence *evidence;    /* NULL likewise */
	const struct policy_origin *origin; /* sorted by (abi, nr, stage) */
	size_t origin_cnt;
	const char *why_not; /* it can't be enforced, and why; NULL: it can */
	/* TAMIS_ABI_MAX sets: gate calls seen that no table of a runtime has; NULL = not compared */
	const struct sysset *gate_unknown;
	/* TAMIS_ABI_MAX sets: guarded calls that were seen and nobody allowed, so that they are not in
	 * the policy (model/guard.h); NULL: not asked */
	const struct sysset *pending;
	/* TAMIS_ABI_MAX sets: calls of this machine that the one the policy is for has none like
	 * (model/widen.h); NULL: it is for this machine */
	const struct sysset *untranslated;
	const char *runtimes; /* "runc, crun" or "crun@1.8": whose gate is inside; for the text */
};
