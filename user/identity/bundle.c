/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/bundle.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "identity/identity.h"

int bundle_read(const struct state *s, const char *dir, struct bundle *ret)
{
	_free_ char *path = text_format("%s/config.json", dir);
	char *text;
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	r = state_read(s, path, STATE_FILE_MAX, &text, &len);
	if (r < 0)
		return r;
	*ret = (struct bundle){ .text = text, .config = { .text = text, .len = len } };
	return 0;
}

int bundle_given(const struct identity_options *o, const struct place *p, struct bundle *ret)
{
	const struct given *g = o->given;
	char *text;

	if (!g || p->path[p->end])
		return 0;
	text = malloc(g->config.len + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, g->config.text, g->config.len);
	text[g->config.len] = '\0';
	*ret = (struct bundle){ .text = text, .config = { .text = text, .len = g->config.len } };
	return 1;
}

void bundle_done(struct bundle *b)
{
	free(b->text);
	*b = BUNDLE_INIT;
}

/* "a-b.slice" lies in "a.slice": appends "/a.slice/a-b.slice" to out. -EINVAL when it isn't the
 * name of a slice or doesn't fit. */
static int expand_slice(const char *slice, char *out, size_t room)
{
	const size_t suffix = strlen(".slice");
	size_t len = strlen(slice), i, at = 0;

	if (strcmp(slice, "-.slice") == 0) {
		*out = '\0';
		return 0;
	}
	if (len <= suffix || strcmp(slice + len - suffix, ".slice") != 0 || strchr(slice, '/'))
		return -EINVAL;
	for (i = 1; i <= len - suffix; i++) {
		if (slice[i] != '-' && i < len - suffix)
			continue;
		at += (size_t)snprintf(out + at, room - at, "/%.*s.slice", (int)i, slice);
		if (at >= room)
			return -EINVAL;
	}
	return 0;
}

/* "slice:prefix:name" as the runtimes read it: SLICE/prefix-name.scope, in the default slice when
 * none is given. */
static int expand_systemd(const char *text, const char *default_slice, char *out, size_t room)
{
	const char *prefix = strchr(text, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;
	_free_ char *slice = NULL;
	size_t len;

	if (!name)
		return -EINVAL;
	if (prefix == text)
		slice = strdup(default_slice);
	else
		slice = strndup(text, (size_t)(prefix - text));
	if (!slice || expand_slice(slice, out, room) < 0)
		return -EINVAL;
	prefix++;
	len = strlen(out);
	len += (size_t)snprintf(out + len, room - len, "/%.*s%s%s.scope", (int)(name - prefix),
				prefix, name == prefix ? "" : "-", name + 1);
	return len < room ? 0 : -EINVAL;
}

/* What none is given for. */
static const char *default_slice(bool user)
{
	return user ? "user.slice" : "system.slice";
}

static bool is_systemds(const char *cgroups_path)
{
	return !strchr(cgroups_path, '/') && strchr(cgroups_path, ':');
}

int bundle_expand(const char *cgroups_path, uid_t uid, char *ret, size_t room)
{
	int len = 0;

	if (!is_systemds(cgroups_path)) {
		cgroups_path += strspn(cgroups_path, "/");
		len = snprintf(ret, room, "/%s", cgroups_path);
		return len < 2 || (size_t)len >= room ? -EINVAL : 0;
	}
	if (uid != 0)
		len = snprintf(ret, room, "/user.slice/user-%u.slice/user@%u.service",
			       (unsigned)uid, (unsigned)uid);
	if ((size_t)len >= room)
		return -EINVAL;
	return expand_systemd(cgroups_path, default_slice(uid != 0), ret + len, room - (size_t)len);
}

static bool same_path(const char *want, const struct place *p, size_t from)
{
	size_t len = p->end - from;

	return strlen(want) == len && memcmp(want, p->path + from, len) == 0;
}

enum proof bundle_path_proof(const char *cgroups_path, const struct place *p)
{
	char expanded[PATH_MAX];
	const char *s = cgroups_path;

	if (!*s)
		return PROOF_NONE;
	if (is_systemds(s)) {
		if (expand_systemd(s, default_slice(p->kind == PLACE_USER), expanded,
				   sizeof(expanded)) < 0)
			return PROOF_DENIES;
		return same_path(expanded, p, p->base) ? PROOF_AGREES : PROOF_DENIES;
	}
	s += strspn(s, "/");
	if (s == cgroups_path)
		return PROOF_NONE; /* relative to wherever the runtime was */
	return same_path(s - 1, p, 0) ? PROOF_AGREES : PROOF_DENIES;
}

enum proof bundle_proof(const struct bundle *b, const struct place *p)
{
	static const char *const where[] = { "linux", "cgroupsPath", NULL };
	_free_ char *text = NULL;
	struct slice s;

	if (!b->text || slice_at(b->config, where, &s) < 0 || slice_text(s, PATH_MAX, &text) < 0)
		return PROOF_NONE;
	return bundle_path_proof(text, p);
}

int bundle_long_annotation(const struct bundle *b, const char *name, size_t max, char **ret)
{
	const char *const where[] = { "annotations", name, NULL };
	struct slice s;
	int r = b->text ? slice_at(b->config, where, &s) : -ENOENT;

	return r < 0 ? r : slice_text(s, max, ret);
}

int bundle_annotation(const struct bundle *b, const char *name, char **ret)
{
	return bundle_long_annotation(b, name, IDENTITY_TEXT_MAX, ret);
}

bool bundle_is_off(const char *value)
{
	return value && strcmp(value, "off") == 0;
}

bool bundle_opts_out(const struct bundle *b)
{
	_free_ char *value = NULL;

	return bundle_annotation(b, BUNDLE_OPT_OUT, &value) == 0 && bundle_is_off(value);
}

/* /run/podman-init, /sbin/docker-init: what --init puts before "--" and the real command. */
static bool is_engine_init(const char *base)
{
	return strcmp(base, "podman-init") == 0 || strcmp(base, "docker-init") == 0;
}

static int next_arg(struct slice args, size_t *at, char **ret)
{
	struct slice s;
	int r = slice_next(args, at, &s);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return slice_text(s, PATH_MAX, ret);
}

static int take_base(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/');
	char *base = strdup(slash ? slash + 1 : path);

	if (!base)
		return -ENOMEM;
	*ret = base;
	return 0;
}

/* Past "--" and other options. */
static int command_after(struct slice args, size_t *at, char **base)
{
	_free_ char *arg = NULL;
	int r;

	do {
		free(TAKE_PTR(arg));
		r = next_arg(args, at, &arg);
	} while (r == 0 && *arg == '-');
	free(TAKE_PTR(*base));
	return r < 0 ? r : take_base(arg, base);
}

int bundle_entry(const struct bundle *b, char **ret)
{
	static const char *const where[] = { "process", "args", NULL };
	_free_ char *arg = NULL, *base = NULL;
	struct slice args;
	size_t at = 0;
	int r = b->text ? slice_at(b->config, where, &args) : -ENOENT;

	if (r == 0)
		r = next_arg(args, &at, &arg);
	if (r == 0)
		r = take_base(arg, &base);
	if (r == 0 && is_engine_init(base))
		r = command_after(args, &at, &base);
	if (r == 0)
		*ret = TAKE_PTR(base);
	return r;
}
