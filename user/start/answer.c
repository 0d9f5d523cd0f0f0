/* SPDX-License-Identifier: Apache-2.0 */
#include "start/answer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "apply/reach.h"
#include "emit/emit.h"
#include "emit/oci_json.h"
#include "model/calls.h"
#include "start/spec.h"

#define LISTENER      "listenerPath"
#define FLAGS	      "flags"
#define WAIT_KILLABLE "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

/* --- what it lets through ---------------------------------------------------------------- */

static bool asks_for_write(const struct filter *f)
{
	for (size_t i = 0; i < f->rule_cnt; i++) {
		const struct filter_rule *r = &f->rule[i];

		if (r->action == FILTER_NOTIFY && (int)r->nr == calls_number(r->abi, "write"))
			return true;
	}
	return false;
}

static bool asks(const struct filter *f)
{
	for (size_t i = 0; i < f->rule_cnt; i++)
		if (f->rule[i].action == FILTER_NOTIFY)
			return true;
	return false;
}

/* A runtime refuses a profile that it can't read, and with it the start. */
static int check_filter(const struct spec *s, bool *ret_asks)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	_free_ char *why = NULL;
	unsigned unknown = 0;

	if (!s->seccomp || oci_parse(s->seccomp, s->seccomp_len, NULL, &f, &unknown, &why) < 0)
		return -EBADMSG;
	if (unknown > 0 || f->default_action == FILTER_NOTIFY || asks_for_write(f))
		return -EBADMSG;
	*ret_asks = asks(f);
	return 0;
}

/* --- how it is loaded -------------------------------------------------------------------- */

static json_t *load(const struct spec *s)
{
	_free_ char *why = NULL;
	json_t *root = NULL;

	if (s->seccomp && oci_json_load(s->seccomp, s->seccomp_len, &root, &why) < 0)
		return NULL;
	return root;
}

/* One that some readers would take for it, and others not. */
static bool has_other_case(json_t *profile, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach(profile, key, value) if (strcasecmp(key, name) == 0 &&
						     strcmp(key, name) != 0) return true;
	return false;
}

static bool has_item(const json_t *array, const json_t *wanted)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) if (json_equal(item, wanted)) return true;
	return false;
}

static bool has_new_flag(const json_t *before, const json_t *after)
{
	const json_t *flag, *old = json_object_get(before, FLAGS);
	size_t i;

	json_array_foreach(json_object_get(after, FLAGS), i, flag)
	{
		const char *name = json_string_value(flag);

		if (!has_item(old, flag) && strcmp(name ?: "", WAIT_KILLABLE) != 0)
			return true;
	}
	return false;
}

/* The engine's own is the engine's business. */
static bool is_listener(const json_t *before, const json_t *value, const char *wanted)
{
	const char *path = json_string_value(value);

	if (json_equal(value, json_object_get(before, LISTENER)))
		return true;
	return path && reach_is_path(path) && (!wanted || strcmp(path, wanted) == 0);
}

static int check_loading(const struct spec *spec_before, const struct spec *spec_after, bool asking,
			 const char *listener)
{
	_cleanup_(json_decref) json_t *before = load(spec_before), *after = load(spec_after);
	const json_t *value = json_object_get(after, LISTENER);

	if (!after || has_other_case(after, LISTENER) || has_other_case(after, FLAGS) ||
	    has_new_flag(before, after))
		return -EBADMSG;
	if (value && !is_listener(before, value, listener))
		return -EBADMSG;
	return asking && !value ? -EBADMSG : 0;
}

/* ----------------------------------------------------------------------------------------- */

int answer_check(const char *spec, size_t spec_len, const char *answer, size_t answer_len,
		 const char *listener)
{
	_spec_ struct spec before = { 0 }, after = { 0 };
	_free_ char *why = NULL, *why_after = NULL, *profile = NULL, *want = NULL;
	size_t want_len = 0;
	bool asking = false;

	if (spec_read(spec, spec_len, &before, &why) < 0 ||
	    spec_read(answer, answer_len, &after, &why_after) < 0 ||
	    check_filter(&after, &asking) < 0 ||
	    check_loading(&before, &after, asking, listener) < 0)
		return -EBADMSG;
	profile = strndup(after.seccomp, after.seccomp_len);
	if (!profile || spec_splice(&before, profile, &want, &want_len) < 0)
		return -EBADMSG;
	return want_len == answer_len && memcmp(want, answer, want_len) == 0 ? 0 : -EBADMSG;
}
