/* SPDX-License-Identifier: Apache-2.0 */
#include "start/spec.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "start/scan.h"

_Static_assert(SPEC_DEPTH == SCAN_DEPTH, "the scanner keeps the bound");

/* Nobody writes duplicates on purpose: each takes a profile's length. */
#define EDITS_MAX 16

enum where {
	OTHER,
	TOP,
	LINUX,
	SECCOMP,
	CGROUPS_PATH,
	PROCESS,
	NO_NEW_PRIVS,
	CAPABILITIES,
	BOUNDING,
	CAPABILITY,
	ROOT,
	ROOT_PATH,
};

static const struct {
	enum where in;
	const char *key;
	enum where is;
	bool ours; /* all readers must agree on what it is */
} keys[] = {
	{ TOP, "linux", LINUX, true },
	{ LINUX, "seccomp", SECCOMP, true },
	{ LINUX, "cgroupsPath", CGROUPS_PATH, false },
	{ TOP, "process", PROCESS, false },
	{ PROCESS, "noNewPrivileges", NO_NEW_PRIVS, false },
	{ PROCESS, "capabilities", CAPABILITIES, false },
	{ CAPABILITIES, "bounding", BOUNDING, false },
	{ TOP, "root", ROOT, false },
	{ ROOT, "path", ROOT_PATH, false },
};

/* Where a profile is to stand: instead of text[at, at + len), or put in there. */
struct edit {
	size_t at, len;
	const char *before; /* what an insertion begins with */
};

struct walk {
	struct scan scan;
	struct edit edit[EDITS_MAX];
	size_t edit_cnt;
	bool has_linux, no_new_privs, sys_admin, sys_module;
	struct slice seccomp, cgroups_path, root_path; /* empty: not there */
};

static int fail(struct walk *w, const char *why)
{
	w->scan.why = why;
	return -EINVAL;
}

static int add_edit(struct walk *w, const char *at, size_t len, const char *before)
{
	if (w->edit_cnt == EDITS_MAX)
		return fail(w, "linux or linux.seccomp is there too often");
	w->edit[w->edit_cnt++] =
		(struct edit){ .at = (size_t)(at - w->scan.from), .len = len, .before = before };
	return 0;
}

static int take_seccomp(struct walk *w, struct slice value)
{
	bool is_null = value.len == 4 && memcmp(value.text, "null", 4) == 0;

	w->seccomp = is_null ? (struct slice){ 0 } : value;
	return add_edit(w, value.text, value.len, "");
}

static void take_capability(struct walk *w, struct slice value)
{
	if (*value.text != '"')
		return;
	w->sys_admin |= scan_spells(value, "CAP_SYS_ADMIN", false);
	w->sys_module |= scan_spells(value, "CAP_SYS_MODULE", false);
}

static int take(struct walk *w, enum where where, struct slice value)
{
	switch (where) {
	case SECCOMP:
		return take_seccomp(w, value);
	case CGROUPS_PATH:
		w->cgroups_path = value;
		break;
	case ROOT_PATH:
		w->root_path = value;
		break;
	case NO_NEW_PRIVS:
		w->no_new_privs = *value.text == 't';
		break;
	case CAPABILITY:
		take_capability(w, value);
		break;
	default:
		break;
	}
	return 0;
}

static int key_of(struct walk *w, enum where in, struct slice key, enum where *ret)
{
	*ret = OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].in != in)
			continue;
		if (scan_spells(key, keys[i].key, false))
			*ret = keys[i].is;
		else if (keys[i].ours && scan_spells(key, keys[i].key, true))
			return fail(
				w,
				"a key that some readers take for linux or seccomp, others don't");
	}
	return 0;
}

static int walk_value(struct walk *w, enum where where);

/* A linux object without a profile gets one behind its last member. */
static int end_linux(struct walk *w, const char *last, bool is_empty)
{
	return add_edit(w, last, 0, is_empty ? "\"seccomp\":" : ",\"seccomp\":");
}

