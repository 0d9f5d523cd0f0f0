/* SPDX-License-Identifier: Apache-2.0 */
/* containerd without docker or Kubernetes: ctr, nerdctl, other clients. */
#include <errno.h>
#include <string.h>

#include "identity/engine.h"
#include "identity/key.h"
#include "identity/project.h"
#include "identity/shim.h"

#define NERDCTL_ID_SHOWN 5

/* "/NAMESPACE/ID", both free text: it counts only when the bundle says so. */
static enum match match_free(const struct place *p, struct claim *ret)
{
	if (p->depth != 1 || p->kind != PLACE_PLAIN)
		return MATCH_NONE;
	engine_claim(p, p->path + p->start, p->end - p->start, ret);
	ret->proof = ret->vague = true;
	return MATCH_CONTAINER;
}

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id = place_id64(p, "nerdctl-", ".scope");

	return id ? engine_claim(p, id, PLACE_ID_LEN, ret) : match_free(p, ret);
}

static bool is_nerdctl(const struct identity *i)
{
	return strlen(i->container) == PLACE_ID_LEN &&
	       strspn(i->container, "0123456789abcdef") == PLACE_ID_LEN;
}

/* nerdctl calls what the user didn't name "IMAGE-01234", by the id. The image's short name then
 * goes to i->image: nothing else in the bundle tells it. */
static bool is_made(struct identity *i)
{
	size_t len = strlen(i->name);
	const char *tail = i->name + len - NERDCTL_ID_SHOWN;

	if (len < NERDCTL_ID_SHOWN + 2 || tail[-1] != '-' ||
	    strncmp(tail, i->container, NERDCTL_ID_SHOWN) != 0)
		return false;
	i->image = strndup(i->name, len - NERDCTL_ID_SHOWN - 1);
	return true;
}

/* Labels of nerdctl's containers. Those of others may come with the image. */
struct labels {
	char *project, *service;
};

static void take_labels(const struct bundle *b, struct identity *i, struct labels *ret)
{
	(void)bundle_annotation(b, "nerdctl/name", &i->name);
	(void)bundle_annotation(b, "com.docker.compose.project", &ret->project);
	(void)bundle_annotation(b, "com.docker.compose.service", &ret->service);
}

static int make_key(struct identity *i, uid_t uid, const struct labels *l, const char *entry)
{
	const char *const composed[] = { i->namespace, l->project, l->service, NULL };
	const char *const named[] = { i->namespace, i->name, NULL };

	if (!i->name || !i->namespace)
		return engine_key(i, uid, true, NULL);
	if (l->project && l->service && project_made(i->name, l->project, l->service))
		return key_parts(i->engine, uid, composed, &i->key);
	if (is_nerdctl(i) && is_made(i))
		return engine_key(i, uid, true, entry);
	return key_parts(i->engine, uid, named, &i->key);
}

static char *namespace_of(const struct place *p)
{
	return strndup(p->path + 1, p->top - 1);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;
	_free_ char *entry = NULL, *namespace = c->proof ? namespace_of(p) : NULL;
	struct labels labels = { 0 };
	uid_t uid = engine_uid(p);
	bool vm = false;
	int r = shim_ask(o, p, namespace, ret->container, &bundle, &vm, &ret->namespace);

	if (r == -ENOMEM)
		return r;
	if (vm)
		engine_refuse(ret, ENGINE_OTHER_KERNEL);
	*ret_proof = bundle_proof(&bundle, p);
	ret->opted_out = bundle_opts_out(&bundle);
	(void)bundle_entry(&bundle, &entry);
	if (is_nerdctl(ret))
		take_labels(&bundle, ret, &labels);
	else
		ret->name = strdup(ret->container);
	r = make_key(ret, uid, &labels, entry);
	free(labels.project);
	free(labels.service);
	return r;
}

const struct engine engine_containerd = { "containerd", true, match, fill };
