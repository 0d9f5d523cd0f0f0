/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/inner.h"

#include <errno.h>
#include <string.h>

#include "identity/engine.h"
#include "identity/key.h"

#define ID_SHOWN 12
#define CRUN	 "/container"

static int make_label(const struct engine *e, const struct claim *c, char **ret)
{
	size_t len = c->id_len == PLACE_ID_LEN ? ID_SHOWN : c->id_len;
	_free_ char *id = strndup(c->id, len);
	const char *const parts[] = { id, NULL };

	return id ? key_parts(e->name, 0, parts, ret) : -ENOMEM;
}

/* 1: found, 0: no engine's. */
static int ask_all(const struct place *p, char **ret)
{
	static const struct identity_options unwatched;
	size_t n;
	int r;

	for (n = 0; engines[n]; n++) {
		struct claim c = { 0 };

		if (engines[n]->match(&unwatched, p, &c) != MATCH_CONTAINER || c.vague || !c.id)
			continue;
		r = make_label(engines[n], &c, ret);
		return r < 0 ? r : 1;
	}
	return 0;
}

int inner_label(const char *rest, char **ret)
{
	struct place p;
	int r = 0;

	/* What is inside takes its own place for the top of the tree; under crun that is here. */
	if (strncmp(rest, CRUN "/", strlen(CRUN "/")) == 0)
		rest += strlen(CRUN);
	*ret = NULL;
	if (!*rest || place_begin(&p, rest) < 0)
		return 0;
	while (r == 0 && place_next(&p) && p.depth < PLACE_DEPTH_MAX)
		r = ask_all(&p, ret);
	return r < 0 ? r : 0;
}
