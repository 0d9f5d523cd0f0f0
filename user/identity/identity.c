/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "identity/engine.h"
#include "identity/inner.h"
#include "identity/key.h"
#include "identity/unit.h"

void identity_done(struct identity *i)
{
	free(i->engine);
	free(i->key);
	free(i->owner);
	free(i->name);
	free(i->image);
	free(i->image_digest);
	free(i->container);
	free(i->pod);
	free(i->namespace);
	free(i->inner);
	*i = IDENTITY_INIT;
}

#define _identity_ __attribute__((cleanup(identity_donep)))

static void move_identity(struct identity *from, struct identity *to)
{
	*to = *from;
	*from = IDENTITY_INIT;
}

/* The shape of a path proves nothing where someone else could have made it. */
static bool needs_proof(const struct place *p, const struct claim *c)
{
	return c->proof || p->kind == PLACE_UNIT || place_in_users_unit(p) ||
	       (p->kind == PLACE_PLAIN && !c->home);
}

static int claim_identity(const struct engine *e, const struct place *p, const struct claim *c,
			  struct identity *ret)
{
	_identity_ struct identity i = { .owner_len = c->len, .enforceable = true };

	i.engine = strdup(e->name);
	i.container = c->id ? strndup(c->id, c->id_len) : NULL;
	if (!i.engine || (c->id && !i.container))
		return -ENOMEM;
	move_identity(&i, ret);
	return 0;
}

/* Of Kubernetes a namespace, for that is as far as the rights of its users go. */
static int find_owner(struct identity *i, uid_t uid)
{
	_free_ char *first = strndup(i->key, strcspn(i->key, "/"));
	const char *const parts[] = { NULL, NULL }, *const namespace[] = { i->namespace, NULL };
	bool kube = first && uid == 0 && i->namespace && strcmp(first, "kubernetes") == 0;

	return first ? key_parts(first, uid, kube ? namespace : parts, &i->owner) : -ENOMEM;
}

/* 1: it is e's, *ret filled. 0: it isn't. -ENOENT: a monitor. */
static int ask(const struct engine *e, const struct identity_options *o, const struct place *p,
	       struct identity *ret)
{
	_identity_ struct identity i = IDENTITY_INIT;
	enum proof proof = PROOF_NONE;
	struct claim c = { 0 };
	enum match m = e->match(o, p, &c);
	int r;

	if (m == MATCH_NONE)
		return 0;
	if (m == MATCH_MONITOR)
		return needs_proof(p, &c) ? 0 : -ENOENT;
	r = claim_identity(e, p, &c, &i);
	if (r == 0)
		r = e->fill(o, p, &c, &i, &proof);
	if (r < 0)
		return r;
	if (proof == PROOF_DENIES || (proof == PROOF_NONE && needs_proof(p, &c)))
		return 0;
	if (r > 0)
		return -ENOENT;
	r = find_owner(&i, engine_uid(p));
	if (r == 0)
		r = inner_label(p->path + c.len, &i.inner);
	if (r < 0)
		return r;
	move_identity(&i, ret);
	return 1;
}

static int ask_all(const struct identity_options *o, const struct place *p, struct identity *ret)
{
	size_t n;
	int r = 0;

	for (n = 0; engines[n] && r == 0; n++)
		r = ask(engines[n], o, p, ret);
	return r;
}

/* A unit that only carries containers: what else is in it is the engine's. */
static bool is_carrier(const struct identity_options *o, const struct place *p)
{
	return (p->kind == PLACE_SYSTEM || p->kind == PLACE_USER) && place_is_unit(p) &&
	       unit_is_carrier(o->root, p);
}

/* The outermost part of the path that is a watched cgroup. Slices and users' managers hold other
 * things only. */
static bool find_watched(const struct identity_options *o, const char *path, struct place *ret)
{
	struct place p;

	if (place_begin(&p, path) < 0)
		return false;
	while (place_next(&p) && p.depth < PLACE_DEPTH_MAX) {
		if (place_ends(&p, ".slice") || place_is_manager(&p) ||
		    !engine_watched(o, path, p.end))
			continue;
		*ret = p;
		return !is_carrier(o, &p);
	}
	return false;
}

/* What root's slices hold directly, it may have given away with all that is to be made inside. */
static size_t given_len(const char *path)
{
	struct place p;

	if (place_begin(&p, path) < 0)
		return 0;
	while (place_next(&p))
		if (!place_ends(&p, ".slice"))
			return p.end;
	return 0;
}

static int plain_owner(const struct place *p, char **ret)
{
	const char *const none[] = { NULL };
	uid_t uid = p->uid == (uid_t)-1 ? 0 : p->uid;
	size_t given = given_len(p->path);

	if (uid != 0 || given >= p->end)
		return key_parts("cgroup", uid, none, ret);
	return key_path("cgroup", p->path, given, ret);
}

static int plain_identity(const struct identity_options *o, const char *path, struct identity *ret)
{
	_identity_ struct identity i = { .enforceable = true };
	struct place p;
	int r;

	if (!find_watched(o, path, &p))
		return -ENOENT;
	i.owner_len = p.end;
	i.engine = strdup("cgroup");
	i.name = strndup(path, p.end);
	if (!i.engine || !i.name)
		return -ENOMEM;
	r = key_path(i.engine, path, p.end, &i.key);
	if (r == 0)
		r = plain_owner(&p, &i.owner);
	if (r == 0)
		r = inner_label(path + p.end, &i.inner);
	if (r < 0)
		return r;
	if (p.kind == PLACE_LOGIN)
		engine_refuse(&i, "a login session: containers without a cgroup of their own "
				  "can't be told apart in it");
	move_identity(&i, ret);
	return 0;
}

int engine_of_path(const struct identity_options *o, const char *path, struct identity *ret)
{
	struct place p;
	int r = 0;

	if (place_begin(&p, path) < 0)
		return -ENOENT;
	while (r == 0 && place_next(&p) && p.depth < PLACE_DEPTH_MAX)
		if (p.kind != PLACE_LOGIN)
			r = ask_all(o, &p, ret);
	return r;
}

static int identify(const struct identity_options *o, const char *path, struct identity *ret)
{
	int r = engine_of_path(o, path, ret);

	if (r != 0)
		return r < 0 ? r : 0;
	return plain_identity(o, path, ret);
}

/* What couldn't be read for lack of memory isn't what there is not to read. */
int identity_of_path(const struct identity_options *o, const char *path, struct identity *ret)
{
	_identity_ struct identity i = IDENTITY_INIT;
	struct place p;
	int r;

	if (place_begin(&p, path) < 0)
		return -ENOENT;
	memory_begin();
	r = identify(o, path, &i);
	if (memory_was_short())
		return -ENOMEM;
	if (r == 0)
		move_identity(&i, ret);
	return r;
}
