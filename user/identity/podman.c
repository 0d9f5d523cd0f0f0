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

static void read_conf(const char *root, uid_t uid, const char *dir, struct storage_conf *ret)
{
	_free_ char *text = NULL;

	if (!ret->graphroot && !ret->driver &&
	    state_read_at(root, uid, dir, "storage.conf", CONF_MAX, &text, NULL) == 0)
		(void)storage_parse_conf(text, ret);
}

static int conf_of_user(const char *root, uid_t uid, struct storage_conf *ret)
{
	_free_ char *home = NULL, *dir = NULL;

	if (state_home(root, uid, &home) < 0)
		return -ENOENT;
	dir = text_format("%s/.config/containers", home);
	if (dir)
		read_conf(root, uid, dir, ret);
	if (!ret->graphroot)
		ret->graphroot = text_format("%s/.local/share/containers/storage", home);
	return ret->graphroot ? 0 : -ENOMEM;
}

static int conf_of_root(const char *root, struct storage_conf *ret)
{
	read_conf(root, 0, "/etc/containers", ret);
	read_conf(root, 0, "/usr/share/containers", ret);
	if (!ret->graphroot)
		ret->graphroot = strdup("/var/lib/containers/storage");
	return ret->graphroot ? 0 : -ENOMEM;
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

/* What is still missing of a container's two files. */
static int look_below(const char *root, uid_t uid, const char *dir, const char *driver,
		      const char *id, struct found *ret)
{
	_state_ struct state s = STATE_INIT;
	_free_ char *bundle = NULL;

	if (state_open(root, uid, dir, &s) < 0)
		return 0;
	driver = storage_driver(&s, driver);
	bundle = text_format("%s-containers/%s/userdata", driver, id);
	if (!bundle)
		return -ENOMEM;
	if (!ret->bundle.text)
		(void)bundle_read(&s, bundle, &ret->bundle);
	if (!ret->stored.name)
		(void)storage_find(&s, driver, id, &ret->stored);
	return 0;
}

static int look(const char *root, uid_t uid, const char *id, struct found *ret)
{
	struct storage_conf conf = { 0 };
	_free_ char *run = runroot(uid);
	int r = uid ? conf_of_user(root, uid, &conf) : conf_of_root(root, &conf);

	if (r == 0)
		r = look_below(root, uid, conf.graphroot, conf.driver, id, ret);
	if (r == 0 && run && (!ret->bundle.text || !ret->stored.name))
		r = look_below(root, uid, run, conf.driver, id, ret);
	storage_conf_done(&conf);
	return r == -ENOMEM ? r : 0;
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
