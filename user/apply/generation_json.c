/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as JSON. What is read is hostile until its digest fits. */
#include "apply/generation_json.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "emit/oci_json.h"
#include "model/calls.h"

#define TEXT_SHOWN 1024 /* bytes of a maker, a reason */

/* --- out --------------------------------------------------------------------------------- */

int json_put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) < 0 ? -ENOMEM : 0;
}

json_t *text_to_json(const char *s)
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

json_t *sets_to_json(const struct sysset set[TAMIS_ABI_MAX])
{
	json_auto_t *o = json_object();

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_is_empty(&set[abi]) &&
		    json_put(o, abi_name(abi), print_set(&set[abi], abi)) < 0)
			return NULL;
	return TAKE_PTR(o);
}

static const enum tamis_stage stages[] = { TAMIS_GATE, TAMIS_WORKLOAD, TAMIS_SESSION };

static json_t *print_learned(const struct learned *l)
{
	json_auto_t *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (json_put(o, stage_name(stages[i]), sets_to_json(l->set[stages[i]])) < 0)
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
		if (json_put(o, evidence_fields[i].name, print_u64(v)) < 0)
			return NULL;
	}
	return TAKE_PTR(o);
}

static json_t *print_images(const struct generation *g)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < g->image_cnt; i++)
		if (json_array_append_new(list, text_to_json(g->image[i])) < 0)
			return NULL;
	return TAKE_PTR(list);
}

/* Left out where there is none, as files of before have it. */
static int put_denied_eperm(json_t *o, const struct generation *g)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_is_empty(&g->denied_eperm[abi]))
			return json_put(o, "denied_eperm", sets_to_json(g->denied_eperm));
	return 0;
}

json_t *generation_to_json(const struct generation *g)
{
	json_auto_t *o = json_object();

	if (json_put(o, "number", json_integer(g->number)) < 0 ||
	    json_put(o, "created", json_integer(g->created)) < 0 ||
	    json_put(o, "maker", text_to_json(g->maker)) < 0 ||
	    json_put(o, "digest", json_string(g->digest)) < 0 ||
	    json_put(o, "state", json_string(generation_state_name(g->state))) < 0 ||
	    json_put(o, "failed", text_to_json(g->failed)) < 0 ||
	    json_put(o, "images", print_images(g)) < 0 ||
	    json_put(o, "descendants", json_boolean(g->descendants)) < 0 ||
	    json_put(o, "learned", print_learned(&g->learned)) < 0 ||
	    json_put(o, "denied", sets_to_json(g->denied)) < 0 || put_denied_eperm(o, g) < 0 ||
	    json_put(o, "evidence", print_evidence(&g->evidence)) < 0)
		return NULL;
	return TAKE_PTR(o);
}

/* --- in ---------------------------------------------------------------------------------- */

int bool_from_json(const json_t *o, const char *path, const char *key, bool *ret, char **ret_why)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_boolean(v))
		return oci_fail(ret_why, "%s%s: %s", path, key, v ? "not a boolean" : "missing");
	*ret = json_is_true(v);
	return 0;
}

int text_from_json(const json_t *o, const char *path, const char *key, bool must, char **ret,
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

int sets_from_json(const json_t *o, const char *path, const char *key,
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
		r = sets_from_json(learned, inner, stage_name(stages[i]), ret->set[stages[i]],
				   ret_why);
	return r;
}

/* Files of before have no errnos. */
static int parse_denied(const json_t *o, const char *path, struct generation *ret, char **ret_why)
{
	int r = sets_from_json(o, path, "denied", ret->denied, ret_why);

	if (r < 0 || !json_object_get(o, "denied_eperm"))
		return r;
	r = sets_from_json(o, path, "denied_eperm", ret->denied_eperm, ret_why);
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		struct sysset rest = ret->denied_eperm[abi];

		sysset_remove(&rest, &ret->denied[abi]);
		if (!sysset_is_empty(&rest))
			return oci_fail(ret_why, "%sdenied_eperm: a call that isn't denied", path);
	}
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

int generation_from_json(const json_t *o, const char *path, struct generation *ret, char **ret_why)
{
	int r = parse_numbers(o, path, ret, ret_why);

	if (r == 0)
		r = text_from_json(o, path, "maker", false, &ret->maker, ret_why);
	if (r == 0)
		r = parse_state(o, path, ret, ret_why);
	if (r == 0)
		r = text_from_json(o, path, "failed", false, &ret->failed, ret_why);
	if (r == 0)
		r = parse_images(o, path, ret, ret_why);
	if (r == 0)
		r = bool_from_json(o, path, "descendants", &ret->descendants, ret_why);
	if (r == 0)
		r = parse_learned(o, path, &ret->learned, ret_why);
	if (r == 0)
		r = parse_denied(o, path, ret, ret_why);
	if (r == 0)
		r = parse_evidence(o, path, &ret->evidence, ret_why);
	return r < 0 ? r : check_digest(o, path, ret, ret_why);
}
