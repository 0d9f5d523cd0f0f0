/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's units, those that are watched, as systemctl shows them: an instance of a template is a
 * workload of its own, but for those that are made for each connection. */
#include <errno.h>
#include <string.h>

#include "identity/engine.h"
#include "identity/key.h"
#include "identity/unit.h"

#define WHY_SCOPE     "a scope's processes are not started by systemd: nothing could load a filter"
#define WHY_SHARED    "its container has no cgroup of its own: it can't be told from its engine"
#define WHY_TRANSIENT "systemd made up the name of this unit: the next one has another"

/* A name like "run-u12.service", "run-r0123456789abcdef.service" (systemd-run). */
static bool is_transient(const struct place *p)
{
	const char *s = p->path + p->start + strlen("run-u");
	const char *digits = "0123456789abcdef";

	if (!place_starts(p, "run-u") && !place_starts(p, "run-r") && !place_starts(p, "run-p"))
		return false;
	return s[strspn(s, digits)] == '.' || s[strspn(s, digits)] == '-';
}

/* In a plain directory, or inside another unit, the name proves nothing: no file would. */
static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	if (!place_is_unit(p) || place_is_manager(p) || !engine_watched(o, p->path, p->end))
		return MATCH_NONE;
	engine_claim(p, NULL, 0, ret);
	return MATCH_CONTAINER;
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	const char *parts[] = { NULL, NULL };

	if (unit_is_shared(o->root, p)) {
		engine_refuse(ret, WHY_SHARED);
	} else if (unit_is_carrier(o->root, p)) {
		*ret_proof = PROOF_DENIES;
		return 0;
	}
	ret->name = unit_of_connection(o->root, p);
	if (!ret->name)
		ret->name = place_text(p);
	if (!ret->name)
		return -ENOMEM;
	if (place_ends(p, ".scope"))
		engine_refuse(ret, WHY_SCOPE);
	if (is_transient(p))
		engine_refuse(ret, WHY_TRANSIENT);
	parts[0] = ret->name;
	return key_parts(ret->engine, engine_uid(p), parts, &ret->key);
}

const struct engine engine_systemd = { "systemd", false, match, fill };
