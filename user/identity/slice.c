/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/slice.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Escapes make a string longer than what it stands for: \u00XX, six for one. */
#define ESCAPE_MAX 6

struct cursor {
	const char *at, *end;
};

static struct cursor cursor_of(struct slice s)
{
	const char *text = s.text ? s.text : "";

	return (struct cursor){ .at = text, .end = text + s.len };
}

/* The next byte that isn't blank, not taken; '\0' at the end. */
static char peek(struct cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
	return c->at < c->end ? *c->at : '\0';
}

static bool take(struct cursor *c, char want)
{
	if (peek(c) != want)
		return false;
	c->at++;
	return true;
}

/* Most of these texts is strings: from quote to quote, one behind an odd run of backslashes is
 * the string's own. */
static int skip_string(struct cursor *c)
{
	const char *from = ++c->at, *quote;

	while ((quote = memchr(c->at, '"', (size_t)(c->end - c->at)))) {
		const char *run = quote;

		while (run > from && run[-1] == '\\')
			run--;
		c->at = quote + 1;
		if ((quote - run) % 2 == 0)
			return 0;
	}
	c->at = c->end;
	return -EINVAL;
}

static bool ends_scalar(char b)
{
	return b == ',' || b == ']' || b == '}' || b == ':' || b == '"' || b == ' ' || b == '\n' ||
	       b == '\t' || b == '\r' || b == '[' || b == '{';
}

/* A number, true, false, null, or rubbish of that length. */
static int skip_scalar(struct cursor *c)
{
	const char *from = c->at;

	while (c->at < c->end && !ends_scalar(*c->at))
		c->at++;
	return c->at == from ? -EINVAL : 0;
}

/* Objects and arrays: brackets must pair, what stands between them isn't judged. */
static int skip_nested(struct cursor *c)
{
	char open[SLICE_DEPTH_MAX] = { 0 };
	size_t depth = 0;

	while (c->at < c->end) {
		char b = *c->at;

		if (b == '"') {
			if (skip_string(c) < 0)
				return -EINVAL;
			continue;
		}
		c->at++;
		if (b == '{' || b == '[') {
			if (depth == SLICE_DEPTH_MAX)
				return -EINVAL;
			open[depth++] = b;
		} else if (b == '}' || b == ']') {
			if (open[--depth] != (b == '}' ? '{' : '['))
				return -EINVAL;
			if (depth == 0)
				return 0;
		}
	}
	return -EINVAL;
}

static int skip_value(struct cursor *c, struct slice *ret)
{
	char b = peek(c);
	const char *from = c->at;
	int r;

	if (b == '{' || b == '[')
		r = skip_nested(c);
	else if (b == '"')
		r = skip_string(c);
	else
		r = skip_scalar(c);
	if (r == 0)
		*ret = (struct slice){ .text = from, .len = (size_t)(c->at - from) };
	return r;
}

/* Whether a string's text, quotes and all, spells name. The names asked for need no escapes;
 * a member that is written with some isn't found. */
static bool spells(struct slice quoted, const char *name)
{
	return quoted.len == strlen(name) + 2 && memcmp(quoted.text + 1, name, quoted.len - 2) == 0;
}

static int next_member(struct cursor *c, struct slice *ret_name, struct slice *ret_value)
{
	if (peek(c) != '"' || skip_value(c, ret_name) < 0 || !take(c, ':'))
		return -EINVAL;
	if (skip_value(c, ret_value) < 0)
		return -EINVAL;
	return take(c, ',') || peek(c) == '}' ? 0 : -EINVAL;
}

int slice_member(struct slice s, const char *name, struct slice *ret)
{
	struct cursor c = cursor_of(s);
	struct slice key = { 0 }, value = { 0 }, found = { 0 };

	if (!take(&c, '{'))
		return -EINVAL;
	while (!take(&c, '}')) {
		if (next_member(&c, &key, &value) < 0)
			return -EINVAL;
		if (spells(key, name))
			found = value;
	}
	if (!found.text)
		return -ENOENT;
	*ret = found;
	return 0;
}

int slice_at(struct slice s, const char *const names[], struct slice *ret)
{
	int r = 0;

	for (; *names && r == 0; names++)
		r = slice_member(s, *names, &s);
	if (r == 0)
		*ret = s;
	return r;
}

int slice_next(struct slice s, size_t *at, struct slice *ret)
{
	struct cursor c = cursor_of(s);
	struct slice value = { 0 };

	if (*at == 0 ? !take(&c, '[') : *at > s.len)
		return -EINVAL;
	if (*at > 0)
		c.at = s.text + *at;
	if (peek(&c) == ']')
		return 0;
	if (skip_value(&c, &value) < 0 || (!take(&c, ',') && peek(&c) != ']'))
		return -EINVAL;
	*at = (size_t)(c.at - s.text);
	*ret = value;
	return 1;
}

int slice_text(struct slice s, size_t max, char **ret)
{
	json_auto_t *j = NULL;
	char *text;

	if (s.len < 2 || *s.text != '"')
		return -EINVAL;
	if (s.len / ESCAPE_MAX > max)
		return -EFBIG;
	errno = 0;
	j = json_loadb(s.text, s.len, JSON_DECODE_ANY, NULL);
	if (!j && errno == ENOMEM)
		memory_failed();
	if (!j || !json_is_string(j))
		return -EINVAL;
	if (json_string_length(j) >= max)
		return -EFBIG;
	text = strdup(json_string_value(j));
	if (!text)
		memory_failed();
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
