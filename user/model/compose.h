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

/* Filters are sorted (filter_sort). Sets are arrays of TAMIS_ABI_MAX; NULL is an empty one. */
struct compose_in {
	const struct learned *learned;
	/* The engine's own profile for this container, or NULL where there is none: then
	 * only `fallback` narrows. Narrowing keeps conditions and errnos of both sides. */
	const struct filter *engine;
	/* Conditions that hold whatever the engine says (policies/engine/): clone without
	 * namespace flags, clone3 -> ENOSYS, personality, socket. Never NULL. */
	const struct filter *fallback;
	const struct sysset *gate;   /* policies/runtime/: the native ABI's alone is filled */
	const struct sysset *always; /* policies/always/ */
	const struct sysset *eperm;  /* policies/errno/eperm */
	bool without_sessions;	     /* leave the session stage out */
	/* `engine` is the very profile that the container would start under, not a default that it
	 * may have been learned under: rule 3 and the ABIs that it doesn't speak for are no way
	 * round it. Nothing then passes that it would refuse, for any number and arguments, and
	 * nothing is killed less than it would be. */
	bool strict;
	/* Whatever has a name and isn't in `guard` passes (a unit whose processes leave it), with
	 * the conditions of `fallback`. `guard`: TAMIS_ABI_MAX sets. */
	bool descendants;
	const struct sysset *guard;
	const struct sysset *denied; /* refused whoever asks for them, but for what is vital */
	const struct sysset *denied_eperm; /* of these: those that get EPERM */
	/* What has a name and nobody learned asks (FILTER_NOTIFY) where the engine lets it through,
	 * with the conditions that it would have as a learned call: what these leave out is refused.
	 * Never a call of `guard` or `denied`, nor what is vital (5 below), nor write, which passes
	 * (runc takes no filter that asks for write), nor an ABI without a learned call but the
	 * native one: an OCI rule has no ABI, so its calls couldn't be told from learned ones. */
	bool probation;
};

/*
 * ABIs of the result: the native one, those with at least one learned call (setup calls don't
 * count), with `descendants` all that the machine may run. With `strict` none that the engine
 * doesn't speak for, but each in which it ends processes. The default is ERRNO 38. A call is
 * allowed when it was learned (workload, session, gate) or is in `always` or `gate`; one that is
 * also in `eperm` is allowed too. A clone3 also allows clone (libc falls back to it on ENOSYS).
 * Then, per call:
 *
 *  1. Rules of `fallback` take the place of the plain ALLOW.
 *  2. Met with the engine's (model/narrow.h): what passes both passes, with the stricter
 *     action, and conditional errnos stay. An engine that doesn't speak for an ABI has no say
 *     about it.
 *  3. The engine refuses it outright: left out when it is from `always` or `gate` alone,
 *     except for what starts and ends a process. Learned, it was really made (a refused call
 *     is never seen), so it was made under another profile: it stays, as if there were none.
 *  4. Not allowed: the engine's unconditional errno or kill, else EPERM for `eperm`, else no
 *     rule.
 *  5. `denied` ones are refused with ENOSYS, or EPERM for `eperm` and `denied_eperm`, before all of
 *     the above; execve, exit, exit_group, rt_sigreturn and sigreturn can't be.
 *
 * So apart from 3 nothing passes that the engine would refuse; with `strict` nothing at all, and
 * where its default is stricter than an errno it stays the default (calls that it lets through and
 * nobody learned get their ENOSYS by rules). -ENOMEM, -EINVAL.
 */
int compose(const struct compose_in *in, struct filter **ret);
