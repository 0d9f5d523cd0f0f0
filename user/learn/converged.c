/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/converged.h"

#include <errno.h>
#include <stdio.h>

struct asking {
	const struct converged_options *o;
	const struct naps *naps;
	int64_t now;
	char *why;
	size_t room;
	bool any;
};

static const struct auto_rule *rule_of(const struct asking *a, const char *key)
{
	static const struct auto_rule common = { .observe_s = AUTO_OBSERVE_S,
						 .quiet_s = AUTO_QUIET_S };

	return auto_find(a->o->rules, key) ?: &common;
}

static int is_covered(const struct asking *a, const struct auto_rule *rule, int64_t workload,
		      char why[128])
{
	struct store_coverage c;
	int r = rule->coverage ? store_coverage_get(a->o->store, workload, &c) : -ENOENT;

	if (r < 0 && r != -ENOENT)
		return r;
	return auto_is_covered(rule, r < 0 ? NULL : &c, why, 128);
}

static int is_converged(const struct asking *a, const struct store_row *row, char why[128])
{
	const struct auto_rule *rule = rule_of(a, row->key);
	struct auto_when when = { .now = a->now, .naps = a->naps };
	int r;

	snprintf(why, 128, "partial");
	if (evidence_is_partial(&row->evidence))
		return 0;
	r = auto_last_new(a->o->store, row->id, &when.last_new);
	if (r < 0)
		return r;
	if (!auto_is_quiet(rule, row, &when, why, 128))
		return 0;
	return is_covered(a, rule, row->id, why);
}

/* The first that isn't ends the round. */
static int ask(const char *key, void *arg)
{
	struct asking *a = arg;
	__attribute__((cleanup(store_row_done))) struct store_row row = { 0 };
	char why[128];
	int r = store_find(a->o->store, key, &row, NULL);

	a->any = true;
	if (r == -ENOENT) {
		snprintf(a->why, a->room, "%.100s: nothing is known of it", key);
		return 1;
	}
	r = r < 0 ? r : is_converged(a, &row, why);
	if (r == 0)
		snprintf(a->why, a->room, "%.100s: %s", key, why);
	return r < 0 ? r : r == 0;
}

int converged_all(const struct converged_options *o, int64_t now, char *ret_why, size_t room)
{
	_naps_ struct naps naps = { 0 };
	struct asking a = { o, &naps, now, ret_why, room, false };
	int r = store_naps(o->store, &naps);

	snprintf(ret_why, room, "nothing runs");
	if (r == 0)
		r = under_each_free(o->under, ask, &a);
	return r < 0 ? r : r == 0 && a.any;
}
