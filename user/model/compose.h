/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one pure function between what was learned and what is enforced:
 *
 *     workload | session | always | gate  ->  met with the engine's profile, errnos chosen
 *
 * The same input gives the same filter, byte for byte.
 */
#pragma once

#include "model/filter.h"
#include "model/learned.h"

struct compose_in {
	const struct learned *learned;
	/* The engine's own profile for this container, or NULL where there is none: then
	 * only `fallback` narrows. Narrowing keeps conditions and errnos of both sides. */
	const struct filter *engine;
	/* Conditions that hold whatever the engine says (policies/engine/): clone without
	 * namespace flags, clone3 -> ENOSYS, personality, socket. Never NULL. */
	const struct filter *fallback;
	const struct sysset *gate;   /* [TAMIS_ABI_MAX], policies/runtime/; native ABI only is filled */
	const struct sysset *always; /* [TAMIS_ABI_MAX], policies/always/ */
	const struct sysset *eperm;  /* [TAMIS_ABI_MAX], policies/errno/eperm */
	bool without_sessions;	     /* leave the session stage out */
};

/* ABIs of the result: the native one, and those with at least one learned call. Calls of
 * `always` and `gate` count for each of them only where the ABI is there. A call that is both
 * learned and in `eperm` is allowed. A learned clone3 also allows clone (libc falls back to
 * it on ENOSYS). -ENOMEM, -EINVAL. */
int compose(const struct compose_in *in, struct filter **ret);
