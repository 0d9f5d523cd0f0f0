/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a workload's policy may be enforced, and what stands against it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "model/learned.h"

struct may_in {
	const char *engine, *key, *name;
	const struct evidence *evidence;
	uint64_t calls;
	const char *why_not; /* of identity: unknown identity, another kernel, ... */
	bool with_descendants;
	bool opted_out;		       /* by rule or label */
	bool probation;		       /* asked for: more stands against that (below) */
	const struct learned *learned; /* for probation; NULL: not asked */
};

enum may_answer {
	MAY,
	MAY_FORCED, /* only with --force */
	MAY_NOT,    /* not even so: PID 1, container engines, tamis itself */
};

/* `say` hears each reason, one sentence without a period ("partial: no start was seen"). Reasons:
 * partial (which part of the evidence), why_not, no calls learned, a unit with leavers and without
 * with_descendants, a unit of policies/never (sshd's passes with with_descendants), opted out, an
 * engine for which nothing can be put in place (lxc, nspawn, plain cgroups: exported only).
 *
 * Probation besides: not for units (systemd has no listener) and rootless containers (MAY_NOT); one
 * that calls seccomp itself only with --force, since a listener of its own would get EBUSY. That it is
 * partial, or that no calls were learned, doesn't stand against probation. */
enum may_answer may_enforce(const struct may_in *in, void (*say)(void *ctx, const char *why),
			    void *ctx);
