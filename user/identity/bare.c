/* SPDX-License-Identifier: Apache-2.0 */
/* runc and crun by themselves: the id is the user's, the state lies in /run/runc, /run/crun, or
 * below /run/user/U. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/shim.h"
#include "identity/state.h"

#define DIGITS "0123456789"

/* Where cgroup2 may be mounted, for runc writes whole paths. */
static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* What systemd's units are called like is none, but for what the runtimes have it make. */
static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	size_t len = p->end - p->start;
	const char *id = p->path + p->start;
	const size_t prefix = strlen("runc-"), suffix = strlen(".scope");

	if (p->kind == PLACE_UNIT || place_ends(p, ".slice"))
		return MATCH_NONE;
	if ((place_starts(p, "runc-") || place_starts(p, "crun-")) && place_ends(p, ".scope") &&
	    len > prefix + suffix)
		engine_claim(p, id + prefix, len - prefix - suffix, ret);
	else if (!place_is_unit(p) && p->kind != PLACE_USER)
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

/* runc keeps annotations as labels, "name=value". */
static bool runc_opts_out(const struct state *s, const char *id, struct slice state)
{
	static const char *const where[] = { "config", "labels", NULL };
	const size_t len = strlen(BUNDLE_OPT_OUT);
	struct slice labels, label;
	bool off = false;
	size_t at = 0;

	if (slice_at(state, where, &labels) < 0)
		return false;
	while (!off && slice_next(labels, &at, &label) > 0) {
		_free_ char *text = NULL;

		off = slice_text(label, IDENTITY_TEXT_MAX, &text) == 0 &&
		      strncmp(text, BUNDLE_OPT_OUT, len) == 0 && text[len] == '=' &&
		      bundle_is_off(text + len + 1);
	}
	return off;
}

/* crun keeps a copy of config.json. */
static bool crun_opts_out(const struct state *s, const char *id, struct slice status)
{
	_bundle_ struct bundle b = BUNDLE_INIT;

	return bundle_read(s, id, &b) == 0 && bundle_opts_out(&b);
}

static const struct runtime {
	const char *name, *file;
	const char *path[3]; /* to the member that tells the cgroup */
	enum proof (*proof)(const char *text, const struct place *p);
	bool (*opts_out)(const struct state *s, const char *id, struct slice text);
} runtimes[] = {
	{ "runc", "state.json", { "cgroup_paths", "", NULL }, runc_proof, runc_opts_out },
	{ "crun", "status", { "cgroup-path", NULL }, crun_proof, crun_opts_out },
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

static char *state_dir(const char *runtime, uid_t uid)
{
	return uid ? text_format("/run/user/%u/%s", (unsigned)uid, runtime)
		   : text_format("/run/%s", runtime);
}

static enum proof ask_runtime(const char *root, const struct runtime *t, const struct place *p,
			      struct identity *i)
{
	const char *id = i->container;
	_free_ char *path = text_format("%s/%s", id, t->file), *text = NULL;
	_free_ char *dir = state_dir(t->name, engine_uid(p));
	_state_ struct state s = STATE_INIT;
	enum proof proof;
	size_t len;

	if (!path || !dir || state_open(root, engine_uid(p), dir, &s) < 0)
		return PROOF_NONE;
	if (state_read(&s, path, STATE_FILE_MAX, &text, &len) < 0)
		return early_proof(&s, id, p);
	proof = text_proof(t, (struct slice){ text, len }, p);
	if (proof == PROOF_AGREES)
		i->opted_out = t->opts_out(&s, id, (struct slice){ text, len });
	return proof;
}

/* Before there is a state: the runtime's own word. A cgroup of another name than the container's
 * would not be known once it runs. */
static int ask_given(const struct identity_options *o, const struct place *p, struct identity *i,
		     enum proof *ret_proof)
{
	_bundle_ struct bundle b = BUNDLE_INIT;
	int r = bundle_given(o, p, &b);

	if (r <= 0 || !o->given->id || strcmp(o->given->id, i->container) != 0)
		return r < 0 ? r : 0;
	i->opted_out = bundle_opts_out(&b);
	*ret_proof = PROOF_AGREES;
	return 0;
}

/* What buildah runs each step of a build in: "buildah-buildah" and a number. */
static bool is_build_step(const char *id)
{
	const char *name = "buildah-buildah";
	size_t len = strlen(name);

	return strncmp(id, name, len) == 0 && id[len] && !id[len + strspn(id + len, DIGITS)];
}

static int take_name(struct identity *i)
{
	bool step = is_build_step(i->container);

	if (step)
		engine_refuse(i, "a step of a build: the next one is another program");
	i->name = strdup(step ? "buildah" : i->container);
	return i->name ? 0 : -ENOMEM;
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	uid_t uid = engine_uid(p);
	int r = ask_given(o, p, ret, ret_proof);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < ARRAY_SIZE(runtimes) && *ret_proof == PROOF_NONE; i++)
		*ret_proof = ask_runtime(o->root, &runtimes[i], p, ret);
	if (*ret_proof == PROOF_NONE && p->kind == PLACE_SYSTEM &&
	    shim_is_gvisor(o->root, uid, ret->container)) {
		*ret_proof = PROOF_AGREES;
		engine_refuse(ret, ENGINE_OTHER_KERNEL);
	}
	r = take_name(ret);
	return r < 0 ? r : engine_key(ret, uid, false, NULL);
}

const struct engine engine_bare = { "oci", true, match, fill };
