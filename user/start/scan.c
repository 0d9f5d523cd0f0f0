/* SPDX-License-Identifier: Apache-2.0 */
#include "start/scan.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static int fail(struct scan *c, const char *why)
{
	c->why = why;
	return -EINVAL;
}

void scan_begin(struct scan *c, const char *text, size_t len)
{
	*c = (struct scan){ .from = text, .at = text, .end = len ? text + len : text };
}

char scan_peek(struct scan *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
	return c->at < c->end ? *c->at : '\0';
}

/* --- strings ------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What follows "\u". */
static size_t read_hex(const char *at, const char *end, uint32_t *ret)
{
	uint32_t value = 0;

	if (end - at < 4)
		return 0;
	for (unsigned i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return 0;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return 4;
}

/* Bytes of the escape at `at` (a backslash), 0 when it is none. Halves of a surrogate pair count as
 * characters of their own: no name has them. */
static size_t read_escape(const char *at, const char *end, uint32_t *ret)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;
	size_t n;

	if (end - at < 2)
		return 0;
	if (at[1] == 'u') {
		n = read_hex(at + 2, end, ret);
		return n ? n + 2 : 0;
	}
	found = at[1] ? strchr(letters, at[1]) : NULL;
	if (!found)
		return 0;
	*ret = (unsigned char)values[found - letters];
	return 2;
}

/* Bytes of one character of a string, 0 when it isn't one. */
static size_t read_char(const char *at, const char *end, uint32_t *ret)
{
	if (at < end && *at == '\\')
		return read_escape(at, end, ret);
	if (at < end && (unsigned char)*at < ' ')
		return 0;
	return text_utf8(at, (size_t)(end - at), ret);
}

static int pass_string(struct scan *c)
{
	uint32_t letter;

	for (c->at++; c->at < c->end && *c->at != '"';) {
		size_t n = read_char(c->at, c->end, &letter);

		if (n == 0)
			return fail(c, "a string that isn't one, or isn't UTF-8");
		c->at += n;
	}
	if (c->at == c->end)
		return fail(c, "it is cut short");
	c->at++;
	return 0;
}

/* What Go's decoders take for the lower-case letter. */
static uint32_t fold_char(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	if (c == 0x130) /* capital i with a dot */
		return 'i';
	if (c == 0x17f) /* long s */
		return 's';
	return c == 0x212a ? 'k' : c; /* the sign of kelvin */
}

bool scan_spells(struct slice quoted, const char *name, bool fold)
{
	const char *at = quoted.text + 1, *end = quoted.text + quoted.len - 1;
	uint32_t letter = 0;

	for (; at < end; name++) {
		size_t n = read_char(at, end, &letter);

		if (n == 0 || !*name)
			return false;
		if (letter != (unsigned char)*name &&
		    (!fold || fold_char(letter) != fold_char((unsigned char)*name)))
			return false;
		at += n;
	}
	return !*name;
}

/* --- other values ------------------------------------------------------------------------- */

static size_t pass_digits(struct scan *c)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return (size_t)(c->at - from);
}

static bool pass_byte(struct scan *c, const char *among)
{
	if (c->at == c->end || !*c->at || !strchr(among, *c->at))
		return false;
	c->at++;
	return true;
}

static bool number_is_sound(struct scan *c)
{
	(void)pass_byte(c, "-");
	if (!pass_byte(c, "0") && pass_digits(c) == 0)
		return false;
	if (pass_byte(c, ".") && pass_digits(c) == 0)
		return false;
	if (!pass_byte(c, "eE"))
		return true;
	(void)pass_byte(c, "+-");
	return pass_digits(c) > 0;
}

static int pass_word(struct scan *c)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(c->end - c->at) >= len && memcmp(c->at, words[i], len) == 0) {
			c->at += len;
			return 0;
		}
	}
	return fail(c, c->at == c->end ? "it is cut short" : "it isn't JSON");
}

int scan_enter(struct scan *c)
{
	char first = scan_peek(c);

	if (first != '{' && first != '[')
		return fail(c, "an object or array is missing");
	if (c->depth == SCAN_DEPTH)
		return fail(c, "it is nested too deep");
	c->at++;
	c->depth++;
	c->fresh = true;
	return 0;
}

/* Past the comma, or past the end. */
static int next_of(struct scan *c, char closing)
{
	char next = scan_peek(c);

	if (next == closing) {
		c->at++;
		c->depth--;
		c->fresh = false;
		return 0;
	}
	if (!c->fresh) {
		if (next != ',')
			return fail(c, next ? "a comma is missing" : "it is cut short");
		c->at++;
	}
	c->fresh = false;
	return 1;
}

int scan_key(struct scan *c, struct slice *ret)
{
	const char *from;
	int r = next_of(c, '}');

	if (r <= 0)
		return r;
	if (scan_peek(c) != '"')
		return fail(c, "a key is missing");
	from = c->at;
	r = pass_string(c);
	if (r < 0)
		return r;
	*ret = (struct slice){ .text = from, .len = (size_t)(c->at - from) };
	if (scan_peek(c) != ':')
		return fail(c, "a colon is missing");
	c->at++;
	return 1;
}

int scan_item(struct scan *c)
{
	return next_of(c, ']');
}

/* As deep as SCAN_DEPTH: scan_enter sees to it. */
static int pass_nested(struct scan *c, char first)
{
	struct slice key, value;
	int r = scan_enter(c);

	while (r >= 0) {
		r = first == '{' ? scan_key(c, &key) : scan_item(c);
		if (r <= 0)
			return r;
		r = scan_value(c, &value);
	}
	return r;
}

int scan_value(struct scan *c, struct slice *ret)
{
	char first = scan_peek(c);
	const char *from = c->at;
	int r;

	if (first == '{' || first == '[')
		r = pass_nested(c, first);
	else if (first == '"')
		r = pass_string(c);
	else if (first == '-' || (first >= '0' && first <= '9'))
		r = number_is_sound(c) ? 0 : fail(c, "a number that isn't one");
	else
		r = pass_word(c);
	if (r == 0)
		*ret = (struct slice){ .text = from, .len = (size_t)(c->at - from) };
	return r;
}

int scan_finish(struct scan *c)
{
	(void)scan_peek(c);
	return c->at == c->end ? 0 : fail(c, "something follows its end");
}
