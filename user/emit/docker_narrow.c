/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A docker profile as a policy leaves it. Entries of one name that apply under the same terms
 * (includes, excludes) are one thing, as they are to the engine:
 *
 *     no narrower under the policy     the name stays where it is
 *     allowed under more conditions    entries of its own, under the same terms
 *     not allowed                      the entries that let it through refuse it
 *
 * As the terms stay, this holds for every set of capabilities, kernel and machine; and as the base's
 * default stays too, so does the meaning of every entry that engines skip because it says the
 * default.
 */
#include <errno.h>
#include <string.h>

#include "base/stream.h"
#include "emit/docker_base.h"
#include "emit/formats.h"
#include "emit/oci_names.h"

struct narrowing {
	const struct docker_base *base;
	const struct filter *filter;
	const struct oci_names *names;
	const json_t *entries; /* of the base */
	json_t *out;	       /* of the result */
};

static bool passes(const struct oci_call *c)
{
	for (size_t i = 0; c && i < c->rule_cnt; i++) {
		if (filter_action_passes(c->rule[i].action))
			return true;
	}
	return false;
}

static const struct oci_call *find_call(const struct oci_names *n, const char *name)
{
	for (size_t i = 0; i < n->cnt; i++) {
		if (n->call[i].name && strcmp(n->call[i].name, name) == 0)
			return &n->call[i];
	}
	return NULL;
}

/* --- entries that come out ------------------------------------------------------------------ */

/* With what says when it applies, and (`args`) its conditions. */
static json_t *entry_like(const json_t *entry, json_t *names, bool args)
{
	static const char *const kept[] = { "includes", "excludes", "args" };
	json_t *o = json_object();

	(void)json_object_set_new(o, "names", names);
	for (size_t i = 0; i < ARRAY_SIZE(kept) - !args; i++) {
		json_t *v = json_object_get(entry, kept[i]);

		if (v)
			(void)json_object_set(o, kept[i], v);
	}
	return o;
}

/* The entry itself, or with some of its names. */
static json_t *entry_with(json_t *entry, json_t *names)
{
	json_t *o;

	if (json_array_size(names) == docker_name_cnt(entry))
		return json_incref(entry);
	o = json_copy(entry);
	if (o)
		(void)json_object_set(o, "names", names);
	return o;
}

static void set_answer(json_t *o, enum filter_action action, uint32_t errno_ret)
{
	(void)json_object_set_new(o, "action", json_string(filter_action_oci(action)));
	if (action == FILTER_ERRNO || action == FILTER_TRACE)
		(void)json_object_set_new(o, "errnoRet", json_integer(errno_ret));
}

/* Numbers beyond jansson's go as strings, as oci_json_load has it. */
static json_t *number(uint64_t v)
{
	char digits[24];

	if (v <= INT64_MAX)
		return json_integer((json_int_t)v);
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);
	return json_string(digits);
}

static json_t *args_of(const struct filter_rule *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < r->cond_cnt; i++) {
		const struct filter_cond *c = &r->cond[i];
		json_t *o = json_pack("{s:i, s:o}", "index", c->index, "value", number(c->value));

		if (c->op == FILTER_MASKED_EQ)
			(void)json_object_set_new(o, "valueTwo", number(c->value_two));
		(void)json_object_set_new(o, "op", json_string(filter_op_oci(c->op)));
		(void)json_array_append_new(list, o);
	}
	return list;
}

/* Under the terms of `entry`; NULL: always. */
static int add_rule(struct narrowing *n, const json_t *entry, const char *name,
		    const struct filter_rule *r)
{
	json_t *o = entry_like(entry, json_pack("[s]", name), false);

	set_answer(o, r->action, r->errno_ret);
	if (r->cond_cnt)
		(void)json_object_set_new(o, "args", args_of(r));
	return json_array_append_new(n->out, o) < 0 ? -ENOMEM : 0;
}

/* --- one entry ------------------------------------------------------------------------------ */

/* The first entry of the name under these terms that lets something through. */
static bool is_first(const struct narrowing *n, const json_t *entry, const char *name)
{
	for (size_t i = 0; i < json_array_size(n->entries); i++) {
		const json_t *other = json_array_get(n->entries, i);

		if (docker_passes(other) && docker_same_terms(entry, other) &&
		    docker_has_name(other, name))
			return other == entry;
	}
	return false;
}

static bool says_default(const struct docker_base *b, enum filter_action action, uint32_t errno_ret)
{
	return b->default_action == action &&
	       (action != FILTER_ERRNO || b->default_errno == errno_ret);
}

/* How the policy refuses the call outright. */
static uint32_t refusal_of(const struct narrowing *n, const struct oci_call *c)
{
	const struct filter *f = n->filter;

	if (c && c->rule_cnt == 1 && c->rule->cond_cnt == 0 && c->rule->action == FILTER_ERRNO)
		return c->rule->errno_ret;
	return f->default_action == FILTER_ERRNO ? f->default_errno : EPERM;
}

/* The names of an entry by what becomes of them. */
struct sorted {
	json_t *stay, *moved;
	json_t *enosys, *eperm;
};

static bool is_plain_allow(const struct oci_call *c)
{
	return c->rule_cnt == 1 && c->rule->cond_cnt == 0 && c->rule->action == FILTER_ALLOW;
}

