/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/engine.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "identity/key.h"

/* Where shapes are alike, who is more particular comes first. */
const struct engine *const engines[] = {
	&engine_podman, &engine_crio,	&engine_cri,  &engine_docker,  &engine_containerd,
	&engine_lxc,	&engine_nspawn, &engine_bare, &engine_systemd, NULL,
};

enum match engine_claim(const struct place *p, const char *id, size_t id_len, struct claim *ret)
{
	*ret = (struct claim){ .len = p->end, .id = id, .id_len = id_len };
	return MATCH_CONTAINER;
}

uid_t engine_uid(const struct place *p)
{
	return p->kind == PLACE_USER ? p->uid : 0;
}

void engine_refuse(struct identity *i, const char *why)
{
	if (!i->enforceable)
		return;
	i->enforceable = false;
	i->why_not = why;
}

/* What is the same for every container of an image is also what to call it. */
static int name_by_key(struct identity *i, uid_t uid)
{
	const char *rest = i->key + strlen(i->engine) + 1;

	if (uid != 0)
		rest = strchr(rest, '/') + 1;
	i->name = strdup(rest);
	return i->name ? 0 : -ENOMEM;
}

int engine_key(struct identity *i, uid_t uid, bool made, const char *entry)
{
	const char *const parts[] = { i->name, NULL };
	int r;

	if (i->name && *i->name && !made)
		return key_parts(i->engine, uid, parts, &i->key);
	free(TAKE_PTR(i->name));
	if (i->image && *i->image && entry) {
		r = key_image(i->engine, uid, i->image, entry, &i->key);
		return r < 0 ? r : name_by_key(i, uid);
	}
	engine_refuse(i, "nobody named it and its image is not known: it is known by its id alone");
	return key_id(i->engine, uid, i->container, &i->key);
}

bool engine_watched(const struct identity_options *o, const char *path, size_t len)
{
	_free_ char *part = o->watch ? strndup(path, len) : NULL;
	size_t i;

	if (o->watch && !part)
		memory_failed();
	if (!part)
		return false;
	for (i = 0; o->watch[i]; i++)
		if (fnmatch(o->watch[i], part, 0) == 0)
			return true;
	return false;
}
