/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/start.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "identity/bundle.h"
#include "identity/engine.h"
#include "identity/state.h"

/* What containerd's directories of bundles are called like. */
#define SHIM_DIR "/io.containerd.runtime.v"

static void take_text(const struct identity_start *s, const char *const where[], char **ret)
{
	struct slice value;

	if (slice_at((struct slice){ s->text, s->len }, where, &value) == 0)
		(void)slice_text(value, PATH_MAX, ret);
}

#define AT(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Its engine told the runtime to make none: it lies where its starter does. */
static bool has_no_cgroup(const struct identity_start *s)
{
	_free_ char *manager = NULL;

	take_text(s, AT("annotations", "io.container.manager"), &manager);
	return !s->id || manager;
}

static int own_path(const struct identity_start *s, uid_t uid, char *out, size_t room)
{
	_free_ char *scope = text_format(":runc:%s", s->id);
	int len;

	if (!scope)
		return -ENOMEM;
	if (s->systemd)
		return bundle_expand(scope, uid, out, room);
	len = snprintf(out, room, "/%s", s->id);
	return len < 2 || (size_t)len >= room ? -EINVAL : 0;
}

int identity_start_cgroup(const struct identity_start *s, char **ret)
{
	_free_ char *told = NULL;
	uid_t uid = state_uid_of_host();
	char path[PATH_MAX];
	struct place p;
	int r;

	take_text(s, AT("linux", "cgroupsPath"), &told);
	if (told && *told)
		r = bundle_expand(told, uid, path, sizeof(path));
	else if (has_no_cgroup(s))
		r = -ENOENT;
	else
		r = own_path(s, uid, path, sizeof(path));
	if (r == 0)
		r = place_begin(&p, path);
	if (r < 0)
		return r;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

/* ".../io.containerd.runtime.v2.task/NAMESPACE/ID": whose shim it is. */
static int find_namespace(const struct identity_start *s, char **ret)
{
	const char *id = s->bundle ? strrchr(s->bundle, '/') : NULL, *from = id;

	if (!id || !s->id || strcmp(id + 1, s->id) != 0 || !strstr(s->bundle, SHIM_DIR))
		return 0;
	while (from > s->bundle && from[-1] != '/')
		from--;
	*ret = strndup(from, (size_t)(id - from));
	return *ret ? 0 : -ENOMEM;
}

static bool is_oci(const char *engine)
{
	for (size_t n = 0; engines[n]; n++)
		if (strcmp(engines[n]->name, engine) == 0)
			return engines[n]->oci;
	return false;
}

/* Of what is around it, another container or a watched unit, nothing is to be put in place here. */
static bool is_started(const struct identity *i, const char *path)
{
	bool is_step = strcmp(i->engine, "oci") == 0 && !i->enforceable;

	return i->owner_len == strlen(path) && is_oci(i->engine) && !is_step;
}

static int ask(const struct identity_options *o, const char *path, struct identity *ret)
{
	struct identity i = IDENTITY_INIT;
	int r;

	memory_begin();
	r = engine_of_path(o, path, &i);
	if (r < 0)
		return r;
	if (memory_was_short() || r == 0 || !is_started(&i, path)) {
		identity_done(&i);
		return memory_was_short() ? -ENOMEM : -ENOENT;
	}
	*ret = i;
	return 0;
}

int identity_of_start(const struct identity_options *o, const struct identity_start *s,
		      struct identity *ret)
{
	struct given given = { .config = { s->text, s->len }, .id = s->id };
	struct identity_options with = *o;
	_free_ char *path = NULL;
	int r = identity_start_cgroup(s, &path);

	if (r == 0)
		r = find_namespace(s, &given.namespace);
	if (r < 0)
		return r;
	with.given = &given;
	r = ask(&with, path, ret);
	free(given.namespace);
	return r;
}
