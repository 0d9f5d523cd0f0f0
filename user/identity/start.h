/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose container is about to start, before there is a cgroup: from its config.json and what an
 * engine's start path says of itself. The same engines, files and keys as identity_of_path, so
 * that what was learned is found again.
 */
#pragma once

#include "identity/identity.h"

struct identity_start {
	const char *text; /* config.json, `len` bytes; need not end in NUL */
	size_t len;
	const char *id;	    /* the runtime's container id, or NULL (podman's hook isn't told) */
	const char *bundle; /* absolute, or NULL */
	bool systemd;	    /* the runtime was told to use systemd's cgroups */
};

/* The cgroup that the runtime will make, below the cgroup2 root: linux.cgroupsPath "/a/b", or
 * "slice:prefix:name" with the slice spelled out; without one what the runtime takes by itself
 * (runc: "/ID", or "[user.slice or system.slice]/runc-ID.scope"). A rootless engine's path is below
 * its user's manager. Caller frees. -ENOENT when it can't be told, -EINVAL. */
int identity_start_cgroup(const struct identity_start *s, char **ret);

/* As identity_of_path for that cgroup, with the bundle given instead of looked for: the start path is
 * the engine's own, so what needed a proof has it, unless the path denies it. -ENOENT: nobody's (a
 * pause container, a build step too). */
int identity_of_start(const struct identity_options *o, const struct identity_start *s,
		      struct identity *ret);
