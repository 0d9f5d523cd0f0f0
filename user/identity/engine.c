/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/engine.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "identity/key.h"

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

int engine_key(struct identity *i, uid_t uid, bool made, const char *entry)
{
	const char *const parts[] = { i->name, NULL };

	if (i->name && *i->name && !made)
		return key_parts(i->engine, uid, parts, &i->key);
	if (i->image && *i->image && entry)
		return key_image(i->engine, uid, i->image, entry, &i->key);
	engine_refuse(i, "its engine's files could not be read: it is known by its id alone");
	return key_id(i->engine, uid, i->container, &i->key);
}

bool engine_watched(const struct identity_options *o, const char *path, size_t len)
{
	_free_ char *part = o->watch ? strndup(path, len) : NULL;
	size_t i;

	if (!part)
		return false;
	for (i = 0; o->watch[i]; i++)
		if (fnmatch(o->watch[i], part, 0) == 0)
			return true;
	return false;
}
