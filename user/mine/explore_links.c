/* SPDX-License-Identifier: Apache-2.0 */
/* What a page names: the values of href, src and action, as they stand there. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "mine/explore_internal.h"

/* Longer ones are data, not names. */
#define LINK_MAX 2048

static size_t name_at(const char *p, const char *end)
{
	static const char *const names[] = { "href", "src", "action" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i]);

		if ((size_t)(end - p) > len && !strncasecmp(p, names[i], len))
			return len;
	}
	return 0;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

/* From behind the name: "= value". */
static bool value_at(const char **p, const char *end, struct explore_word *ret)
{
	const char *at = skip_space(*p, end), *start;
	char quote;

	if (at == end || *at != '=')
		return false;
	at = skip_space(at + 1, end);
	if (at == end)
		return false;
	quote = *at == '"' || *at == '\'' ? *at++ : 0;
	start = at;
	while (at < end && (quote ? *at != quote : !isspace((unsigned char)*at) && *at != '>'))
		at++;
	*p = at;
	*ret = (struct explore_word){ start, (size_t)(at - start), quote != 0 };
	return at < end && ret->len && ret->len <= LINK_MAX && !memchr(start, '\0', ret->len);
}

bool explore_link_next(const char **html, const char *end, struct explore_word *ret)
{
	const char *p = *html;

	while (p < end) {
		const char *before = p++;
		size_t len;

		if (!isspace((unsigned char)*before) && *before != '"' && *before != '\'')
			continue;
		len = name_at(p, end);
		if (!len)
			continue;
		p += len;
		if (value_at(&p, end, ret)) {
			*html = p;
			return true;
		}
	}
	*html = end;
	return false;
}
