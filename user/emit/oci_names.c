/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/oci_names.h"

#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "emit/scmp.h"
#include "model/calls.h"

/* The rules of one call of one ABI. */
struct entry {
	const char *name;
	const struct filter_rule *rule;
	size_t cnt;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = 0;

	if (!x->name || !y->name)
		r = (x->name != NULL) - (y->name != NULL);
	else
		r = strcmp(x->name, y->name);
	if (r == 0)
		r = (int)x->rule->abi - (int)y->rule->abi;
	return r ? r : (int)x->rule->nr - (int)y->rule->nr;
}

static size_t list_entries(const struct filter *f, struct entry *list)
{
	size_t cnt = 0, n;

	for (size_t i = 0; i < f->rule_cnt; i += n) {
		const struct filter_rule *rule = &f->rule[i];

		n = rules_of_call(f, i);
		if (f->abis >> rule->abi & 1)
			list[cnt++] = (struct entry){ calls_name(rule->abi, rule->nr), rule, n };
	}
	qsort(list, cnt, sizeof(*list), compare_entries);
	return cnt;
}

static bool conds_same(const struct filter_rule *a, const struct filter_rule *b)
{
	if (a->cond_cnt != b->cond_cnt)
		return false;
	for (unsigned i = 0; i < a->cond_cnt; i++) {
		const struct filter_cond *x = &a->cond[i], *y = &b->cond[i];

		if (x->index != y->index || x->op != y->op || x->value != y->value ||
		    x->value_two != y->value_two)
			return false;
	}
	return true;
}

static bool has_rule(const struct filter_rule *rules, size_t cnt, const struct filter_rule *r)
{
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].action == r->action && rules[i].errno_ret == r->errno_ret &&
		    conds_same(&rules[i], r))
			return true;
	}
	return false;
}

/* Runtimes refuse a second answer to the same conditions: the more permissive one stays. */
static void add_rule(struct oci_call *c, const struct filter_rule *r)
{
	for (size_t i = 0; i < c->rule_cnt; i++) {
		if (!conds_same(&c->rule[i], r))
			continue;
		if (r->action > c->rule[i].action)
			c->rule[i] = *r;
		return;
	}
	c->rule[c->rule_cnt++] = *r;
}

/* The most permissive of the rules without conditions, over all ABIs. */
static const struct filter_rule *best_unconditional(const struct entry *e, size_t cnt)
{
	const struct filter_rule *best = NULL;

	for (size_t i = 0; i < cnt; i++) {
		for (size_t j = 0; j < e[i].cnt; j++) {
			const struct filter_rule *r = &e[i].rule[j];

			if (r->cond_cnt == 0 && (!best || r->action > best->action))
				best = r;
		}
	}
	return best;
}

/* A rule without conditions swallows those with conditions in libseccomp, whatever it says. So
 * it is said only where it is at least as permissive as every one of them. */
static void choose_rules(struct oci_call *c, const struct entry *e, size_t cnt)
{
	const struct filter_rule *plain = best_unconditional(e, cnt);
	enum filter_action most = FILTER_KILL_PROCESS;
	bool conditional = false;

	for (size_t i = 0; i < cnt; i++) {
		for (size_t j = 0; j < e[i].cnt; j++) {
			if (e[i].rule[j].cond_cnt == 0)
				continue;
			conditional = true;
			if (e[i].rule[j].action > most)
				most = e[i].rule[j].action;
		}
	}
	if (plain && (!conditional || plain->action >= most)) {
		add_rule(c, plain);
		return;
	}
	for (size_t i = 0; i < cnt; i++) {
		for (size_t j = 0; j < e[i].cnt; j++) {
			if (e[i].rule[j].cond_cnt > 0)
				add_rule(c, &e[i].rule[j]);
		}
	}
}

/* The same but for what they say of argument 0. */
static bool conds_same_rest(const struct filter_rule *a, const struct filter_rule *b)
{
	struct filter_rule x = *a, y = *b;

	for (struct filter_rule *r = &x;; r = &y) {
		if (r->cond_cnt && r->cond[0].index == 0) /* sorted by index */
			memmove(r->cond, r->cond + 1, --r->cond_cnt * sizeof(*r->cond));
		if (r == &y)
			return conds_same(&x, &y);
	}
}

