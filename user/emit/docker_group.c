/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "emit/docker_base.h"
#include "model/narrow.h"

bool docker_has_name(const json_t *entry, const char *name)
{
	for (size_t i = 0; i < docker_name_cnt(entry); i++) {
		if (strcmp(json_string_value(docker_name(entry, i)), name) == 0)
			return true;
	}
	return false;
}

/* {} says as little as null, or nothing. */
static bool same_term(const json_t *a, const json_t *b)
{
	bool none_a = json_object_size(a) == 0, none_b = json_object_size(b) == 0;

	return none_a || none_b ? none_a == none_b : json_equal(a, b);
}

bool docker_same_terms(const json_t *a, const json_t *b)
{
	return same_term(json_object_get(a, "includes"), json_object_get(b, "includes")) &&
	       same_term(json_object_get(a, "excludes"), json_object_get(b, "excludes"));
}

int docker_group_read(const struct docker_base *b, const json_t *entry, const char *name,
		      struct filter **ret)
{
	const json_t *entries = json_object_get(b->root, "syscalls");
	_cleanup_(filter_free) struct filter *f = NULL;
	int r = filter_new(&f);

	for (size_t i = 0; r == 0 && i < json_array_size(entries); i++) {
		const json_t *other = json_array_get(entries, i);

		if (docker_same_terms(entry, other) && docker_has_name(other, name))
			r = docker_base_rules(b, i, f);
	}
	if (r < 0)
		return r;
	f->default_action = b->default_action;
	f->default_errno = b->default_errno;
	filter_sort(f);
	*ret = TAKE_PTR(f);
	return 0;
}

/* What passes of the policy's rules: how it refuses is said once, see add_refusals. */
static int policy_side(const struct oci_call *c, struct filter **ret)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	int r = filter_new(&f);

	for (size_t i = 0; r == 0 && i < c->rule_cnt; i++) {
		struct filter_rule rule = c->rule[i];

		rule.abi = 0;
		rule.nr = 0;
		if (filter_action_passes(rule.action))
			r = filter_add(f, &rule);
	}
	if (r < 0)
		return r;
	filter_sort(f);
	*ret = TAKE_PTR(f);
	return 0;
}

int docker_group_meet(const struct filter *group, const struct oci_call *c, struct filter **ret)
{
	const struct side base = { group->rule, group->rule_cnt, group->default_action };
	struct side policy = { .otherwise = FILTER_ERRNO };
	static const struct filter_rule like = { 0 };
	_cleanup_(filter_free) struct filter *f = NULL, *passing = NULL;
	int r = filter_new(&f);

	if (r == 0)
		r = policy_side(c, &passing);
	if (r < 0 || !passing)
		return r;
	policy.rule = passing->rule;
	policy.cnt = passing->rule_cnt;
	f->default_action = group->default_action;
	f->default_errno = group->default_errno;
	r = narrow(&policy, &base, &like, f);
	if (r < 0)
		return r;
	filter_sort(f);
	*ret = TAKE_PTR(f);
	return 0;
}

static const struct filter_rule *next_passing(const struct filter *f, size_t *i)
{
	while (*i < f->rule_cnt && !filter_action_passes(f->rule[*i].action))
		(*i)++;
	return *i < f->rule_cnt ? &f->rule[(*i)++] : NULL;
}

bool docker_passes_same(const struct filter *a, const struct filter *b)
{
	const struct filter_rule *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_passing(a, &i);
		y = next_passing(b, &j);
		if (!x != !y)
			return false;
		if (x && (x->action != y->action || x->errno_ret != y->errno_ret ||
			  x->cond_cnt != y->cond_cnt ||
			  memcmp(x->cond, y->cond, x->cond_cnt * sizeof(*x->cond)) != 0))
			return false;
	} while (x);
	return true;
}
