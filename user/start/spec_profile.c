/* SPDX-License-Identifier: Apache-2.0 */
/* Members of two profiles made one: texts, for numbers up to 2^64 have to stay what they are. */
#include <errno.h>
#include <string.h>

#include "start/scan.h"
#include "start/spec.h"

/* What the engine says of how a filter is loaded, not of what it lets through. */
static const char *const loading[] = { "flags", "listenerPath", "listenerMetadata" };

/* A bit for each; 0: another member. */
static unsigned loading_bit(struct slice key)
{
	for (size_t i = 0; i < ARRAY_SIZE(loading); i++)
		if (scan_spells(key, loading[i], false))
			return 1u << i;
	return 0;
}

/* Without the blanks between what it consists of. */
static void put_compact(FILE *f, struct slice s)
{
	bool in_string = false;

	for (size_t i = 0; i < s.len; i++) {
		char b = s.text[i];

		if (in_string && b == '\\') {
			(void)fputc(b, f);
			b = s.text[++i];
		} else if (b == '"') {
			in_string = !in_string;
		} else if (!in_string && (b == ' ' || b == '\n' || b == '\t' || b == '\r')) {
			continue;
		}
		(void)fputc(b, f);
	}
}

static void put_member(FILE *f, const char **before, struct slice key, struct slice value)
{
	(void)fputs(*before, f);
	put_compact(f, key);
	(void)fputc(':', f);
	put_compact(f, value);
	*before = ",";
}

/* The members of a profile: those about loading that `loads` has, all others when `rest`. Without f
 * nothing is written. *ret_loading: which ones about loading there are. */
static int put_members(FILE *f, const char **before, struct slice text, unsigned loads, bool rest,
		       unsigned *ret_loading)
{
	struct slice key, value = { 0 };
	struct scan c;
	int r;

	scan_begin(&c, text.text, text.len);
	if (scan_peek(&c) != '{')
		return -EINVAL;
	r = scan_enter(&c);
	while (r >= 0 && (r = scan_key(&c, &key)) > 0) {
		unsigned bit = loading_bit(key);

		r = scan_value(&c, &value);
		*ret_loading |= bit;
		if (r == 0 && f && (bit ? loads & bit : rest))
			put_member(f, before, key, value);
	}
	return r < 0 ? r : scan_finish(&c);
}

static int put_profile(FILE *f, struct slice ours, struct slice engine)
{
	const char *before = "{";
	unsigned theirs = 0, own = 0;
	int r = 0;

	if (engine.text)
		r = put_members(NULL, NULL, engine, 0, false, &theirs);
	if (r == 0)
		r = put_members(f, &before, ours, ~theirs, true, &own);
	if (r == 0 && theirs)
		r = put_members(f, &before, engine, ~0u, false, &theirs);
	(void)fputs(*before == '{' ? "{}" : "}", f);
	return r;
}

int spec_profile(const char *ours, const char *engine, size_t engine_len, char **ret)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool failed;
	int r;

	if (!f)
		return -ENOMEM;
	r = put_profile(f, (struct slice){ ours, strlen(ours) },
			(struct slice){ engine, engine ? engine_len : 0 });
	failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed)
		return -ENOMEM;
	if (r == 0)
		*ret = TAKE_PTR(text);
	return r;
}
