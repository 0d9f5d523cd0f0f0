/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by target.c (what all kinds have) and the kinds: target_image.c, target_container.c, target_unit.c,
 * and what the two of podman are made of: target_podman.c, target_inspect.c. */
#pragma once

#include <sys/types.h>

#include "identity/identity.h"
#include "learn/oracle_argv.h"
#include "mine/run.h"
#include "mine/target.h"

#define TARGET_LABEL "io.tamis.mine" /* of every container that a run makes: TOKEN */

struct target;

/* One kind. All but `open` have a target that was opened. */
struct target_ops {
	/* What doesn't depend on a start: whether there is such a thing. */
	int (*open)(struct target *t, char **ret_why);
	/* Sets t->pid. */
	int (*start)(struct target *t, const char *profile, char **ret_why);
	int (*stop)(struct target *t, char **ret_why);
	/* Its exit status, once it has ended. */
	int (*status)(struct target *t);
	int (*exec)(struct target *t, const char *const *argv, int64_t limit_ms,
		    struct run_result *ret);
	int (*log)(struct target *t, char **ret);
	int (*healthy)(struct target *t);
	/* Whatever is left, on the way out: stops are not asked any more. */
	int (*clean)(struct target *t, char **ret_why);
};
extern const struct target_ops target_image, target_container, target_unit;

/* What podman says of a container. */
struct inspected {
	pid_t pid;
	int code;
	char *image, *program, *host, *runtime;
	bool exposes, health;
};
void inspected_done(struct inspected *i);
/* `podman inspect` of one container: hostile. -EINVAL. */
int inspected_parse(const char *text, size_t len, struct inspected *ret);

struct target {
	const struct target_ops *ops;
	struct target_options o;
	char *dir;     /* temporary */
	char *token;   /* unique */
	char *profile; /* of the last start; NULL: the engine's own */
	bool running;  /* started, and not stopped by us */
	bool cleaned;
	int clean_r; /* what came of it, for whoever asks again */
	char *clean_why;
	pid_t pid;
	int pidfd;
	char *cgroup;		  /* its path */
	uint64_t worked;	  /* times that it was seen to run */
	struct oracle_argv owned; /* what in a cgroup's path is its own */
	struct identity identity;
	struct inspected facts;
	/* podman's */
	struct oracle_argv podman; /* before the verb */
	struct oracle_argv create; /* of a twin: options, image, command */
	char *id;
	unsigned starts;
	/* a unit's */
	bool was_active;
	char *unit, *drop_in;
	char *pattern; /* of its cgroup: no unit is a workload that nobody names */
	const char *watch[2];
};

/* --- target_podman.c --------------------------------------------------------------------- */

/* One command of podman's: words after its global options. */
struct podman_how {
	int64_t limit_ms; /* 0: the target's */
	int64_t grace_ms; /* podman that is interrupted leaves things half done */
	bool always;	  /* whether or not a stop was asked */
};
int podman_call(struct target *t, const char *const *words, const struct podman_how *how,
		struct run_result *ret);
/* The same; an end other than 0 is -EIO with podman's last line. */
int podman_do(struct target *t, const char *const *words, const struct podman_how *how,
	      char **ret_why);
int podman_open(struct target *t);
/* "create" with these words behind the options of every start, then "start". */
int podman_start(struct target *t, const char *const *words, const char *profile, char **ret_why);
/* Copies words for podman create; without a profile among them (--security-opt seccomp=X, or with '=')
 * where another is tried: of several podman takes the last. */
int podman_options(const char *const *options, bool without_profile, struct oracle_argv *into);
int podman_stop(struct target *t, char **ret_why);
int podman_status(struct target *t);
int podman_exec(struct target *t, const char *const *argv, int64_t limit_ms,
		struct run_result *ret);
int podman_log(struct target *t, char **ret);
int podman_healthy(struct target *t);
int podman_clean(struct target *t, char **ret_why);
/* Ends what is in the cgroups of a container that podman has removed, by its id. */
int podman_reap(const char *id);

/* --- target_procs.c ---------------------------------------------------------------------- */

/* Calls fn for each process of a cgroup (a directory) and of those below it: some 1000 at most. */
void target_procs(const char *cgroup_dir, void (*fn)(const char *pid, void *arg), void *arg);
/* Whether one of them runs or waits for a disk now, and the processor time of all. */
bool target_works(const char *cgroup_dir, uint64_t *ret_ticks);

/* --- target_ports.c ---------------------------------------------------------------------- */

/* TCP ports that processes of the cgroup (a directory) listen on, in the namespace of `pid`; sorted. */
unsigned target_ports(const char *cgroup_dir, pid_t pid, uint16_t *ret, unsigned max);
