/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an applied file. What is read is hostile until its digest fits. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "apply/applied.h"
#include "base/text.h"
#include "emit/oci_json.h"
#include "model/calls.h"

#define TEXT_SHOWN 1024 /* bytes of a maker, a reason */

void applied_done(struct applied *a)
{
	free(a->key);
	generation_done(&a->now);
	generation_done(&a->good);
	*a = (struct applied){ 0 };
}

/* --- out --------------------------------------------------------------------------------- */

/* 0, or -ENOMEM where the value is NULL or the key could not be set. */
static int put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) < 0 ? -ENOMEM : 0;
}

/* NULL is null; what is no text becomes \xNN. */
static json_t *print_text(const char *s)
{
	_free_ char *shown = NULL;
	json_t *j;

	if (!s)
		return json_null();
	j = strnlen(s, TEXT_SHOWN) < TEXT_SHOWN ? json_string(s) : NULL;
	if (j)
		return j;
	shown = text_escaped(s, TEXT_SHOWN / 8);
	return shown ? json_string(shown) : NULL;
}

static json_t *print_u64(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

static json_t *print_set(const struct sysset *s, enum tamis_abi abi)
{
	json_auto_t *list = json_array();
	char buf[CALLS_NAME_MAX];

	for (int nr = sysset_next(s, 0); nr >= 0; nr = sysset_next(s, (unsigned)nr + 1))
		if (json_array_append_new(list, json_string(calls_print(abi, (unsigned)nr, buf))) <
		    0)
			return NULL;
	return TAKE_PTR(list);
}

/* By ABI; those without a call are left out. */
static json_t *print_sets(const struct sysset set[TAMIS_ABI_MAX])
{
	json_auto_t *o = json_object();

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_is_empty(&set[abi]) &&
		    put(o, abi_name(abi), print_set(&set[abi], abi)) < 0)
			return NULL;
	return TAKE_PTR(o);
}

static const enum tamis_stage stages[] = { TAMIS_GATE, TAMIS_WORKLOAD, TAMIS_SESSION };

static json_t *print_learned(const struct learned *l)
{
	json_auto_t *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (put(o, stage_name(stages[i]), print_sets(l->set[stages[i]])) < 0)
			return NULL;
	return TAKE_PTR(o);
}

/* Each field of the evidence once, for both directions. */
static const struct {
	const char *name;
	size_t at;
} evidence_fields[] = {
	{ "starts", offsetof(struct evidence, starts) },
	{ "since", offsetof(struct evidence, since) },
	{ "last", offsetof(struct evidence, last) },
	{ "units", offsetof(struct evidence, units) },
	{ "lost_range", offsetof(struct evidence, lost_range) },
	{ "lost_full", offsetof(struct evidence, lost_full) },
	{ "lost_ring", offsetof(struct evidence, lost_ring) },
	{ "lost_task", offsetof(struct evidence, lost_task) },
	{ "lost_gaps", offsetof(struct evidence, lost_gaps) },
	{ "leaves", offsetof(struct evidence, leaves) },
};
_Static_assert(sizeof(struct evidence) == ARRAY_SIZE(evidence_fields) * sizeof(uint64_t),
	       "all fields are 64 bits wide and named");

static json_t *print_evidence(const struct evidence *e)
{
	json_auto_t *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(evidence_fields); i++) {
		uint64_t v;

		memcpy(&v, (const char *)e + evidence_fields[i].at, sizeof(v));
		if (put(o, evidence_fields[i].name, print_u64(v)) < 0)
			return NULL;
	}
	return TAKE_PTR(o);
}

static json_t *print_images(const struct generation *g)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < g->image_cnt; i++)
		if (json_array_append_new(list, print_text(g->image[i])) < 0)
			return NULL;
	return TAKE_PTR(list);
}

static json_t *print_generation(const struct generation *g)
{
	json_auto_t *o = json_object();

	if (put(o, "number", json_integer(g->number)) < 0 ||
	    put(o, "created", json_integer(g->created)) < 0 ||
	    put(o, "maker", print_text(g->maker)) < 0 ||
	    put(o, "digest", json_string(g->digest)) < 0 ||
	    put(o, "state", json_string(generation_state_name(g->state))) < 0 ||
	    put(o, "failed", print_text(g->failed)) < 0 || put(o, "images", print_images(g)) < 0 ||
	    put(o, "descendants", json_boolean(g->descendants)) < 0 ||
	    put(o, "learned", print_learned(&g->learned)) < 0 ||
	    put(o, "denied", print_sets(g->denied)) < 0 ||
	    put(o, "evidence", print_evidence(&g->evidence)) < 0)
		return NULL;
	return TAKE_PTR(o);
}

