/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/oci_json.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

int oci_fail(char **ret_why, const char *fmt, ...)
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
	return -EINVAL;
}

/* --- bounds, before jansson sees it ------------------------------------------------------- */

struct scan {
	const char *at, *end;
	char *out;
	unsigned depth;
};

static void scan_copy(struct scan *s, size_t len)
{
	memcpy(s->out, s->at, len);
	s->out += len;
	s->at += len;
}

static void scan_string(struct scan *s)
{
	const char *at = s->at + 1;

	while (at < s->end && *at != '"')
		at += *at == '\\' && at + 1 < s->end ? 2 : 1;
	if (at < s->end)
		at++;
	scan_copy(s, at - s->at);
}

static bool is_numeric(char c)
{
	return c && strchr("+-.eE0123456789", c);
}

static void scan_number(struct scan *s)
{
	size_t len = 0, digits = 0;
	char copy[24];
	uint64_t v;

	for (; s->at + len < s->end && is_numeric(s->at[len]); len++)
		digits += isdigit((unsigned char)s->at[len]) != 0;
	if (digits != len || len < 19 || len > 20 || *s->at == '0') {
		scan_copy(s, len);
		return;
	}
	memcpy(copy, s->at, len);
	copy[len] = '\0';
	if (text_u64(copy, UINT64_MAX, &v) < 0 || v <= INT64_MAX) {
		scan_copy(s, len);
		return;
	}
	*s->out++ = '"';
	scan_copy(s, len);
	*s->out++ = '"';
}

static int scan_token(struct scan *s, char **ret_why)
{
	switch (*s->at) {
	case '"':
		scan_string(s);
		return 0;
	case '{':
	case '[':
		if (++s->depth > OCI_MAX_DEPTH)
			return oci_fail(ret_why, "nested deeper than %u levels", OCI_MAX_DEPTH);
		break;
	case '}':
	case ']':
		s->depth -= s->depth > 0;
		break;
	case '0' ... '9':
	case '-':
		scan_number(s);
		return 0;
	}
	scan_copy(s, 1);
	return 0;
}

int oci_json_load(const char *text, size_t len, json_t **ret, char **ret_why)
{
	_free_ char *copy = NULL;
	struct scan s = { text, text + len };
	json_error_t e;
	json_t *root;

	if (len > OCI_MAX_SIZE) {
		(void)oci_fail(ret_why, "larger than %u MiB", OCI_MAX_SIZE >> 20);
		return -EFBIG;
	}
	copy = s.out = malloc(len + len / 8 + 16); /* two quotes for 19 digits or more */
	if (!copy)
		return -ENOMEM;
	while (s.at < s.end) {
		int r = scan_token(&s, ret_why);

		if (r < 0)
			return r;
	}
	root = json_loadb(copy, s.out - copy, JSON_REJECT_DUPLICATES, &e);
	if (!root)
		return oci_fail(ret_why, "line %d column %d: %s", e.line, e.column, e.text);
	*ret = root;
	return 0;
}

/* --- typed access ------------------------------------------------------------------------- */

static const char *type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",	 [JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",	     [JSON_NULL] = "null",
	};

	return names[json_typeof(v)];
}

/* NULL for a missing or null value. */
static const json_t *get(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v && !json_is_null(v) ? v : NULL;
}

int oci_string(const json_t *o, const char *path, const char *key, bool must, const char **ret,
	       char **ret_why)
{
	const json_t *v = get(o, key);

	if (!v)
		return must ? oci_fail(ret_why, "%s%s: missing", path, key) : 0;
	if (!json_is_string(v))
		return oci_fail(ret_why, "%s%s: %s, not a string", path, key, type_name(v));
	*ret = json_string_value(v);
	return 0;
}

int oci_uint(const json_t *o, const char *path, const char *key, uint64_t max, bool must,
	     uint64_t *ret, char **ret_why)
{
	const json_t *v = get(o, key);
	uint64_t n;

	if (!v)
		return must ? oci_fail(ret_why, "%s%s: missing", path, key) : 0;
	if (json_is_integer(v) && json_integer_value(v) >= 0)
		n = json_integer_value(v);
	else if (json_is_string(v) && text_u64(json_string_value(v), UINT64_MAX, &n) == 0 &&
		 n > INT64_MAX)
		; /* see oci_json_load */
	else if (json_is_integer(v))
		return oci_fail(ret_why, "%s%s: negative", path, key);
	else
		return oci_fail(ret_why, "%s%s: %s, not a whole number", path, key, type_name(v));
	if (n > max)
		return oci_fail(ret_why, "%s%s: %llu is above %llu", path, key,
				(unsigned long long)n, (unsigned long long)max);
	*ret = n;
	return 0;
}

int oci_array(const json_t *o, const char *path, const char *key, json_t **ret, char **ret_why)
{
	const json_t *v = get(o, key);

	if (v && !json_is_array(v))
		return oci_fail(ret_why, "%s%s: %s, not an array", path, key, type_name(v));
	if (v)
		*ret = (json_t *)v;
	return 0;
}

int oci_object(const json_t *o, const char *path, const char *key, json_t **ret, char **ret_why)
{
	const json_t *v = get(o, key);

	if (v && !json_is_object(v))
		return oci_fail(ret_why, "%s%s: %s, not an object", path, key, type_name(v));
	if (v)
		*ret = (json_t *)v;
	return 0;
}

int oci_item(const json_t *array, size_t i, const char *path, const char *key, const char **ret,
	     char **ret_why)
{
	const json_t *v = json_array_get(array, i);

	if (!json_is_string(v))
		return oci_fail(ret_why, "%s%s[%zu]: %s, not a string", path, key, i, type_name(v));
	if (json_string_length(v) == 0)
		return oci_fail(ret_why, "%s%s[%zu]: empty", path, key, i);
	*ret = json_string_value(v);
	return 0;
}
