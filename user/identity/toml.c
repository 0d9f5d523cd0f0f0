/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/toml.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"

#define BLANKS " \t\r"

struct line {
	const char *at, *end;
};

/* The next line of *text without the blanks before it; false at the end. */
static bool next_line(const char **text, struct line *ret)
{
	const char *at = *text, *end = at + strcspn(at, "\n");

	if (!*at)
		return false;
	*text = *end ? end + 1 : end;
	at += strspn(at, BLANKS);
	*ret = (struct line){ at, end };
	return true;
}

static void skip_blanks(struct line *l)
{
	while (l->at < l->end && strchr(BLANKS, *l->at))
		l->at++;
}

/* Past that text, when the line goes on with it. */
static bool skip(struct line *l, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(l->end - l->at) < len || memcmp(l->at, text, len) != 0)
		return false;
	l->at += len;
	return true;
}

/* "[section]"; "[[arrays]]" and "[quoted."names"]" are none that anybody asks for. */
static bool is_header(struct line l, const char *section)
{
	if (!*section || !skip(&l, "["))
		return false;
	skip_blanks(&l);
	if (!skip(&l, section))
		return false;
	skip_blanks(&l);
	return skip(&l, "]");
}

static char *quoted(struct line l)
{
	char quote = l.at < l.end ? *l.at++ : '\0';
	const char *end =
		quote == '"' || quote == '\'' ? memchr(l.at, quote, (size_t)(l.end - l.at)) : NULL;
	char *text;

	if (!end || (quote == '"' && memchr(l.at, '\\', (size_t)(end - l.at))))
		return NULL;
	text = strndup(l.at, (size_t)(end - l.at));
	if (!text)
		memory_failed();
	return text;
}

/* What stands behind NAME = ; NULL when the line is another. */
static char *value_of(struct line l, const char *name)
{
	if (!skip(&l, name))
		return NULL;
	skip_blanks(&l);
	if (!skip(&l, "="))
		return NULL;
	skip_blanks(&l);
	return quoted(l);
}

char *toml_text(const char *text, const char *section, const char *name)
{
	bool inside = !*section;
	char *found = NULL;
	struct line l;

	while (!found && next_line(&text, &l)) {
		if (l.at < l.end && *l.at == '[')
			inside = is_header(l, section);
		else if (inside)
			found = value_of(l, name);
	}
	return found;
}
