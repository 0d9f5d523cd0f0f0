/* SPDX-License-Identifier: Apache-2.0 */
/* What an OCI bundle's config.json says of a container (runtime-spec). */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "identity/place.h"
#include "identity/slice.h"
#include "identity/state.h"

/* Whether an engine's own files say that a container of theirs lies at a path. */
enum proof {
	PROOF_NONE, /* no such files, or they don't say */
	PROOF_AGREES,
	PROOF_DENIES, /* it lies elsewhere: whoever made this path is somebody else */
};

struct bundle {
	char *text; /* NULL: not read */
	struct slice config;
};

#define BUNDLE_INIT ((struct bundle){ 0 })

/* A bundle in hand, of the container that the path in question ends with. */
struct given {
	struct slice config;
	const char *id;	 /* NULL: not known */
	char *namespace; /* of containerd's shims, where the bundle is one of these; else NULL */
};

struct identity_options;
/* A copy of the one that is given for p's component: 1, 0 for none, -ENOMEM. */
int bundle_given(const struct identity_options *o, const struct place *p, struct bundle *ret);

/* Reads `dir`/config.json below an engine's directory. */
int bundle_read(const struct state *s, const char *dir, struct bundle *ret);
void bundle_done(struct bundle *b);
static inline void bundle_donep(struct bundle *b)
{
	bundle_done(b);
}
#define _bundle_ __attribute__((cleanup(bundle_donep)))

/* Compares linux.cgroupsPath, "/a/b" or systemd's "slice:prefix:name", with the path up to
 * the end of p's component. */
enum proof bundle_proof(const struct bundle *b, const struct place *p);
enum proof bundle_path_proof(const char *cgroups_path, const struct place *p);

/* A relative path, or one of systemd's, to one below the cgroup2 root: uid's runtime makes it below the
 * user's manager. -EINVAL. */
int bundle_expand(const char *cgroups_path, uid_t uid, char *ret, size_t room);

/* The annotation by which an owner wants no policy applied by itself. */
#define BUNDLE_OPT_OUT "io.tamis.policy"
bool bundle_opts_out(const struct bundle *b);
/* Its value says so. */
bool bundle_is_off(const char *value);

/* An annotation. -ENOENT when there is none; as slice_text. Caller frees. */
int bundle_annotation(const struct bundle *b, const char *name, char **ret);
/* The same for one that holds JSON of its own, of less than max bytes. */
int bundle_long_annotation(const struct bundle *b, const char *name, size_t max, char **ret);

/* Base name of the program that is started: process.args[0], or what an init that the engine
 * itself put before it starts. Caller frees. */
int bundle_entry(const struct bundle *b, char **ret);
