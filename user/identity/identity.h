/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup path -> whose it is. One file per engine behind one table (engines[] in
 * identity.c); no engine's API is spoken to, only files that it keeps are read.
 *
 * The outermost container, or watched unit, on a path owns every call below it: its filter
 * binds everything inside. An engine's pattern counts only where that engine can create it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* All strings owned; NULL = unknown. Values come from files that containers' owners wrote:
 * bounded (IDENTITY_TEXT_MAX), not escaped. */
struct identity {
	/* "podman", "docker", "containerd", "kubernetes", "crio", "systemd", "lxc", "nspawn", "oci"
	 * (bare runc/crun), "cgroup" */
	char *engine;
	/* The workload's stable identity: "podman/redis", "kubernetes/ns/owner/container",
	 * "systemd/ssh.service", "cgroup/a/b"; what a user other than root runs has "~UID" after the
	 * engine. Safe as a relative file name and on a terminal. */
	char *key;
	/* Who can make up any number of keys like this one: "podman", "podman/~1000",
	 * "kubernetes/NAMESPACE"; of plain cgroups "cgroup", "cgroup/~1000", or whom root gave the
	 * cgroup above: "cgroup/jobs". Never NULL where key is set; safe as key is. */
	char *owner;
	char *name; /* what its owner calls it */
	char *image;
	char *image_digest;
	char *container;       /* the engine's id */
	char *pod, *namespace; /* Kubernetes and pods */
	/* What an engine inside of the owner calls the outermost container below it, by its shape
	 * alone: "docker/0123456789ab"; NULL when no engine's pattern is below the owner. Whoever is
	 * inside can make it up. Safe as key is. */
	char *inner;
	size_t owner_len; /* how much of the path belongs to the owner: the rest is inside it */
	/* Its owner wants no policy applied by itself: an annotation or label "io.tamis.policy" of the
	 * container (docker's labels, OCI annotations, a pod's) is "off". */
	bool opted_out;
	bool enforceable; /* false where identity can't be known, with `why_not` */
	const char *why_not;
};

#define IDENTITY_TEXT_MAX 4096

void identity_done(struct identity *i);
#define IDENTITY_INIT ((struct identity){ 0 })
static inline void identity_donep(struct identity *i)
{
	identity_done(i);
}

/* Where to look; "" or NULL fields take the defaults. Tests point `root` at a recorded tree. */
struct identity_options {
	const char *root; /* prefix of every file read, default "" */
	/* Shell patterns (fnmatch with FNM_PATHNAME off) of cgroup paths to watch as workloads of
	 * their own: services, plain cgroups; NULL-terminated. Found 32 components deep at most. */
	const char *const *watch;
	/* What identity_of_start was told of the container itself; NULL else. */
	const struct given *given;
};

/* Who owns `path` (below the cgroup2 root, "/machine.slice/libpod-<id>.scope/container").
 * 0 and *ret filled; -ENOENT when nothing on it is a workload (a monitor such as conmon, an
 * unwatched service, the root); -ENOMEM. Files that are missing, hostile or too large leave
 * their fields NULL: never an error. Any thread may ask. A container's files go with it, those of
 * runc alone within some ms: ask as soon as its cgroup is made, before other work. */
int identity_of_path(const struct identity_options *o, const char *path, struct identity *ret);