/* What is stricter than the default stays before all; of what isn't, the more permissive does. */
static int rank(const struct filter_rule *r, enum filter_action otherwise)
{
	return r->action < otherwise ? FILTER_ACTION_MAX + (int)(otherwise - r->action)
				     : (int)r->action;
}

/* By another one, `kept` of which are before it. */
static bool is_outdone(const struct oci_call *c, size_t kept, const struct filter_rule *r,
		       enum filter_action otherwise)
{
	for (size_t i = 0; i < c->rule_cnt; i++) {
		const struct filter_rule *o = &c->rule[i];
		int more = rank(o, otherwise) - rank(r, otherwise);
		bool before = i < kept && more == 0 && o->errno_ret != r->errno_ret;

		if ((more > 0 || before) && conds_same_rest(o, r))
			return true;
	}
	return false;
}

/*
 * Of a call that i386 has as a part of socketcall or ipc libseccomp makes a second rule, in which
 * argument 0 is the number of that part: rules that differ there alone are then two answers to the
 * same conditions, and runtimes start nothing. What goes is left to the default.
 */
static void drop_outdone(struct oci_call *c, const struct filter *f)
{
	size_t kept = 0;

	if (!c->name || !(f->abis >> TAMIS_ABI_I386 & 1) ||
	    filter_action_passes(f->default_action) || !scmp_is_multiplexed(c->name))
		return;
	for (size_t i = 0; i < c->rule_cnt; i++)
		if (!is_outdone(c, kept, &c->rule[i], f->default_action))
			c->rule[kept++] = c->rule[i];
	c->rule_cnt = kept;
}

/* What the ABI lets through under what is said, beside what its own rules do. */
static void compare_abi(struct oci_call *c, enum tamis_abi abi, const struct entry *e)
{
	if (e && e->rule->cond_cnt == 0 && e->rule->action == FILTER_ALLOW)
		return; /* nothing is more permissive, so it is what is said */
	for (size_t i = 0; i < c->rule_cnt; i++) {
		const struct filter_rule *said = &c->rule[i];

		if (e && has_rule(e->rule, e->cnt, said))
			continue;
		if (rules_allow(said, 1))
			c->widened |= 1u << abi;
		else
			c->differs = true;
	}
	for (size_t i = 0; e && i < e->cnt; i++) {
		if (!has_rule(c->rule, c->rule_cnt, &e->rule[i]) && !(c->widened >> abi & 1))
			c->differs = true;
	}
}

static int fill_call(struct oci_call *c, const struct filter *f, const struct entry *e, size_t cnt)
{
	size_t room = 0;

	for (size_t i = 0; i < cnt; i++)
		room += e[i].cnt;
	*c = (struct oci_call){ .name = e->name, .abi = e->rule->abi, .nr = e->rule->nr };
	c->rule = calloc(room, sizeof(*c->rule));
	if (!c->rule)
		return -ENOMEM;
	choose_rules(c, e, cnt);
	drop_outdone(c, f);
	for (size_t i = 0; i < cnt; i++)
		c->abis |= 1u << e[i].rule->abi;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct entry *own = NULL;

		for (size_t i = 0; i < cnt; i++) {
			if (e[i].rule->abi == abi)
				own = &e[i];
		}
		if (own || (c->name && (f->abis >> abi & 1) && calls_number(abi, c->name) >= 0))
			compare_abi(c, abi, own);
	}
	return 0;
}

int oci_names_new(const struct filter *f, struct oci_names **ret)
{
	_cleanup_(oci_names_free) struct oci_names *names = calloc(1, sizeof(*names));
	_free_ struct entry *list = calloc(f->rule_cnt + 1, sizeof(*list));
	size_t cnt, n;

	if (!names || !list)
		return -ENOMEM;
	cnt = list_entries(f, list);
	names->call = calloc(cnt + 1, sizeof(*names->call));
	if (!names->call)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i += n) {
		int r;

		n = 1;
		while (list[i].name && i + n < cnt && strcmp(list[i].name, list[i + n].name) == 0)
			n++;
		r = fill_call(&names->call[names->cnt], f, &list[i], n);
		if (r < 0)
			return r;
		names->cnt++;
	}
	*ret = TAKE_PTR(names);
	return 0;
}

void oci_names_free(struct oci_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; n->call && i < n->cnt; i++)
		free(n->call[i].rule);
	free(n->call);
	free(n);
}
