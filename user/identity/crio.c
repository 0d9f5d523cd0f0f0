/* SPDX-License-Identifier: Apache-2.0 */
/* CRI-O: names, image and owner from the bundles it keeps beside podman's. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/kube.h"
#include "identity/shim.h"
#include "identity/state.h"
#include "identity/storage.h"
#include "identity/storage_conf.h"
#include "identity/toml.h"

#define ANNOTATION "io.kubernetes.cri-o."
#define JSON_MAX   (256U << 10)
#define CONF_MAX   (1U << 20)

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id = place_id64(p, "crio-", ".scope");

	if (place_id64(p, "crio-conmon-", ".scope") || place_id64(p, "crio-conmon-", ""))
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

static void replace(char **field, char *value)
{
	if (!value)
		return;
	free(*field);
	*field = value;
}

/* storage.conf, over which CRI-O's own file goes. */
static int find_dirs(const char *root, struct storage_conf *ret)
{
	_free_ char *text = NULL;
	int r = storage_conf_find(root, 0, ret);

	if (r < 0 || state_read_at(root, 0, "/etc/crio", "crio.conf", CONF_MAX, &text, NULL) < 0)
		return r;
	replace(&ret->graphroot, toml_text(text, "crio", "root"));
	replace(&ret->runroot, toml_text(text, "crio", "runroot"));
	return 0;
}

/* podman's bundles lie in the same place: only CRI-O's own count. */
static int take_crios(struct bundle *b, struct bundle *ret)
{
	if (!is_crio(b))
		return -ENOENT;
	*ret = *b;
	*b = BUNDLE_INIT;
	return 0;
}

static int read_below(const char *root, const char *dir, const char *driver, const char *id,
		      struct bundle *ret)
{
	_state_ struct state s = STATE_INIT;
	_bundle_ struct bundle b = BUNDLE_INIT;
	_free_ char *path = NULL;

	if (state_open(root, 0, dir, &s) < 0)
		return -ENOENT;
	path = text_format("%s-containers/%s/userdata", storage_driver(&s, driver), id);
	if (!path)
		return -ENOMEM;
	return bundle_read(&s, path, &b) < 0 ? -ENOENT : take_crios(&b, ret);
}

static int read_bundle(const char *root, const char *id, struct bundle *ret)
{
	_storage_conf_ struct storage_conf conf = STORAGE_CONF_INIT;
	int r = find_dirs(root, &conf);

	if (r == 0)
		r = read_below(root, conf.runroot, conf.driver, id, ret);
	if (r == -ENOENT)
		r = read_below(root, conf.graphroot, conf.driver, id, ret);
	return r;
}

/* The container's own, which may be given. */
static int find_bundle(const struct identity_options *o, const struct place *p, const char *id,
		       struct bundle *ret)
{
	_bundle_ struct bundle given = BUNDLE_INIT;
	int r = bundle_given(o, p, &given);

	if (r > 0 && take_crios(&given, ret) == 0)
		return 0;
	return r < 0 ? r : read_bundle(o->root, id, ret);
}

static void take_names(const struct bundle *b, struct identity *i)
{
	(void)bundle_annotation(b, "io.kubernetes.container.name", &i->name);
	(void)bundle_annotation(b, "io.kubernetes.pod.name", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "Namespace", &i->namespace);
	if (!i->namespace)
		(void)bundle_annotation(b, "io.kubernetes.pod.namespace", &i->namespace);
	if (!i->pod)
		(void)bundle_annotation(b, ANNOTATION "KubeName", &i->pod);
	(void)bundle_annotation(b, ANNOTATION "ImageName", &i->image);
	(void)bundle_annotation(b, ANNOTATION "ImageRef", &i->image_digest);
}

static bool is_sandbox(const struct bundle *b)
{
	_free_ char *type = NULL;

	return bundle_annotation(b, ANNOTATION "ContainerType", &type) == 0 &&
	       strcmp(type, "sandbox") == 0;
}

static struct slice as_slice(const char *text)
{
	return (struct slice){ .text = text, .len = text ? strlen(text) : 0 };
}

static int owner_of(const char *root, const struct bundle *b, const struct bundle *sandbox,
		    const char *pod, char **ret)
{
	_free_ char *labels = NULL, *annotations = NULL, *created = NULL;
	_free_ char *host = kube_host(root);
	struct kube_evidence e = { .host = host };

	(void)bundle_long_annotation(sandbox, ANNOTATION "Labels", JSON_MAX, &labels);
	(void)bundle_long_annotation(sandbox, ANNOTATION "Annotations", JSON_MAX, &annotations);
	(void)bundle_annotation(b, ANNOTATION "Created", &created);
	e.labels = as_slice(labels);
	e.annotations = as_slice(annotations);
	e.created = created;
	*ret = kube_owner(pod, &e);
	return *ret ? 0 : -ENOMEM;
}

static void check_kernel(const struct bundle *b, struct identity *i)
{
	_free_ char *handler = NULL;

	if (bundle_annotation(b, ANNOTATION "RuntimeHandler", &handler) == 0 && shim_is_vm(handler))
		engine_refuse(i, ENGINE_OTHER_KERNEL);
}

/* The pod's annotations are those of the sandbox, as JSON in one of its own. */
static bool pod_opts_out(const struct bundle *sandbox)
{
	_free_ char *annotations = NULL, *value = NULL;
	struct slice s;

	if (bundle_opts_out(sandbox))
		return true;
	if (bundle_long_annotation(sandbox, ANNOTATION "Annotations", JSON_MAX, &annotations) < 0 ||
	    slice_member(as_slice(annotations), BUNDLE_OPT_OUT, &s) < 0)
		return false;
	return slice_text(s, IDENTITY_TEXT_MAX, &value) == 0 && bundle_is_off(value);
}

/* The pod's labels and runtime are its sandbox's, the container has only its own. */
static int take_pods(const char *root, const struct bundle *b, struct identity *i, char **ret_owner)
{
	_bundle_ struct bundle sandbox = BUNDLE_INIT;
	_free_ char *id = NULL;

	if (bundle_annotation(b, ANNOTATION "SandboxID", &id) == 0 && kube_is_id(id) &&
	    read_bundle(root, id, &sandbox) == -ENOMEM)
		return -ENOMEM;
	check_kernel(&sandbox, i);
	i->opted_out |= pod_opts_out(&sandbox);
	return i->pod ? owner_of(root, b, &sandbox, i->pod, ret_owner) : 0;
}

static int take(const char *root, const struct bundle *b, struct identity *ret)
{
	_free_ char *owner = NULL;
	int r;

	take_names(b, ret);
	check_kernel(b, ret);
	if (is_sandbox(b)) {
		free(TAKE_PTR(ret->name));
		if (ret->enforceable)
			return 1;
		ret->name = strdup(KUBE_SANDBOX);
		if (!ret->name)
			return -ENOMEM;
	}
	r = kube_take_log_link(root, ret);
	if (r == 0)
		r = take_pods(root, b, ret, &owner);
	return r < 0 ? r : kube_key(ret, 0, owner);
}

/* CRI-O runs as root alone: a user's cgroup of that name is the user's, and of no pod. */
static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;

	if (engine_uid(p) != 0)
		return kube_key(ret, engine_uid(p), NULL);
	if (find_bundle(o, p, ret->container, &bundle) == -ENOMEM)
		return -ENOMEM;
	*ret_proof = bundle_proof(&bundle, p);
	ret->opted_out = bundle_opts_out(&bundle);
	return take(o->root, &bundle, ret);
}

const struct engine engine_crio = { "crio", true, match, fill };
