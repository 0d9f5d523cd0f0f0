/* SPDX-License-Identifier: Apache-2.0 */
/* The Test Anything Protocol, versions 12 to 14, as far as it says what failed. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "mine/test.h"

struct line {
	const char *at;
	size_t len;
};

static bool begins(const struct line *l, const char *with)
{
	size_t len = strlen(with);

	return l->len >= len && memcmp(l->at, with, len) == 0;
}

/* "1..N", and nothing or a comment behind it. */
static bool read_plan(const struct line *l, struct tap *t)
{
	unsigned n = 0;
	size_t i = 3;

	if (!begins(l, "1..") || l->len < 4 || !isdigit((unsigned char)l->at[3]))
		return false;
	for (; i < l->len && isdigit((unsigned char)l->at[i]); i++) {
		if (n > 100000000)
			return false;
		n = n * 10 + (unsigned)(l->at[i] - '0');
	}
	while (i < l->len && isblank((unsigned char)l->at[i]))
		i++;
	if (i < l->len && l->at[i] != '#')
		return false;
	t->planned = n;
	t->has_plan = true;
	return true;
}

/* "# TODO ..." or "# SKIP ...", `word` of four letters, behind an unescaped '#'. */
static bool has_directive(const struct line *l, const char *word)
{
	for (size_t i = 1; i < l->len; i++) {
		size_t left = l->len - i - 1;
		const char *at = l->at + i + 1;

		if (l->at[i] != '#' || l->at[i - 1] == '\\')
			continue;
		while (left > 0 && isblank((unsigned char)*at)) {
			at++;
			left--;
		}
		if (left >= 4 && strncasecmp(at, word, 4) == 0)
			return true;
	}
	return false;
}

static bool ends_word(const struct line *l, size_t at)
{
	return l->len == at || isblank((unsigned char)l->at[at]);
}

/* A line "ok" alone is anybody's; one with a number makes it TAP. */
static bool is_numbered(const struct line *l, size_t at)
{
	while (at < l->len && isblank((unsigned char)l->at[at]))
		at++;
	return at < l->len && isdigit((unsigned char)l->at[at]);
}

static bool read_point(const struct line *l, struct tap *t, bool *is_tap)
{
	bool ok = begins(l, "ok") && ends_word(l, 2);
	bool not_ok = begins(l, "not ok") && ends_word(l, 6);

	if (!ok && !not_ok)
		return false;
	*is_tap |= is_numbered(l, ok ? 2 : 6);
	if (has_directive(l, "skip") || (not_ok && has_directive(l, "todo"))) {
		t->excused++;
		ok = true;
	}
	if (ok) {
		t->ok++;
		return true;
	}
	t->failed++;
	if (!t->first_failed) {
		t->first_failed = l->at;
		t->first_len = l->len;
	}
	return true;
}

/* Subtests are indented: what they come to is a point of their parent's. */
static void read_line(const struct line *l, struct tap *t, bool *is_tap)
{
	if (begins(l, "Bail out!"))
		t->bailed = true;
	else if (!read_plan(l, t))
		(void)read_point(l, t, is_tap);
}

bool tap_read(const char *out, size_t len, struct tap *ret)
{
	struct tap t = { 0 };
	bool is_tap = false;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(out + at, '\n', len - at);
		struct line l = { out + at, end ? (size_t)(end - out) - at : len - at };

		at += l.len + 1;
		if (l.len > 0 && l.at[l.len - 1] == '\r')
			l.len--;
		read_line(&l, &t, &is_tap);
	}
	if (!t.has_plan && !is_tap && !t.bailed)
		return false;
	*ret = t;
	return true;
}
