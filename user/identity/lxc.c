/* SPDX-License-Identifier: Apache-2.0 */
/* LXC, LXD and Incus, by path only: lxc.payload.NAME, monitors beside them. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/state.h"

#define PAYLOAD "lxc.payload."

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	size_t prefix = strlen(PAYLOAD);

	if (place_starts(p, "lxc.monitor.") || place_is(p, "lxc.pivot"))
		return MATCH_MONITOR;
	if (!place_starts(p, PAYLOAD) || p->end - p->start == prefix)
		return MATCH_NONE;
	engine_claim(p, p->path + p->start + prefix, p->end - p->start - prefix, ret);
	ret->home = place_top_is(p, "lxc");
	return MATCH_CONTAINER;
}

/* LXC appends "-N" when a cgroup of that name is left over: it isn't the name's when only the
 * name without it is a container's. */
static void drop_retry(const char *root, char *name)
{
	_state_ struct state s = STATE_INIT;
	char *dash = strrchr(name, '-');

	if (!dash || dash == name || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
		return;
	if (state_open(root, 0, "/var/lib/lxc", &s) < 0 || state_has_dir(&s, name))
		return;
	*dash = '\0';
	if (!state_has_dir(&s, name))
		*dash = '-';
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	ret->name = strdup(ret->container);
	if (!ret->name)
		return -ENOMEM;
	if (engine_uid(p) == 0)
		drop_retry(o->root, ret->name);
	return engine_key(ret, engine_uid(p), false, NULL);
}

const struct engine engine_lxc = { "lxc", match, fill };
