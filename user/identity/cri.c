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

static int take_names(const struct bundle *b, struct identity *i)
{
	_free_ char *type = NULL;

	(void)bundle_annotation(b, ANNOTATION "container-name", &i->name);
	(void)bundle_annotation(b, ANNOTATION "sandbox-name", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "sandbox-namespace", &i->namespace);
	(void)bundle_annotation(b, ANNOTATION "image-name", &i->image);
	(void)bundle_annotation(b, ANNOTATION "container-type", &type);
	if (i->name || !type || strcmp(type, "sandbox") != 0)
		return 0;
	i->name = strdup(KUBE_SANDBOX);
	return i->name ? 0 : -ENOMEM;
}

static int take_digest(struct identity *i)
{
	const char *digest = i->image ? strstr(i->image, "@sha256:") : NULL;

	if (!digest)
		return 0;
	i->image_digest = strdup(digest + 1);
	return i->image_digest ? 0 : -ENOMEM;
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;
	bool vm = false;
	int r = shim_read(o->root, engine_uid(p), "k8s.io", ret->container, &bundle, &vm, NULL);

	if (r == -ENOMEM)
		return r;
	if (vm)
		engine_refuse(ret, "it runs on another kernel than this one");
	*ret_proof = bundle_proof(&bundle, p);
	r = take_names(&bundle, ret);
	if (r == 0)
		r = take_digest(ret);
	if (r == 0 && engine_uid(p) == 0)
		r = kube_take_log_link(o->root, ret);
	return r < 0 ? r : kube_key(ret, engine_uid(p), NULL);
}

const struct engine engine_cri = { "kubernetes", match, fill };
