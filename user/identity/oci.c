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
	ret->proof = true;
	return MATCH_CONTAINER;
}

static bool is_below_mount(const char *file, const struct place *p)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		size_t len = strlen(mounts[i]);

		if (strncmp(file, mounts[i], len) == 0 && strlen(file + len) == p->end &&
		    memcmp(file + len, p->path, p->end) == 0)
			return true;
	}
	return false;
}

static enum proof text_proof(char *text, size_t len, const char *const where[],
			     const struct place *p)
{
	_free_ char *path = NULL;
	struct slice s;

	if (slice_at((struct slice){ text, len }, where, &s) < 0 ||
	    slice_text(s, PATH_MAX, &path) < 0)
		return PROOF_NONE;
	if (is_below_mount(path, p))
		return PROOF_AGREES;
	return bundle_path_proof(path, p);
}

/* The runtime makes the container's directory before its cgroup, the file in it after. At the top
 * of the tree, where only root makes cgroups, the directory is enough. */
static enum proof early_proof(const struct state *s, const char *id, const struct place *p)
{
	return p->kind == PLACE_SYSTEM && state_has_dir(s, id) ? PROOF_AGREES : PROOF_NONE;
}

static enum proof ask_runtime(const char *root, const char *dir, const char *file,
			      const char *const where[], const char *id, const struct place *p)
{
	_free_ char *path = text_format("%s/%s", id, file), *text = NULL;
	_state_ struct state s = STATE_INIT;
	size_t len;
	int r;

	if (!path || state_open(root, 0, dir, &s) < 0)
		return PROOF_NONE;
	r = state_read(&s, path, STATE_FILE_MAX, &text, &len);
	return r < 0 ? early_proof(&s, id, p) : text_proof(text, len, where, p);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	static const char *const runc[] = { "cgroup_paths", "", NULL };
	static const char *const crun[] = { "cgroup-path", NULL };

	*ret_proof = ask_runtime(o->root, "/run/runc", "state.json", runc, ret->container, p);
	if (*ret_proof == PROOF_NONE)
		*ret_proof = ask_runtime(o->root, "/run/crun", "status", crun, ret->container, p);
	ret->name = strdup(ret->container);
	return ret->name ? engine_key(ret, 0, false, NULL) : -ENOMEM;
}

const struct engine engine_oci = { "oci", match, fill };