static int sort_name(const struct narrowing *n, const json_t *entry, json_t *name, struct sorted *s)
{
	const char *text = json_string_value(name);
	const struct oci_call *c = find_call(n->names, text);
	_cleanup_(filter_free) struct filter *group = NULL, *both = NULL;
	int r;

	if (!passes(c) && docker_passes(entry))
		return json_array_append(refusal_of(n, c) == EPERM ? s->eperm : s->enosys, name);
	if (!passes(c) || is_plain_allow(c))
		return json_array_append(s->stay, name);
	r = docker_group_read(n->base, entry, text, &group);
	if (r == 0)
		r = docker_group_meet(group, c, &both);
	if (r < 0)
		return r;
	if (docker_passes_same(group, both))
		return json_array_append(s->stay, name);
	return is_first(n, entry, text) ? json_array_append(s->moved, name) : 0;
}

static int add_moved(struct narrowing *n, const json_t *entry, const json_t *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		_cleanup_(filter_free) struct filter *group = NULL, *both = NULL;

		r = docker_group_read(n->base, entry, name, &group);
		if (r == 0)
			r = docker_group_meet(group, find_call(n->names, name), &both);
		for (size_t j = 0; r == 0 && j < both->rule_cnt; j++) {
			const struct filter_rule *rule = &both->rule[j];

			if (!says_default(n->base, rule->action, rule->errno_ret))
				r = add_rule(n, entry, name, rule);
		}
	}
	return r;
}

/* Where the base let them through they are refused now: not by its default, which may be death, and
 * often is an errno that programs don't expect. */
static void add_taken(struct narrowing *n, const json_t *entry, json_t *names, uint32_t err)
{
	json_t *o;

	if (json_array_size(names) == 0 || says_default(n->base, FILTER_ERRNO, err))
		return;
	o = entry_like(entry, json_incref(names), true);
	set_answer(o, FILTER_ERRNO, err);
	(void)json_array_append_new(n->out, o);
}

static int add_sorted(struct narrowing *n, json_t *entry, const struct sorted *s)
{
	if (json_array_size(s->stay) > 0 &&
	    json_array_append_new(n->out, entry_with(entry, s->stay)) < 0)
		return -ENOMEM;
	add_taken(n, entry, s->enosys, n->filter->default_errno ?: ENOSYS);
	add_taken(n, entry, s->eperm, EPERM);
	return add_moved(n, entry, s->moved);
}

static int narrow_entry(struct narrowing *n, json_t *entry)
{
	struct sorted s = { json_array(), json_array(), json_array(), json_array() };
	int r = 0;

	for (size_t i = 0; r == 0 && i < docker_name_cnt(entry); i++)
		r = sort_name(n, entry, docker_name(entry, i), &s);
	if (r == 0)
		r = add_sorted(n, entry, &s);
	json_decref(s.stay);
	json_decref(s.moved);
	json_decref(s.enosys);
	json_decref(s.eperm);
	return r;
}

/* --- refusals of the policy's own ------------------------------------------------------------ */

/* An entry of the base lets the name through, or (`refuses`) doesn't. */
static bool base_has(const json_t *entries, const char *name, bool refuses)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);

		if (docker_passes(entry) != refuses && docker_has_name(entry, name))
			return true;
	}
	return false;
}

/* With conditions, beside what passes; where the base says nothing else. */
static int add_refusals(struct narrowing *n, const struct oci_call *c)
{
	int r = 0;

	if (!c->name || !passes(c) || !base_has(n->entries, c->name, false) ||
	    base_has(n->entries, c->name, true))
		return 0;
	for (size_t i = 0; r == 0 && i < c->rule_cnt; i++) {
		const struct filter_rule *rule = &c->rule[i];

		if (rule->cond_cnt && !filter_action_passes(rule->action) &&
		    !says_default(n->base, rule->action, rule->errno_ret))
			r = add_rule(n, NULL, c->name, rule);
	}
	return r;
}

int docker_entries(const struct docker_base *b, const struct filter *filter, json_t **ret)
{
	_cleanup_(oci_names_free) struct oci_names *names = NULL;
	_cleanup_(json_decref) json_t *out = json_array();
	struct narrowing n = { b, filter, NULL, json_object_get(b->root, "syscalls"), out };
	int r = out ? oci_names_new(filter, &names) : -ENOMEM;

	n.names = names;
	for (size_t i = 0; r == 0 && i < json_array_size(n.entries); i++)
		r = narrow_entry(&n, json_array_get(n.entries, i));
	for (size_t i = 0; r == 0 && i < names->cnt; i++)
		r = add_refusals(&n, &names->call[i]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(out);
	return 0;
}

int docker_base_limits(const struct docker_base *b, const struct policy *p,
		       void (*say)(void *ctx, const char *line), void *ctx)
{
	const json_t *entries = json_object_get(b->root, "syscalls");
	_cleanup_(oci_names_free) struct oci_names *names = NULL;
	_free_ char *line = NULL;
	size_t len = 0;
	FILE *f = NULL;
	struct list l = { 0 };
	int r = oci_names_new(p->filter, &names);

	if (r < 0)
		return r;
	f = l.f = stream_open(&line, &len);
	if (!f)
		return -ENOMEM;
	fputs("docker: the base doesn't allow these, so refused: ", f);
	for (size_t i = 0; i < names->cnt; i++) {
		const struct oci_call *c = &names->call[i];

		if (c->name && passes(c) && !base_has(entries, c->name, false))
			list_add(&l, c->name);
	}
	if (fclose(f) != 0)
		return -ENOMEM;
	if (l.begun)
		say(ctx, line);
	return 0;
}
