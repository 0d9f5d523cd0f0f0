/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mined: an image (its own container, podman), a container that is there (its twin under
 * another name: the container itself isn't touched), a unit (restarted in place, with a drop-in below
 * /run while a policy is tried). One table of functions for each kind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct target;

enum target_kind { TARGET_IMAGE, TARGET_CONTAINER, TARGET_UNIT };

struct target_options {
	enum target_kind kind;
	const char *name;	    /* IMAGE, container or unit */
	const char *const *options; /* of podman run, before the image; NULL-terminated or NULL */
	const char *const *command; /* after the image; likewise */
	const char *const *podman;  /* its command line before the verb; NULL: "podman" */
	const char *runtime;	    /* of podman; NULL: its own choice */
	int stop_fd;		    /* mine/stop.h */
	int64_t limit_ms;	    /* of a single start or stop */
};

/* What is known of it once it runs. Strings live as long as this start of the target. */
struct target_facts {
	const char *id;	     /* the engine's id of the container; NULL for a unit */
	const char *key;     /* its workload's; NULL: not known yet */
	int64_t pid;	     /* its first process, in our pid namespace */
	const char *image;   /* as the engine calls it */
	const char *runtime; /* of the engine; NULL: not known */
	const char *program; /* basename of its entrypoint, e.g. "redis-server" */
	const char *host;    /* the address that its ports answer at from here */
	uint16_t port[64];   /* TCP ports that its processes listen on, in its network namespace */
	unsigned port_cnt;
	bool exposes; /* its image says that it has ports */
	bool health;  /* its image has a healthcheck */
};

/* *ret_why: a sentence for people; caller frees. -ENOENT: no such image, container or unit. */
int target_new(const struct target_options *o, struct target **ret, char **ret_why);
/* Stops it if it runs; nothing of it stays: no container, no drop-in, no file. A unit that ran before
 * runs again, as it was. Negative errno, with how to find what is left, where that can't be done. */
int target_clean(struct target *t, char **ret_why);
/* The same, silently. */
void target_free(struct target *t);
CLEANUP_DEFINE(struct target *, target_free);

/* Starts it: with the OCI profile `profile` (its text; for a unit a drop-in's), NULL: as the engine
 * does by itself. -EINTR: a stop was asked; nothing runs then. */
int target_start(struct target *t, const char *profile, char **ret_why);
/* Stops it as its engine does, waiting for it. The next start is another life. 0 also when it had ended. */
int target_stop(struct target *t, char **ret_why);
/* Whether a cgroup (its path below the mount) is of a start of it, of any so far. */
bool target_owns(const struct target *t, const char *cgroup);
/* Patterns of its cgroups for identity_of_path: NULL where it needs none. They live as long as it. */
const char *const *target_watch(const struct target *t);
/* The directory for what must not outlive a run: gone with the target. */
const char *target_dir(const struct target *t);
/* Stops it, if it runs, and starts it with the profile of its last start. */
int target_restart(struct target *t, char **ret_why);
/* 1: it runs, 0: it ended; *ret_status is its exit status, 128 + signal when killed. */
int target_runs(struct target *t, int *ret_status);
/* Looked up anew: ports come late. -ESRCH: it ended. */
int target_look(struct target *t, struct target_facts *ret);
/* Grows with the processor time of its processes, and while one of them runs or waits for a disk: one that
 * doesn't grow waits for somebody. */
uint64_t target_work(struct target *t);
/* Runs argv in it (podman exec; for a unit: nsenter into its mount namespace). */
struct run_result;
int target_exec(struct target *t, const char *const *argv, int64_t limit_ms,
		struct run_result *ret);
int target_signal(struct target *t, int signal);
/* What it logged last, at most 64 KiB. Caller frees. */
int target_log(struct target *t, char **ret);
/* 1 healthy, 0 not yet, -ENOENT: it has no healthcheck. */
int target_healthy(struct target *t);
/* A descriptor of its network namespace (for connecting to its ports), owned by the caller. */
int target_netns(struct target *t);
