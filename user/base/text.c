/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/stream.h"

/* Bytes of the UTF-8 sequence that `lead` begins, 0 when it can't begin one. */
static size_t utf8_len(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

static uint32_t utf8_decode(const unsigned char *s, size_t n)
{
	uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

/* Control characters, and those that move or reorder what a terminal shows around them:
 * line separators, bidirectional overrides, invisible marks, the byte order mark. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* Well-formed UTF-8 of n bytes: continuation bytes, no overlong form, no surrogate. */
static bool utf8_is_valid(const unsigned char *s, size_t n, uint32_t c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
	}
	return c >= least[n] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
}

size_t text_utf8(const char *text, size_t len, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = len ? utf8_len(s[0]) : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = utf8_decode(s, n);
	if (!utf8_is_valid(s, n, c))
		return 0;
	if (ret)
		*ret = c;
	return n;
}

size_t text_char(const char *text, size_t len)
{
	uint32_t c = 0;
	size_t n = text_utf8(text, len, &c);

	return n > 0 && !is_hidden(c) ? n : 0;
}

static void escape(FILE *f, const char *s, size_t max, bool backslashes)
{
	size_t len = strnlen(s, max);
	const char *end = s + len;

	while (s < end) {
		size_t n = backslashes && *s == '\\' ? 0 : text_char(s, (size_t)(end - s));

		if (n > 0)
			fwrite(s, 1, n, f);
		else
			fprintf(f, "\\x%02x", (unsigned char)*s);
		s += n > 0 ? n : 1;
	}
	if (len == max)
		fputs("...", f);
}

void text_escape(FILE *f, const char *s, size_t max)
{
	escape(f, s, max, true);
}

void text_escape_again(FILE *f, const char *s, size_t max)
{
	escape(f, s, max, false);
}

char *text_escaped(const char *s, size_t max)
{
	char *text = NULL;
	size_t len = 0;
	bool failed;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return NULL;
	text_escape(f, s, max);
	failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

int text_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*s || s[strspn(s, "0123456789")])
		return -EINVAL;
	for (; *s; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

char *text_format(const char *fmt, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		memory_failed();
	return n < 0 ? NULL : text;
}

int text_why(int r, char **ret_why, const char *fmt, ...)
{
	va_list args;
	char *why;

	va_start(args, fmt);
	if (vasprintf(&why, fmt, args) < 0)
		why = NULL;
	va_end(args);
	if (!why)
		return -ENOMEM;
	*ret_why = why;
	return r;
}