int applied_print(const struct applied *a, char **ret, size_t *ret_len)
{
	json_auto_t *o = json_object();
	_free_ char *text = NULL, *ended;

	if (put(o, "version", json_integer(APPLIED_VERSION)) < 0 ||
	    put(o, "key", json_string(a->key)) < 0 ||
	    put(o, "mode", json_string(policy_mode_name(a->mode))) < 0 ||
	    put(o, "replace", json_boolean(a->replace)) < 0 ||
	    put(o, "unconfined", json_boolean(a->unconfined)) < 0 ||
	    put(o, "keep_new_image", json_boolean(a->keep_new_image)) < 0 ||
	    put(o, "trial_seconds", json_integer(a->trial_s)) < 0 ||
	    put(o, "generation", print_generation(&a->now)) < 0 ||
	    put(o, "good", a->has_good ? print_generation(&a->good) : json_null()) < 0)
		return -ENOMEM;
	text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
	ended = text ? text_format("%s\n", text) : NULL;
	if (!ended)
		return -ENOMEM;
	*ret_len = strlen(ended);
	*ret = TAKE_PTR(ended);
	return 0;
}

/* --- in ---------------------------------------------------------------------------------- */

static int parse_bool(const json_t *o, const char *path, const char *key, bool *ret, char **ret_why)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_boolean(v))
		return oci_fail(ret_why, "%s%s: %s", path, key, v ? "not a boolean" : "missing");
	*ret = json_is_true(v);
	return 0;
}

/* A bounded copy, NULL where it is missing or null and need not be there. */
static int parse_text(const json_t *o, const char *path, const char *key, bool must, char **ret,
		      char **ret_why)
{
	const char *s = NULL;
	int r = oci_string(o, path, key, must, &s, ret_why);

	if (r < 0 || !s)
		return r;
	if (strlen(s) >= TEXT_SHOWN)
		return oci_fail(ret_why, "%s%s: longer than %d bytes", path, key, TEXT_SHOWN - 1);
	*ret = strdup(s);
	return *ret ? 0 : -ENOMEM;
}

static int parse_set(const json_t *o, const char *path, enum tamis_abi abi, struct sysset *ret,
		     char **ret_why)
{
	const char *name = NULL;
	json_t *list = NULL;
	int r = oci_array(o, path, abi_name(abi), &list, ret_why);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		int nr;

		r = oci_item(list, i, path, abi_name(abi), &name, ret_why);
		if (r < 0)
			return r;
		nr = calls_parse(abi, name);
		if (nr < 0)
			return oci_fail(ret_why, "%s%s[%zu]: no call of that name: %.40s", path,
					abi_name(abi), i, name);
		sysset_add(ret, (unsigned)nr);
	}
	return r;
}

/* All of object `key`: what is left out of it is empty. */
static int parse_sets(const json_t *o, const char *path, const char *key,
		      struct sysset ret[TAMIS_ABI_MAX], char **ret_why)
{
	_free_ char *inner = text_format("%s%s.", path, key);
	json_t *sets = NULL;
	int r = inner ? oci_object(o, path, key, &sets, ret_why) : -ENOMEM;

	if (r == 0 && !sets)
		return oci_fail(ret_why, "%s%s: missing", path, key);
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		r = parse_set(sets, inner, abi, &ret[abi], ret_why);
	return r;
}

static int parse_learned(const json_t *o, const char *path, struct learned *ret, char **ret_why)
{
	_free_ char *inner = text_format("%slearned.", path);
	json_t *learned = NULL;
	int r = inner ? oci_object(o, path, "learned", &learned, ret_why) : -ENOMEM;

	if (r == 0 && !learned)
		return oci_fail(ret_why, "%slearned: missing", path);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(stages); i++)
		r = parse_sets(learned, inner, stage_name(stages[i]), ret->set[stages[i]], ret_why);
	return r;
}

