/* SPDX-License-Identifier: Apache-2.0 */
/* LXC, LXD and Incus, by path only: lxc.payload.NAME, or what a container's file says; monitors
 * beside them. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/state.h"

#define PAYLOAD	   "lxc.payload."
#define CONFIG_MAX (256U << 10)

/* "/lxc/NAME" of older versions and of Proxmox, the monitor below or at "/lxc.monitor/NAME". */
static enum match match_old(const struct place *p, struct claim *ret)
{
	if (place_top_is(p, "lxc.monitor"))
		return MATCH_MONITOR;
	if (!place_top_is(p, "lxc") || p->depth != 1)
		return MATCH_NONE;
	if (strcmp(p->path + p->end, "/monitor") == 0)
		return MATCH_MONITOR;
	engine_claim(p, p->path + p->start, p->end - p->start, ret);
	ret->proof = ret->vague = true;
	return MATCH_CONTAINER;
}

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	size_t prefix = strlen(PAYLOAD);

	ret->home = place_top_is(p, "lxc") || place_top_is(p, "lxc.monitor");
	if (place_starts(p, "lxc.monitor.") || place_is(p, "lxc.pivot"))
		return MATCH_MONITOR;
	if (!place_starts(p, PAYLOAD))
		return match_old(p, ret);
	if (p->end - p->start == prefix)
		return MATCH_NONE;
	engine_claim(p, p->path + p->start + prefix, p->end - p->start - prefix, ret);
	ret->home = place_top_is(p, "lxc");
	return MATCH_CONTAINER;
}

/* Where the containers' own directories are. */
static int open_containers(const char *root, uid_t uid, struct state *ret)
{
	_free_ char *home = NULL, *dir = NULL;

	if (uid == 0)
		return state_open(root, 0, "/var/lib/lxc", ret);
	if (state_home(root, uid, &home) < 0)
		return -ENOENT;
	dir = text_format("%s/.local/share/lxc", home);
	return dir ? state_open(root, uid, dir, ret) : -ENOMEM;
}

/* LXC appends "-N" when a cgroup of that name is left over: it isn't the name's when only the
 * name without it is a container's. */
static void drop_retry(const struct state *s, char *name)
{
	char *dash = strrchr(name, '-');

	if (!dash || dash == name || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
		return;
	if (state_has_dir(s, name))
		return;
	*dash = '\0';
	if (!state_has_dir(s, name))
		*dash = '-';
}

/* The value of "lxc.cgroup.dir = VALUE", without the '/' that it may begin with. */
static const char *configured_dir(char *line)
{
	const char *name = "lxc.cgroup.dir";
	char *s = line + strspn(line, " \t");

	if (strncmp(s, name, strlen(name)) != 0)
		return NULL;
	s += strlen(name);
	s += strspn(s, " \t");
	if (*s++ != '=')
		return NULL;
	s += strspn(s, " \t/");
	s[strcspn(s, " \t\r")] = '\0';
	return s;
}

static bool is_in(const struct place *p, const char *dir)
{
	size_t len = strlen(dir);

	return len > 0 && len + 1 == p->above && memcmp(p->path + 1, dir, len) == 0;
}

/* A container's own file may put it elsewhere than where all are. */
static enum proof config_proof(const struct state *s, const char *name, const struct place *p)
{
	_free_ char *path = text_format("%s/config", name), *text = NULL;
	char *save = NULL, *line;

	if (!path || state_read(s, path, CONFIG_MAX, &text, NULL) < 0)
		return PROOF_NONE;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *dir = configured_dir(line);

		if (dir && is_in(p, dir))
			return PROOF_AGREES;
	}
	return PROOF_NONE;
}

/* At the old place, and anywhere below a user's manager, it is enough that there is such a
 * container. */
static enum proof find_proof(const struct state *s, const char *name, const struct place *p,
			     const struct claim *c)
{
	if ((c->proof || engine_uid(p) != 0) && state_has_dir(s, name))
		return PROOF_AGREES;
	return config_proof(s, name, p);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_state_ struct state s = STATE_INIT;

	ret->name = strdup(ret->container);
	if (!ret->name)
		return -ENOMEM;
	if (open_containers(o->root, engine_uid(p), &s) == 0) {
		drop_retry(&s, ret->name);
		*ret_proof = find_proof(&s, ret->name, p, c);
	}
	return engine_key(ret, engine_uid(p), false, NULL);
}

const struct engine engine_lxc = { "lxc", false, match, fill };
