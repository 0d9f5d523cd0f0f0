/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes over containerd's CRI (and cri-dockerd by the kubelet's links alone). */
#include <errno.h>
#include <string.h>

#include "identity/engine.h"
#include "identity/kube.h"
#include "identity/shim.h"

#define ANNOTATION "io.kubernetes.cri."

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *own = place_id64(p, "cri-containerd-", ".scope");
	const char *docker = place_id64(p, "docker-", ".scope"), *bare = place_id64(p, "", "");
	bool in_pod = (own || docker || bare) && kube_in_pod(p);
	bool k8s_io = bare && p->depth == 1 && place_top_is(p, "k8s.io");

	if (!own && !in_pod && !k8s_io)
		return MATCH_NONE;
	engine_claim(p, own ? own : docker ? docker : bare, PLACE_ID_LEN, ret);
	ret->home = in_pod && kube_is_home(p);
	return MATCH_CONTAINER;
}

static void take_names(const struct bundle *b, struct identity *i)
{
	(void)bundle_annotation(b, ANNOTATION "container-name", &i->name);
	(void)bundle_annotation(b, ANNOTATION "sandbox-name", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "sandbox-namespace", &i->namespace);
	(void)bundle_annotation(b, ANNOTATION "image-name", &i->image);
}

static int take_digest(struct identity *i)
{
	const char *digest = i->image ? strstr(i->image, "@sha256:") : NULL;

	if (!digest)
		return 0;
	i->image_digest = strdup(digest + 1);
	return i->image_digest ? 0 : -ENOMEM;
}

static bool is_sandbox(const struct bundle *b)
{
	_free_ char *type = NULL;

	return bundle_annotation(b, ANNOTATION "container-type", &type) == 0 &&
	       strcmp(type, "sandbox") == 0;
}

/* nerdctl and ctr make annotations of labels, which can come with an image, in any namespace: what
 * they made is told by nerdctl's own, or lies in no pod and says of none. */
static bool is_clients(const struct bundle *b, const struct place *p)
{
	_free_ char *nerdctl = NULL, *uid = NULL;

	if (!b->text || kube_in_pod(p))
		return false;
	return bundle_annotation(b, "nerdctl/namespace", &nerdctl) == 0 ||
	       bundle_annotation(b, ANNOTATION "sandbox-id", &uid) < 0;
}

/* A container that came later into a pod's machine has no runtime of its own to tell of. */
static int check_sandbox(const char *root, const struct bundle *b, struct identity *i)
{
	_bundle_ struct bundle sandbox = BUNDLE_INIT;
	_free_ char *id = NULL;
	bool vm = false;
	int r;

	if (bundle_annotation(b, ANNOTATION "sandbox-id", &id) < 0 || !kube_is_id(id))
		return 0;
	r = shim_read(root, 0, "k8s.io", id, &sandbox, &vm, NULL);
	if (vm)
		engine_refuse(i, ENGINE_OTHER_KERNEL);
	return r == -ENOMEM ? r : 0;
}

/* The bundle holds no labels of the pod: static pods alone can be told from what made them. */
static int make_key(const char *root, const struct place *p, struct identity *i)
{
	struct kube_evidence e = { .is_static = i->pod && kube_is_static(p) };
	_free_ char *host = e.is_static ? kube_host(root) : NULL, *owner = NULL;

	e.host = host;
	if (e.is_static) {
		owner = kube_owner(i->pod, &e);
		if (!owner)
			return -ENOMEM;
	}
	return kube_key(i, engine_uid(p), owner);
}

static int take(const struct identity_options *o, const struct place *p, const struct bundle *b,
		struct identity *ret)
{
	int r;

	take_names(b, ret);
	if (!ret->name && is_sandbox(b)) {
		if (ret->enforceable)
			return 1;
		ret->name = strdup(KUBE_SANDBOX);
		if (!ret->name)
			return -ENOMEM;
	}
	r = take_digest(ret);
	if (r == 0 && engine_uid(p) == 0)
		r = check_sandbox(o->root, b, ret);
	if (r == 0 && engine_uid(p) == 0)
		r = kube_take_log_link(o->root, ret);
	return r < 0 ? r : make_key(o->root, p, ret);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;
	bool vm = false;
	int r = shim_ask(o, p, "k8s.io", ret->container, &bundle, &vm, NULL);

	if (r == -ENOMEM)
		return r;
	if (is_clients(&bundle, p)) {
		*ret_proof = PROOF_DENIES;
		return 0;
	}
	if (vm)
		engine_refuse(ret, ENGINE_OTHER_KERNEL);
	*ret_proof = bundle_proof(&bundle, p);
	ret->opted_out = bundle_opts_out(&bundle);
	return take(o, p, &bundle, ret);
}

const struct engine engine_cri = { "kubernetes", true, match, fill };
