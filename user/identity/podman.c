/* SPDX-License-Identifier: Apache-2.0 */
/* podman: rootful and rootless, pods, quadlet's split. Names and images from its storage. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/names.h"
#include "identity/shim.h"
#include "identity/storage.h"
#include "identity/storage_conf.h"
#include "identity/unit.h"

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id;

	ret->home = place_top_is(p, "libpod_parent");
	if (place_id64(p, "libpod-conmon-", ".scope"))
		return MATCH_MONITOR;
	if (ret->home && p->depth <= 2 && place_is(p, "conmon"))
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
	_storage_conf_ struct storage_conf conf = STORAGE_CONF_INIT;
	int r = storage_conf_find(root, uid, &conf);

	if (r == 0)
		r = look_below(root, uid, conf.graphroot, conf.driver, id, ret);
	/* Where a transient store keeps its containers. */
	if (r == 0 && (!ret->bundle.text || !ret->stored.name))
		r = look_below(root, uid, conf.runroot, conf.driver, id, ret);
	return r == -ENOMEM ? r : 0;
}

/* The pod's id is in its cgroup's name: annotations say what the container's user likes. */
static int take_pod(const struct place *p, struct identity *i)
{
	const char *mark = "libpod_pod_", *id = NULL;
	struct place pod;

	if (!place_parent(p, &pod))
		return 0;
	if (place_ends(&pod, ".slice"))
		id = place_find(&pod, mark);
	if (id)
		id += strlen(mark);
	else if (place_top_is(p, "libpod_parent"))
		id = place_id64(&pod, "", "");
	if (!id || strspn(id, "0123456789abcdef") != PLACE_ID_LEN)
		return 0;
	i->pod = strndup(id, PLACE_ID_LEN);
	return i->pod ? 0 : -ENOMEM;
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
	(void)bundle_entry(&f->bundle, &entry);
	made = i->name && (names_is_made(i->name) || names_is_infra(i->name));
	return engine_key(i, uid, made, entry);
}

/* gVisor keeps a state of its own; krun is a handler inside of crun. */
static void check_kernel(const char *root, uid_t uid, const struct bundle *b, struct identity *i)
{
	_free_ char *handler = NULL;

	(void)bundle_annotation(b, "run.oci.handler", &handler);
	if ((handler && shim_is_vm(handler)) || shim_is_gvisor(root, uid, i->container))
		engine_refuse(i, ENGINE_OTHER_KERNEL);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	struct found f = { 0 };
	uid_t uid = engine_uid(p);
	int r = bundle_given(o, p, &f.bundle);

	if (r >= 0)
		r = look(o->root, uid, ret->container, &f);
	if (r == 0) {
		ret->opted_out = bundle_opts_out(&f.bundle);
		*ret_proof = bundle_proof(&f.bundle, p);
		/* Quadlet's own unit, whose container is too young or too old to have files. */
		if (*ret_proof == PROOF_NONE && (p->kind == PLACE_UNIT || place_in_users_unit(p)) &&
		    unit_is_carrier(o->root, p))
			*ret_proof = PROOF_AGREES;
		check_kernel(o->root, uid, &f.bundle, ret);
		r = take_pod(p, ret);
	}
	if (r == 0)
		r = take(ret, &f, uid);
	bundle_done(&f.bundle);
	stored_done(&f.stored);
	return r;
}

const struct engine engine_podman = { "podman", true, match, fill };
