/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile that somebody wrote, with what was learned added: the way of oci-seccomp-bpf-hook's "if:".
 * Its own entries stay as they are, conditions, includes, excludes, comments and all; a call that it
 * names anywhere, with any action, isn't added.
 */
#include <errno.h>
#include <string.h>

#include "base/json_text.h"
#include "emit/emit.h"
#include "emit/formats.h"
#include "emit/oci_json.h"

static void json_donep(json_t **j)
{
	json_decref(*j);
}
#define _json_ __attribute__((cleanup(json_donep)))

static int load(const char *text, size_t len, json_t **ret, char **ret_why)
{
	int r = oci_json_load(text, len, ret, ret_why);

	if (r == 0 && !json_is_object(*ret))
		return oci_fail(ret_why, "not a JSON object");
	return r;
}

/* What oci_write makes of the policy, as JSON. */
static int policy_json(const struct policy *p, json_t **ret, char **ret_why)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = emit_text(oci_write, p, NULL, &text, &len);

	return r < 0 ? r : load(text, len, ret, ret_why);
}

static int note_name(json_t *names, const json_t *name)
{
	return json_is_string(name)
		       ? json_object_set_new(names, json_string_value(name), json_true())
		       : 0;
}

/* All names in "name" and "names" of its entries, as keys. */
static int named_in(const json_t *entries, json_t *names)
{
	const json_t *entry, *name;
	size_t i, j;
	int r = 0;

	json_array_foreach(entries, i, entry)
	{
		r |= note_name(names, json_object_get(entry, "name"));
		json_array_foreach(json_object_get(entry, "names"), j, name) r |=
			note_name(names, name);
	}
	return r ? -ENOMEM : 0;
}

static bool is_refusal(const json_t *entry)
{
	const char *action = json_string_value(json_object_get(entry, "action"));

	return !action || strcmp(action, "SCMP_ACT_ALLOW") != 0;
}

/* The names of an entry that the base doesn't have; the entry goes when none is left. */
static int add_entry(json_t *into, json_t *entry, const json_t *named)
{
	json_t *names = json_object_get(entry, "names");

	for (size_t i = json_array_size(names); i-- > 0;)
		if (json_object_get(named, json_string_value(json_array_get(names, i))))
			json_array_remove(names, i);
	if (json_array_size(names) == 0)
		return 0;
	return json_array_append(into, entry) < 0 ? -ENOMEM : 0;
}

static int add_entries(json_t *base, const json_t *ours, const json_t *named)
{
	json_t *into = json_object_get(base, "syscalls"), *entry;
	size_t i;
	int r = 0;

	if (!json_is_array(into) && json_object_set_new(base, "syscalls", json_array()) < 0)
		return -ENOMEM;
	into = json_object_get(base, "syscalls");
	/* What the base doesn't name its default refuses: ours has nothing to add to that. */
	json_array_foreach(json_object_get(ours, "syscalls"), i,
			   entry) if (r == 0 &&
				      (!is_refusal(entry) || json_object_get(entry, "args"))) r =
		add_entry(into, entry, named);
	return r;
}

/* A base with archMap says all it wants to say of architectures. */
static int add_architectures(json_t *base, const json_t *ours)
{
	json_t *into = json_object_get(base, "architectures"), *theirs, *have;
	size_t i, j;

	if (json_is_array(json_object_get(base, "archMap")) ||
	    json_is_array(json_object_get(base, "architectureMap")))
		return 0;
	if (!json_is_array(into) && json_object_set_new(base, "architectures", json_array()) < 0)
		return -ENOMEM;
	into = json_object_get(base, "architectures");
	json_array_foreach(json_object_get(ours, "architectures"), i, theirs)
	{
		bool there = false;

		json_array_foreach(into, j, have) there |= json_equal(have, theirs);
		if (!there && json_array_append(into, theirs) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What isn't named is refused, whatever the base's default was; its own errno stays. */
static int set_default(json_t *base, const json_t *ours)
{
	if (json_object_set_new(base, "defaultAction", json_string("SCMP_ACT_ERRNO")) < 0)
		return -ENOMEM;
	if (json_object_get(base, "defaultErrnoRet") || json_object_get(base, "defaultErrno"))
		return 0;
	return json_object_set(base, "defaultErrnoRet", json_object_get(ours, "defaultErrnoRet")) <
			       0
		       ? -ENOMEM
		       : 0;
}

/* jansson has no integers beyond int64, and as strings no engine would read them. */
static int check_integers(const json_t *base, char **ret_why)
{
	const json_t *entry, *arg;
	size_t i, j;

	json_array_foreach(json_object_get(base, "syscalls"), i, entry)
	{
		json_array_foreach(json_object_get(entry, "args"), j, arg)
		{
			if (json_is_string(json_object_get(arg, "value")) ||
			    json_is_string(json_object_get(arg, "valueTwo")))
				return oci_fail(ret_why,
						"syscalls[%zu].args[%zu]: a value beyond "
						"9223372036854775807 can't be kept",
						i, j);
		}
	}
	return 0;
}

static int extend(json_t *base, const struct policy *p, char **ret_why)
{
	_json_ json_t *ours = NULL, *named = json_object();
	int r = check_integers(base, ret_why);

	if (r == 0)
		r = policy_json(p, &ours, ret_why);
	if (r == 0)
		r = named ? named_in(json_object_get(base, "syscalls"), named) : -ENOMEM;
	if (r == 0)
		r = add_entries(base, ours, named);
	if (r == 0)
		r = add_architectures(base, ours);
	return r == 0 ? set_default(base, ours) : r;
}

int oci_extend(const char *base_text, size_t len, const struct policy *p, char **ret,
	       char **ret_why)
{
	_cleanup_(filter_free) struct filter *valid = NULL;
	_json_ json_t *base = NULL;
	char *text;
	int r = oci_parse(base_text, len, NULL, &valid, NULL, ret_why);

	if (r == 0)
		r = load(base_text, len, &base, ret_why);
	if (r == 0)
		r = extend(base, p, ret_why);
	if (r < 0)
		return r;
	text = json_text(base, JSON_INDENT(4));
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
