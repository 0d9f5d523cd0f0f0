/* SPDX-License-Identifier: Apache-2.0 */
/* CRI-O: names, image and owner from the bundles it keeps beside podman's. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/kube.h"
#include "identity/state.h"

#define ANNOTATION "io.kubernetes.cri-o."
#define JSON_MAX   (256U << 10)
#define HOST_MAX   256

static const char *const storage_dirs[] = { "/run/containers/storage",
					    "/var/lib/containers/storage" };

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id = place_id64(p, "crio-", ".scope");

	if (place_id64(p, "crio-conmon-", ".scope"))
		return MATCH_MONITOR;
	if (!id)
		id = place_id64(p, "crio-", "");
	if (!id)
		return MATCH_NONE;
	engine_claim(p, id, PLACE_ID_LEN, ret);
	ret->home =
		(kube_in_pod(p) && kube_is_home(p)) || (p->depth == 1 && place_top_is(p, "crio"));
	return MATCH_CONTAINER;
}

static bool is_crio(const struct bundle *b)
{
	_free_ char *manager = NULL;

	return bundle_annotation(b, "io.container.manager", &manager) == 0 &&
	       strcmp(manager, "cri-o") == 0;
}

/* podman's bundles lie in the same place: only CRI-O's own count. */
static int read_bundle(const char *root, const char *id, struct bundle *ret)
{
	_free_ char *path = text_format("overlay-containers/%s/userdata", id);
	size_t i;

	if (!path)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(storage_dirs); i++) {
		_state_ struct state s = STATE_INIT;
		_bundle_ struct bundle b = BUNDLE_INIT;

		if (state_open(root, 0, storage_dirs[i], &s) < 0 || bundle_read(&s, path, &b) < 0)
			continue;
		if (!is_crio(&b))
			continue;
		*ret = b;
		b = BUNDLE_INIT;
		return 0;
	}
	return -ENOENT;
}

static int take_names(const struct bundle *b, struct identity *i)
{
	_free_ char *type = NULL;

	(void)bundle_annotation(b, "io.kubernetes.container.name", &i->name);
	(void)bundle_annotation(b, "io.kubernetes.pod.name", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "Namespace", &i->namespace);
	if (!i->namespace)
		(void)bundle_annotation(b, "io.kubernetes.pod.namespace", &i->namespace);
	if (!i->pod)
		(void)bundle_annotation(b, ANNOTATION "KubeName", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "ImageName", &i->image);
	(void)bundle_annotation(b, ANNOTATION "ImageRef", &i->image_digest);
	(void)bundle_annotation(b, ANNOTATION "ContainerType", &type);
	if (!type || strcmp(type, "sandbox") != 0)
		return 0;
	free(i->name);
	i->name = strdup(KUBE_SANDBOX);
	return i->name ? 0 : -ENOMEM;
}

static struct slice as_slice(const char *text)
{
	return (struct slice){ .text = text, .len = text ? strlen(text) : 0 };
}

static char *host_name(const char *root)
{
	char *text = NULL;

	if (state_read_at(root, 0, "/etc", "hostname", HOST_MAX, &text, NULL) == 0)
		text[strcspn(text, " \t\r\n")] = '\0';
	return text;
}

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == PLACE_ID_LEN && !s[PLACE_ID_LEN];
}

static int owner_of(const char *root, const struct bundle *sandbox, const char *pod, char **ret)
{
	_free_ char *labels = NULL, *annotations = NULL, *host = host_name(root);

	(void)bundle_long_annotation(sandbox, ANNOTATION "Labels", JSON_MAX, &labels);
	(void)bundle_long_annotation(sandbox, ANNOTATION "Annotations", JSON_MAX, &annotations);
	*ret = kube_owner(pod, as_slice(labels), as_slice(annotations), host);
	return *ret ? 0 : -ENOMEM;
}

/* The pod's labels are its sandbox's, the container has only its own. */
static int find_owner(const char *root, const struct bundle *b, const struct identity *i,
		      char **ret)
{
	_bundle_ struct bundle sandbox = BUNDLE_INIT;
	_free_ char *id = NULL;

	if (!i->pod)
		return 0;
	if (i->name && strcmp(i->name, KUBE_SANDBOX) == 0)
		return owner_of(root, b, i->pod, ret);
	if (bundle_annotation(b, ANNOTATION "SandboxID", &id) == 0 && is_id(id))
		(void)read_bundle(root, id, &sandbox);
	return owner_of(root, &sandbox, i->pod, ret);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;
	_free_ char *owner = NULL;
	int r = engine_uid(p) == 0 ? read_bundle(o->root, ret->container, &bundle) : -ENOENT;

	if (r == -ENOMEM)
		return r;
	*ret_proof = bundle_proof(&bundle, p);
	r = take_names(&bundle, ret);
	if (r == 0 && engine_uid(p) == 0)
		r = kube_take_log_link(o->root, ret);
	if (r == 0)
		r = find_owner(o->root, &bundle, ret, &owner);
	return r < 0 ? r : kube_key(ret, engine_uid(p), owner);
}

const struct engine engine_crio = { "crio", match, fill };
