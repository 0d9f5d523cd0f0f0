/* SPDX-License-Identifier: Apache-2.0 */
/* runc and crun by themselves: the id is the user's, the state lies in /run/runc, /run/crun. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/state.h"

/* Where cgroup2 may be mounted, for runc writes whole paths. */
static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* What systemd's units are called like is none, but for what the runtimes have it make. */
static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	size_t len = p->end - p->start;
	const char *id = p->path + p->start;
	const size_t prefix = strlen("runc-"), suffix = strlen(".scope");

	if (p->kind == PLACE_USER || p->kind == PLACE_UNIT || place_ends(p, ".slice"))
		return MATCH_NONE;
	if ((place_starts(p, "runc-") || place_starts(p, "crun-")) && place_ends(p, ".scope") &&
	    len > prefix + suffix)
		engine_claim(p, id + prefix, len - prefix - suffix, ret);
	else if (!place_is_unit(p))
		engine_claim(p, id, len, ret);
	else
		return MATCH_NONE;
	ret->vague = !place_ends(p, ".scope");
	ret->proof = true;
	return MATCH_CONTAINER;
}

/* runc writes where the cgroup is in the file system. */
static enum proof runc_proof(const char *file, const struct place *p)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		size_t len = strlen(mounts[i]);

		if (strncmp(file, mounts[i], len) == 0 && strlen(file + len) == p->end &&
		    memcmp(file + len, p->path, p->end) == 0)
			return PROOF_AGREES;
	}
	return *file ? PROOF_DENIES : PROOF_NONE;
}

/* crun writes the path, with its own sub-cgroup of a scope. */
static enum proof crun_proof(const char *path, const struct place *p)
{
	if (strncmp(path, p->path, p->end) != 0)
		return *path ? PROOF_DENIES : PROOF_NONE;
	return !path[p->end] || path[p->end] == '/' ? PROOF_AGREES : PROOF_DENIES;
}

static const struct runtime {
	const char *dir, *file;
	const char *path[3]; /* to the member that tells the cgroup */
	enum proof (*proof)(const char *text, const struct place *p);
} runtimes[] = {
	{ "/run/runc", "state.json", { "cgroup_paths", "", NULL }, runc_proof },
	{ "/run/crun", "status", { "cgroup-path", NULL }, crun_proof },
};

static enum proof text_proof(const struct runtime *t, struct slice text, const struct place *p)
{
	_free_ char *path = NULL;
	struct slice s;

	if (slice_at(text, t->path, &s) < 0 || slice_text(s, PATH_MAX, &path) < 0)
		return PROOF_NONE;
	return t->proof(path, p);
}

/* The runtime makes the container's directory before its cgroup, the file in it after. At the top
 * of the tree, where only root makes cgroups, the directory is enough. */
static enum proof early_proof(const struct state *s, const char *id, const struct place *p)
{
	return p->kind == PLACE_SYSTEM && state_has_dir(s, id) ? PROOF_AGREES : PROOF_NONE;
}

static enum proof ask_runtime(const char *root, const struct runtime *t, const char *id,
			      const struct place *p)
{
	_free_ char *path = text_format("%s/%s", id, t->file), *text = NULL;
	_state_ struct state s = STATE_INIT;
	size_t len;

	if (!path || state_open(root, 0, t->dir, &s) < 0)
		return PROOF_NONE;
	if (state_read(&s, path, STATE_FILE_MAX, &text, &len) < 0)
		return early_proof(&s, id, p);
	return text_proof(t, (struct slice){ text, len }, p);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(runtimes) && *ret_proof == PROOF_NONE; i++)
		*ret_proof = ask_runtime(o->root, &runtimes[i], ret->container, p);
	ret->name = strdup(ret->container);
	return ret->name ? engine_key(ret, 0, false, NULL) : -ENOMEM;
}

const struct engine engine_bare = { "oci", match, fill };
