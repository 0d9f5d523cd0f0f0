/* SPDX-License-Identifier: Apache-2.0 */
/* podman: rootful and rootless, pods, quadlet's split. Names and images from its storage. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/names.h"
#include "identity/storage.h"
#include "identity/unit.h"

#define CONF_MAX (256U << 10)

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id;

	ret->home = place_top_is(p, "libpod_parent");
	if (place_id64(p, "libpod-conmon-", ".scope"))
		return MATCH_MONITOR;
	if (ret->home && p->depth == 1 && place_is(p, "conmon"))
		return MATCH_MONITOR;
	id = place_id64(p, "libpod-", ".scope");
	if (!id)
		id = place_id64(p, "libpod-", "");
	/* --cgroups=split: below the unit that podman was started in. */
	if (!id)
		id = place_id64(p, "libpod-payload-", "");
	if (!id)
		return MATCH_NONE;
	engine_claim(p, id, PLACE_ID_LEN, ret);
	ret->home = place_top_is(p, "libpod_parent");
	return MATCH_CONTAINER;
}

static char *conf_graphroot(const char *root, uid_t uid, const char *dir)
{
	_free_ char *text = NULL;
	char *found = NULL;

	if (state_read_at(root, uid, dir, "storage.conf", CONF_MAX, &text, NULL) == 0)
		(void)storage_parse_graphroot(text, &found);
	return found;
}

static char *graphroot_of_user(const char *root, uid_t uid)
{
	_free_ char *home = NULL, *conf = NULL;
	char *found;

	if (state_home(root, uid, &home) < 0)
		return NULL;
	conf = text_format("%s/.config/containers", home);
	found = conf ? conf_graphroot(root, uid, conf) : NULL;
	return found ? found : text_format("%s/.local/share/containers/storage", home);
}

static char *graphroot_of_root(const char *root)
{
	char *found = conf_graphroot(root, 0, "/etc/containers");

	if (!found)
		found = conf_graphroot(root, 0, "/usr/share/containers");
	return found ? found : strdup("/var/lib/containers/storage");
}

/* Where a transient store keeps its containers. */
static char *runroot(uid_t uid)
{
	if (uid == 0)
		return strdup("/run/containers/storage");
	return text_format("/run/user/%u/containers", (unsigned)uid);
}

struct found {
	struct bundle bundle;
	struct stored stored;
};

/* Both files of a container, of the driver whose storage has either. */
static int look_below(const char *root, uid_t uid, const char *dir, const char *id,
		      struct found *ret)
{
	_state_ struct state s = STATE_INIT;
	const char *const *driver;
	int r = dir ? state_open(root, uid, dir, &s) : -ENOENT;

	for (driver = storage_drivers; r == 0 && *driver; driver++) {
		_free_ char *bundle = text_format("%s-containers/%s/userdata", *driver, id);

		if (!bundle)
			return -ENOMEM;
		if (!ret->bundle.text)
			(void)bundle_read(&s, bundle, &ret->bundle);
		if (!ret->stored.name && storage_find(&s, *driver, id, &ret->stored) == 0)
			break;
	}
	return r == -ENOMEM ? r : 0;
}

static int look(const char *root, uid_t uid, const char *id, struct found *ret)
{
	_free_ char *graph = uid ? graphroot_of_user(root, uid) : graphroot_of_root(root);
	_free_ char *run = runroot(uid);
	int r = look_below(root, uid, graph, id, ret);

	if (r == 0 && (!ret->bundle.text || !ret->stored.name))
		r = look_below(root, uid, run, id, ret);
	return r;
}

static int take(struct identity *i, struct found *f, uid_t uid)
{
	_free_ char *entry = NULL;
	bool made;

	i->name = TAKE_PTR(f->stored.name);
	i->image = TAKE_PTR(f->stored.image);
	if (!i->image || !*i->image) {
		free(i->image);
		i->image = TAKE_PTR(f->stored.image_id);
	}
	i->image_digest = TAKE_PTR(f->stored.digest);
	(void)bundle_annotation(&f->bundle, "io.kubernetes.cri-o.SandboxID", &i->pod);
	(void)bundle_entry(&f->bundle, &entry);
	made = i->name && (names_is_made(i->name) || names_is_infra(i->name));
	return engine_key(i, uid, made, entry);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	struct found f = { 0 };
	uid_t uid = engine_uid(p);
	int r = look(o->root, uid, ret->container, &f);

	if (r == 0) {
		*ret_proof = bundle_proof(&f.bundle, p);
		/* Quadlet's own unit, whose container is too young or too old to have files. */
		if (*ret_proof == PROOF_NONE && p->kind == PLACE_UNIT &&
		    unit_is_carrier(o->root, p))
			*ret_proof = PROOF_AGREES;
		r = take(ret, &f, uid);
	}
	bundle_done(&f.bundle);
	stored_done(&f.stored);
	return r;
}

const struct engine engine_podman = { "podman", match, fill };
