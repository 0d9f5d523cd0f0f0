/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/place.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

static bool is_dots(const char *s, size_t len)
{
	return (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
}

int place_begin(struct place *p, const char *path)
{
	const char *s = path;

	if (*path != '/' || strnlen(path, PATH_MAX) == PATH_MAX)
		return -EINVAL;
	while (*s == '/' && s[1]) {
		size_t len = strcspn(++s, "/");

		if (len == 0 || is_dots(s, len))
			return -EINVAL;
		s += len;
	}
	if (*s == '/' && s != path)
		return -EINVAL;
	*p = (struct place){ .path = path };
	return 0;
}

static size_t length(const struct place *p)
{
	return p->end - p->start;
}

static bool is_text(const char *s, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(s, text, len) == 0;
}

bool place_is(const struct place *p, const char *text)
{
	return is_text(p->path + p->start, length(p), text);
}

bool place_starts(const struct place *p, const char *text)
{
	size_t len = strlen(text);

	return length(p) >= len && memcmp(p->path + p->start, text, len) == 0;
}

bool place_ends(const struct place *p, const char *text)
{
	size_t len = strlen(text);

	return length(p) >= len && memcmp(p->path + p->end - len, text, len) == 0;
}

const char *place_find(const struct place *p, const char *text)
{
	return memmem(p->path + p->start, length(p), text, strlen(text));
}

bool place_parent(const struct place *p, struct place *ret)
{
	struct place q;

	if (p->above == 0 || place_begin(&q, p->path) < 0)
		return false;
	while (place_next(&q) && q.end < p->above)
		;
	*ret = q;
	return true;
}

bool place_top_is(const struct place *p, const char *text)
{
	return is_text(p->path + 1, p->top - 1, text);
}

static size_t hex_len(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

const char *place_id64(const struct place *p, const char *prefix, const char *suffix)
{
	const char *id = p->path + p->start + strlen(prefix);

	if (length(p) != strlen(prefix) + PLACE_ID_LEN + strlen(suffix))
		return NULL;
	if (!place_starts(p, prefix) || !place_ends(p, suffix))
		return NULL;
	return hex_len(id) >= PLACE_ID_LEN ? id : NULL;
}

bool place_is_unit(const struct place *p)
{
	static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (place_ends(p, types[i]) && length(p) > strlen(types[i]))
			return true;
	return false;
}

bool place_is_manager(const struct place *p)
{
	return p->depth == 2 && place_top_is(p, "user.slice") && place_starts(p, "user@") &&
	       place_ends(p, ".service");
}

/* The U of PREFIX U SUFFIX, as systemd writes it: decimal, no leading zero, no sign. */
static bool parse_uid(const struct place *p, const char *prefix, const char *suffix, uid_t *ret)
{
	size_t from = strlen(prefix), to = length(p) - strlen(suffix), i;
	const char *s = p->path + p->start;
	unsigned long long n = 0;

	if (!place_starts(p, prefix) || !place_ends(p, suffix) ||
	    length(p) <= from + strlen(suffix))
		return false;
	if (to - from > 10 || (s[from] == '0' && to - from > 1))
		return false;
	for (i = from; i < to; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (unsigned)(s[i] - '0');
	}
	if (n >= (uid_t)-1)
		return false;
	*ret = (uid_t)n;
	return true;
}

/* Below user.slice: root's own user-0.slice is as good as any other slice. */
static enum place_kind kind_below_login(struct place *p)
{
	uid_t uid = (uid_t)-1;

	if (p->depth == 1) {
		(void)parse_uid(p, "user-", ".slice", &uid);
		p->uid = uid;
		return uid == 0 ? PLACE_SYSTEM : PLACE_LOGIN;
	}
	if (p->depth == 2 && parse_uid(p, "user@", ".service", &uid) && uid == p->uid)
		return PLACE_USER;
	return PLACE_LOGIN;
}

/* What lies below the component that is about to be left. */
static enum place_kind kind_below(struct place *p)
{
	if (p->kind == PLACE_LOGIN)
		return kind_below_login(p);
	if (p->kind != PLACE_SYSTEM)
		return p->kind;
	if (p->depth == 0 && place_is(p, "user.slice"))
		return PLACE_LOGIN;
	if (place_ends(p, ".slice"))
		return PLACE_SYSTEM;
	return place_is_unit(p) ? PLACE_UNIT : PLACE_PLAIN;
}

static void leave(struct place *p)
{
	enum place_kind below = kind_below(p);

	if (place_is_unit(p)) {
		p->unit_start = p->start;
		p->unit_end = p->end;
	}
	if (below == PLACE_USER && p->kind != PLACE_USER)
		p->base = p->end;
	p->kind = below;
	p->above = p->end;
	p->depth++;
}

bool place_next(struct place *p)
{
	if (p->end > 0)
		leave(p);
	if (p->path[p->end] == '\0' || p->path[p->end + 1] == '\0')
		return false;
	p->start = p->end + 1;
	p->end = p->start + strcspn(p->path + p->start, "/");
	if (p->depth == 0)
		p->top = p->end;
	return true;
}

bool place_in_users_unit(const struct place *p)
{
	return p->kind == PLACE_USER && p->unit_end > p->base;
}

static char *copy(const char *text, size_t len)
{
	char *ret = strndup(text, len);

	if (!ret)
		memory_failed();
	return ret;
}

char *place_text(const struct place *p)
{
	return copy(p->path + p->start, length(p));
}

char *place_unit(const struct place *p)
{
	return copy(p->path + p->unit_start, p->unit_end - p->unit_start);
}
