/* SPDX-License-Identifier: Apache-2.0 */
/* Words of an exploration's line: bare, or in quotes with escapes. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_internal.h"

#define MS_MAX (3600 * 1000)

static int quoted_next(const char **line, struct explore_word *ret)
{
	const char *start = *line + 1, *p = start;

	while (*p && *p != '"')
		p += *p == '\\' && p[1] ? 2 : 1;
	if (!*p || (p[1] && !isblank((unsigned char)p[1])))
		return -EINVAL;
	*ret = (struct explore_word){ start, (size_t)(p - start), true };
	*line = p + 1;
	return 1;
}

int explore_word_next(const char **line, struct explore_word *ret)
{
	const char *p = *line, *start;

	while (isblank((unsigned char)*p))
		p++;
	start = p;
	if (*p == '"') {
		int r = quoted_next(&p, ret);

		*line = p;
		return r;
	}
	while (*p && !isblank((unsigned char)*p))
		p++;
	*line = p;
	if (p == start)
		return 0;
	*ret = (struct explore_word){ start, (size_t)(p - start), false };
	return 1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that an escape (after its backslash) stands for; -1: none. Moves *p behind it. */
static int escaped(const char **p, const char *end)
{
	static const char from[] = "rnt0\\\"$", to[] = "\r\n\t\0\\\"$";
	const char *at = *p < end ? memchr(from, **p, sizeof(from) - 1) : NULL;
	int high, low;

	if (at) {
		(*p)++;
		return (unsigned char)to[at - from];
	}
	if (end - *p < 3 || **p != 'x')
		return -1;
	high = hex_digit((*p)[1]);
	low = hex_digit((*p)[2]);
	*p += 3;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int explore_word_decode(const struct explore_word *w, char **ret, size_t *ret_len)
{
	_free_ char *out = malloc(w->len + 1);
	const char *p = w->p, *end = p + w->len;
	size_t len = 0;

	if (!out)
		return -ENOMEM;
	while (p < end) {
		int c = (unsigned char)*p++;

		if (c == '\\' && w->quoted)
			c = escaped(&p, end);
		if (c < 0)
			return -EINVAL;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	*ret = TAKE_PTR(out);
	*ret_len = len;
	return 0;
}

bool explore_word_is(const struct explore_word *w, const char *text)
{
	return !w->quoted && strlen(text) == w->len && !memcmp(w->p, text, w->len);
}

int explore_word_number(const struct explore_word *w, uint64_t max, uint64_t *ret)
{
	char digits[24];

	if (w->quoted || w->len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, w->p, w->len);
	digits[w->len] = '\0';
	return text_u64(digits, max, ret);
}

int explore_word_ms(const struct explore_word *w, int64_t *ret)
{
	struct explore_word digits = *w;
	uint64_t n, unit;
	int r;

	if (w->len > 2 && !memcmp(w->p + w->len - 2, "ms", 2))
		digits.len -= 2, unit = 1;
	else if (w->len > 1 && w->p[w->len - 1] == 's')
		digits.len -= 1, unit = 1000;
	else
		return -EINVAL;
	r = explore_word_number(&digits, MS_MAX / unit, &n);
	if (r < 0)
		return r;
	*ret = (int64_t)(n * unit);
	return 0;
}
