/* SPDX-License-Identifier: Apache-2.0 */
/* Members of two profiles made one: texts, for numbers up to 2^64 have to stay what they are. */
#include <errno.h>
#include <string.h>

#include "apply/reach.h"
#include "base/stream.h"
#include "start/scan.h"
#include "start/spec.h"

#define WAIT_KILLABLE "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

/* What the engine says of how a filter is loaded, not of what it lets through. */
enum { FLAGS, LISTENER, METADATA, LOADING_MAX };
static const char *const loading[] = {
	[FLAGS] = "flags",
	[LISTENER] = "listenerPath",
	[METADATA] = "listenerMetadata",
};

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
	FILE *f = stream_open(&text, &len);
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

/* --- one that asks ----------------------------------------------------------------------- */

static bool is_none(struct slice value)
{
	return (value.len == 4 && memcmp(value.text, "null", 4) == 0) ||
	       (value.len == 2 && memcmp(value.text, "\"\"", 2) == 0);
}

/* Of duplicates the last; null and "" are as good as none. */
static int find_loading(struct slice text, struct slice ret[LOADING_MAX])
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
		if (r == 0 && bit)
			ret[__builtin_ctz(bit)] = is_none(value) ? (struct slice){ 0 } : value;
	}
	return r < 0 ? r : scan_finish(&c);
}

/* `flags` as it is, and with `wait` one more that may be there already. */
static int put_flags(FILE *f, const char *before, struct slice flags, bool wait)
{
	const char *comma = "";
	struct slice flag;
	struct scan c;
	int r = 0;

	scan_begin(&c, flags.text, flags.len);
	(void)fprintf(f, "%s\"flags\":[", before);
	if (flags.text && scan_peek(&c) != '[')
		return -EINVAL;
	if (flags.text)
		r = scan_enter(&c);
	while (flags.text && r >= 0 && (r = scan_item(&c)) > 0) {
		r = scan_value(&c, &flag);
		if (r < 0)
			break;
		(void)fputs(comma, f);
		put_compact(f, flag);
		comma = ",";
		wait = wait && !(*flag.text == '"' && scan_spells(flag, WAIT_KILLABLE, false));
	}
	(void)fprintf(f, "%s%s]", wait ? comma : "", wait ? "\"" WAIT_KILLABLE "\"" : "");
	return r;
}

static int put_asking(FILE *f, struct slice ours, struct slice engine, const char *listener,
		      bool wait)
{
	struct slice own[LOADING_MAX] = { 0 }, theirs[LOADING_MAX] = { 0 };
	const char *before = "{";
	unsigned none = 0;
	int r = find_loading(ours, own);

	if (r == 0 && engine.text)
		r = find_loading(engine, theirs);
	if (r == 0 && theirs[LISTENER].text)
		r = -EBUSY;
	if (r == 0)
		r = put_members(f, &before, ours, 0, true, &none);
	if (theirs[FLAGS].text)
		own[FLAGS] = theirs[FLAGS];
	if (r == 0 && (own[FLAGS].text || wait)) {
		r = put_flags(f, before, own[FLAGS], wait);
		before = ",";
	}
	(void)fprintf(f, "%s\"listenerPath\":\"%s\"}", before, listener);
	return r;
}

int spec_profile_asking(const char *ours, const char *engine, size_t engine_len,
			const char *listener, bool wait_killable, char **ret)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f;
	bool failed;
	int r;

	if (!reach_is_path(listener))
		return -EINVAL;
	f = stream_open(&text, &len);
	if (!f)
		return -ENOMEM;
	r = put_asking(f, (struct slice){ ours, strlen(ours) },
		       (struct slice){ engine, engine ? engine_len : 0 }, listener, wait_killable);
	failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed)
		return -ENOMEM;
	if (r == 0)
		*ret = TAKE_PTR(text);
	return r;
}
