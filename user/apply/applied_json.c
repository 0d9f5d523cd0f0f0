/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an applied file. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "apply/applied.h"
#include "apply/generation_json.h"
#include "apply/reach.h"
#include "base/json_text.h"
#include "base/text.h"
#include "emit/oci_json.h"

void applied_done(struct applied *a)
{
	free(a->key);
	free(a->listener);
	generation_done(&a->now);
	generation_done(&a->good);
	*a = (struct applied){ 0 };
}

/* --- out --------------------------------------------------------------------------------- */

static int print_probation(const struct applied *a, json_t *o)
{
	if (json_put(o, "probe_new_image", json_boolean(a->probe_new_image)) < 0 ||
	    json_put(o, "rule", json_string(probation_rule_name(a->rule))) < 0 ||
	    json_put(o, "allowed", sets_to_json(a->allowed)) < 0 ||
	    json_put(o, "refused", sets_to_json(a->refused)) < 0 ||
	    json_put(o, "listener", a->listener ? json_string(a->listener) : json_null()) < 0)
		return -ENOMEM;
	return 0;
}

int applied_print(const struct applied *a, char **ret, size_t *ret_len)
{
	json_auto_t *o = json_object();
	_free_ char *text = NULL, *ended = NULL;

	if (a->listener && !reach_is_path(a->listener))
		return -EINVAL;
	if (json_put(o, "version", json_integer(APPLIED_VERSION)) < 0 ||
	    json_put(o, "key", json_string(a->key)) < 0 ||
	    json_put(o, "mode", json_string(policy_mode_name(a->mode))) < 0 ||
	    json_put(o, "replace", json_boolean(a->replace)) < 0 ||
	    json_put(o, "unconfined", json_boolean(a->unconfined)) < 0 ||
	    json_put(o, "keep_new_image", json_boolean(a->keep_new_image)) < 0 ||
	    json_put(o, "trial_seconds", json_integer(a->trial_s)) < 0 ||
	    json_put(o, "generation", generation_to_json(&a->now)) < 0 ||
	    json_put(o, "good", a->has_good ? generation_to_json(&a->good) : json_null()) < 0 ||
	    print_probation(a, o) < 0)
		return -ENOMEM;
	text = json_text(o, JSON_INDENT(1) | JSON_SORT_KEYS);
	ended = text ? text_format("%s\n", text) : NULL;
	if (!ended)
		return -ENOMEM;
	*ret_len = strlen(ended);
	*ret = TAKE_PTR(ended);
	return 0;
}

/* --- in ---------------------------------------------------------------------------------- */

/* First of all: what a newer version means by the rest isn't known. */
static int parse_version(const json_t *o, char **ret_why)
{
	uint64_t version = 0;
	int r;

	if (!json_is_object(o))
		return oci_fail(ret_why, "not an object");
	r = oci_uint(o, "", "version", UINT64_MAX, true, &version, ret_why);
	if (r < 0 || version == APPLIED_VERSION)
		return r;
	r = oci_fail(ret_why, "version %" PRIu64 ", this tamis knows %d", version, APPLIED_VERSION);
	return r == -EINVAL && version > APPLIED_VERSION ? -EPROTO : r;
}

static int parse_mode(const json_t *o, enum policy_mode *ret, char **ret_why)
{
	const char *mode = NULL;
	int r = oci_string(o, "", "mode", true, &mode, ret_why);

	if (r < 0)
		return r;
	r = policy_mode_from_name(mode, ret);
	return r == 0 && *ret != MODE_OBSERVE
		       ? 0
		       : oci_fail(ret_why, "mode: neither shadow, enforce nor probation");
}

static int parse_generations(const json_t *o, struct applied *ret, char **ret_why)
{
	json_t *now = NULL, *good = NULL;
	int r = oci_object(o, "", "generation", &now, ret_why);

	if (r == 0 && !now)
		return oci_fail(ret_why, "generation: missing");
	if (r == 0)
		r = generation_from_json(now, "generation.", &ret->now, ret_why);
	if (r == 0)
		r = oci_object(o, "", "good", &good, ret_why);
	ret->has_good = good;
	return r < 0 || !good ? r : generation_from_json(good, "good.", &ret->good, ret_why);
}

static int parse_rule(const json_t *o, enum probation_rule *ret, char **ret_why)
{
	const char *rule = NULL;
	int r = oci_string(o, "", "rule", false, &rule, ret_why);

	if (r == 0 && rule && probation_rule_from_name(rule, ret) < 0)
		return oci_fail(ret_why, "rule: neither learn, ask nor deny");
	return r;
}

static int parse_listener(const json_t *o, char **ret, char **ret_why)
{
	int r = text_from_json(o, "", "listener", false, ret, ret_why);

	if (r == 0 && *ret && !reach_is_path(*ret))
		return oci_fail(ret_why, "listener: not an absolute path of a socket");
	return r;
}

/* Files of before have none of these. */
static int parse_probation(const json_t *o, struct applied *ret, char **ret_why)
{
	int r = 0;

	if (json_object_get(o, "probe_new_image"))
		r = bool_from_json(o, "", "probe_new_image", &ret->probe_new_image, ret_why);
	if (r == 0)
		r = parse_rule(o, &ret->rule, ret_why);
	if (r == 0 && json_object_get(o, "allowed"))
		r = sets_from_json(o, "", "allowed", ret->allowed, ret_why);
	if (r == 0 && json_object_get(o, "refused"))
		r = sets_from_json(o, "", "refused", ret->refused, ret_why);
	return r == 0 ? parse_listener(o, &ret->listener, ret_why) : r;
}

static int parse_root(const json_t *o, struct applied *ret, char **ret_why)
{
	uint64_t trial_s = APPLIED_TRIAL_S;
	int r = parse_version(o, ret_why);

	if (r == 0)
		r = text_from_json(o, "", "key", true, &ret->key, ret_why);
	if (r == 0)
		r = parse_mode(o, &ret->mode, ret_why);
	if (r == 0)
		r = bool_from_json(o, "", "replace", &ret->replace, ret_why);
	if (r == 0)
		r = bool_from_json(o, "", "unconfined", &ret->unconfined, ret_why);
	if (r == 0)
		r = bool_from_json(o, "", "keep_new_image", &ret->keep_new_image, ret_why);
	if (r == 0)
		r = oci_uint(o, "", "trial_seconds", 86400, true, &trial_s, ret_why);
	ret->trial_s = (unsigned)trial_s;
	if (r == 0)
		r = parse_probation(o, ret, ret_why);
	return r < 0 ? r : parse_generations(o, ret, ret_why);
}

int applied_parse(const char *text, size_t len, struct applied *ret, char **ret_why)
{
	_applied_ struct applied a = { 0 };
	json_auto_t *root = NULL;
	int r;

	if (len > APPLIED_MAX)
		return oci_fail(ret_why, "larger than %u bytes", APPLIED_MAX);
	r = oci_json_load(text, len, &root, ret_why);
	if (r == 0)
		r = parse_root(root, &a, ret_why);
	if (r < 0)
		return r;
	*ret = a;
	a = (struct applied){ 0 };
	return 0;
}