static int parse_evidence(const json_t *o, const char *path, struct evidence *ret, char **ret_why)
{
	_free_ char *inner = text_format("%sevidence.", path);
	json_t *e = NULL;
	int r = inner ? oci_object(o, path, "evidence", &e, ret_why) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(evidence_fields); i++) {
		uint64_t v = 0;

		r = oci_uint(e, inner, evidence_fields[i].name, INT64_MAX, true, &v, ret_why);
		memcpy((char *)ret + evidence_fields[i].at, &v, sizeof(v));
	}
	return r;
}

static int parse_images(const json_t *o, const char *path, struct generation *ret, char **ret_why)
{
	json_t *list = NULL;
	int r = oci_array(o, path, "images", &list, ret_why);

	if (json_array_size(list) > GENERATION_IMAGES_MAX)
		return oci_fail(ret_why, "%simages: more than %d", path, GENERATION_IMAGES_MAX);
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *digest = NULL;

		r = oci_item(list, i, path, "images", &digest, ret_why);
		if (r == 0)
			r = generation_add_image(ret, digest);
	}
	return r;
}

static int parse_state(const json_t *o, const char *path, struct generation *ret, char **ret_why)
{
	const char *name = NULL;
	int r = oci_string(o, path, "state", true, &name, ret_why);

	if (r == 0 && generation_state_from_name(name, &ret->state) < 0)
		return oci_fail(ret_why, "%sstate: no such state", path);
	return r;
}

/* The digest that the file says, against that of what was read. */
static int check_digest(const json_t *o, const char *path, struct generation *g, char **ret_why)
{
	const char *said = NULL;
	int r = oci_string(o, path, "digest", true, &said, ret_why);

	if (r == 0)
		r = generation_digest(g);
	if (r < 0 || strcmp(said, g->digest) == 0)
		return r;
	r = oci_fail(ret_why, "%sdigest: it isn't that of the calls", path);
	return r == -EINVAL ? -EUCLEAN : r;
}

static int parse_numbers(const json_t *o, const char *path, struct generation *ret, char **ret_why)
{
	uint64_t number = 0, created = 0;
	int r = oci_uint(o, path, "number", UINT32_MAX, true, &number, ret_why);

	if (r == 0)
		r = oci_uint(o, path, "created", INT64_MAX, true, &created, ret_why);
	if (r == 0 && number == 0)
		return oci_fail(ret_why, "%snumber: 0", path);
	ret->number = (uint32_t)number;
	ret->created = (int64_t)created;
	return r;
}

static int parse_generation(const json_t *o, const char *path, struct generation *ret,
			    char **ret_why)
{
	int r = parse_numbers(o, path, ret, ret_why);

	if (r == 0)
		r = parse_text(o, path, "maker", false, &ret->maker, ret_why);
	if (r == 0)
		r = parse_state(o, path, ret, ret_why);
	if (r == 0)
		r = parse_text(o, path, "failed", false, &ret->failed, ret_why);
	if (r == 0)
		r = parse_images(o, path, ret, ret_why);
	if (r == 0)
		r = parse_bool(o, path, "descendants", &ret->descendants, ret_why);
	if (r == 0)
		r = parse_learned(o, path, &ret->learned, ret_why);
	if (r == 0)
		r = parse_sets(o, path, "denied", ret->denied, ret_why);
	if (r == 0)
		r = parse_evidence(o, path, &ret->evidence, ret_why);
	return r < 0 ? r : check_digest(o, path, ret, ret_why);
}

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
		r = parse_generation(now, "generation.", &ret->now, ret_why);
	if (r == 0)
		r = oci_object(o, "", "good", &good, ret_why);
	ret->has_good = good;
	return r < 0 || !good ? r : parse_generation(good, "good.", &ret->good, ret_why);
}

static int parse_root(const json_t *o, struct applied *ret, char **ret_why)
{
	uint64_t trial_s = APPLIED_TRIAL_S;
	int r = parse_version(o, ret_why);

	if (r == 0)
		r = parse_text(o, "", "key", true, &ret->key, ret_why);
	if (r == 0)
		r = parse_mode(o, &ret->mode, ret_why);
	if (r == 0)
		r = parse_bool(o, "", "replace", &ret->replace, ret_why);
	if (r == 0)
		r = parse_bool(o, "", "unconfined", &ret->unconfined, ret_why);
	if (r == 0)
		r = parse_bool(o, "", "keep_new_image", &ret->keep_new_image, ret_why);
	if (r == 0)
		r = oci_uint(o, "", "trial_seconds", 86400, true, &trial_s, ret_why);
	ret->trial_s = (unsigned)trial_s;
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