static int walk_object(struct walk *w, enum where where)
{
	bool has_seccomp = false, is_empty = true;
	enum where is = OTHER;
	const char *last;
	struct slice key;
	int r = scan_enter(&w->scan);

	last = w->scan.at;
	while (r >= 0 && (r = scan_key(&w->scan, &key)) > 0) {
		r = key_of(w, where, key, &is);
		if (r == 0)
			r = walk_value(w, is);
		has_seccomp |= is == SECCOMP;
		is_empty = false;
		last = w->scan.at;
	}
	if (r < 0 || where != LINUX)
		return r;
	w->has_linux = true;
	return has_seccomp ? 0 : end_linux(w, last, is_empty);
}

static int walk_array(struct walk *w)
{
	int r = scan_enter(&w->scan);

	w->sys_admin = w->sys_module = false;
	while (r >= 0 && (r = scan_item(&w->scan)) > 0)
		r = walk_value(w, CAPABILITY);
	return r;
}

static bool is_object(enum where where)
{
	return where == TOP || where == LINUX || where == PROCESS || where == CAPABILITIES ||
	       where == ROOT;
}

static int walk_value(struct walk *w, enum where where)
{
	char first = scan_peek(&w->scan);
	struct slice value = { 0 };
	int r;

	if (first == '{' && is_object(where))
		return walk_object(w, where);
	if (first == '[' && where == BOUNDING)
		return walk_array(w);
	r = scan_value(&w->scan, &value);
	return r < 0 ? r : take(w, where, value);
}

static int walk_spec(struct walk *w, const char *text, size_t len)
{
	int r;

	*w = (struct walk){ 0 };
	scan_begin(&w->scan, text, len);
	if (len > SPEC_MAX)
		return fail(w, "it is too large");
	if (scan_peek(&w->scan) != '{')
		return fail(w, "it isn't an object");
	r = walk_object(w, TOP);
	return r < 0 ? r : scan_finish(&w->scan);
}

/* A string that can't be one of C, or no string at all: as if it weren't there. */
static int take_string(struct slice s, char **ret)
{
	int r = s.text ? slice_text(s, PATH_MAX, ret) : 0;

	return r == -ENOMEM ? r : 0;
}

static int fill(const struct walk *w, struct spec *s)
{
	if (w->seccomp.text) {
		s->seccomp = strndup(w->seccomp.text, w->seccomp.len);
		s->seccomp_len = w->seccomp.len;
		if (!s->seccomp)
			return -ENOMEM;
	}
	s->has_linux = w->has_linux;
	s->no_new_privs = w->no_new_privs;
	s->privileged = w->sys_admin && w->sys_module;
	if (take_string(w->cgroups_path, &s->cgroups_path) < 0)
		return -ENOMEM;
	return take_string(w->root_path, &s->root_path);
}

int spec_read(const char *text, size_t len, struct spec *ret, char **ret_why)
{
	_spec_ struct spec s = { .text = text, .len = len };
	struct walk w;
	int r = walk_spec(&w, text, len);

	if (r < 0) {
		char *why = text_format("config.json can't be read: %s (byte %zu)", w.scan.why,
					(size_t)(w.scan.at - text));

		if (!why)
			return -ENOMEM;
		*ret_why = why;
		return r;
	}
	r = fill(&w, &s);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct spec){ 0 };
	return 0;
}

void spec_done(struct spec *s)
{
	free(s->seccomp);
	free(s->cgroups_path);
	free(s->root_path);
	*s = (struct spec){ 0 };
}

static void copy(char **to, const char *from, size_t len)
{
	memcpy(*to, from, len);
	*to += len;
}

static size_t spliced_len(const struct walk *w, size_t len, size_t profile)
{
	for (size_t i = 0; i < w->edit_cnt; i++)
		len += strlen(w->edit[i].before) + profile - w->edit[i].len;
	return len;
}

int spec_splice(const struct spec *s, const char *seccomp, char **ret, size_t *ret_len)
{
	size_t profile = strlen(seccomp), from = 0, len;
	struct walk w;
	char *text, *to;

	if (walk_spec(&w, s->text, s->len) < 0)
		return -EINVAL;
	if (!w.has_linux)
		return -ENOENT;
	len = spliced_len(&w, s->len, profile);
	text = to = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < w.edit_cnt; i++) {
		copy(&to, s->text + from, w.edit[i].at - from);
		copy(&to, w.edit[i].before, strlen(w.edit[i].before));
		copy(&to, seccomp, profile);
		from = w.edit[i].at + w.edit[i].len;
	}
	copy(&to, s->text + from, s->len - from);
	*to = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}
