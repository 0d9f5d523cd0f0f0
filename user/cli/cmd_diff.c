/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/policy_side.h"
#include "cli/print.h"
#include "model/calls.h"

/* Like diff(1): the other commands' codes would make "trouble" look like "they differ". */
enum { SAME = 0, DIFFER = 1, TROUBLE = 2 };

/* --- comparing ---------------------------------------------------------------------------- */

/* "-": only A lets it through, "+": only B, "~": both or neither, under other rules. */
struct report {
	json_t *list; /* NULL: lines on stdout */
	size_t cnt;
};

static void report(struct report *rep, char sign, const char *abi, const char *call)
{
	static const char *const kinds[] = { "removed", "added", "changed" };
	const char *kind = kinds[sign == '-' ? 0 : sign == '+' ? 1 : 2];

	rep->cnt++;
	if (rep->list)
		json_array_append_new(rep->list, json_pack("{s:s,s:s,s:s}", "change", kind, "abi",
							   abi, "call", call));
	else
		printf("%c %s %s%s\n", sign, abi, call, sign == '~' ? " (rule changed)" : "");
}

struct call {
	const struct filter_rule *rule;
	size_t cnt;
};

static struct call find(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	struct call c = { 0 };

	if (f->abis >> abi & 1)
		c.cnt = filter_find(f, abi, nr, &c.rule);
	return c;
}

static bool lets_through(const struct filter *f, enum tamis_abi abi, const struct call *c)
{
	if (!(f->abis >> abi & 1))
		return false;
	for (size_t i = 0; i < c->cnt; i++) {
		if (c->rule[i].action >= FILTER_LOG)
			return true;
	}
	return c->cnt == 0 && f->default_action >= FILTER_LOG;
}

static bool same_cond(const struct filter_cond *a, const struct filter_cond *b)
{
	return a->index == b->index && a->op == b->op && a->value == b->value &&
	       (a->op != FILTER_MASKED_EQ || a->value_two == b->value_two);
}

static bool same_rules(const struct call *a, const struct call *b)
{
	if (a->cnt != b->cnt)
		return false;
	for (size_t i = 0; i < a->cnt; i++) {
		const struct filter_rule *x = &a->rule[i], *y = &b->rule[i];

		if (x->action != y->action || x->errno_ret != y->errno_ret ||
		    x->cond_cnt != y->cond_cnt)
			return false;
		for (unsigned j = 0; j < x->cond_cnt; j++) {
			if (!same_cond(&x->cond[j], &y->cond[j]))
				return false;
		}
	}
	return true;
}

/* A rule that says what the default says is none. */
static void drop_default(const struct filter *f, struct call *c)
{
	if (c->cnt == 1 && c->rule->cond_cnt == 0 && c->rule->action == f->default_action &&
	    c->rule->errno_ret == f->default_errno)
		c->cnt = 0;
}

static void compare_call(struct report *rep, const struct filter *a, const struct filter *b,
			 enum tamis_abi abi, uint32_t nr)
{
	struct call x = find(a, abi, nr), y = find(b, abi, nr);
	bool in_a = lets_through(a, abi, &x), in_b = lets_through(b, abi, &y);
	bool both = (a->abis & b->abis) >> abi & 1;
	char name[CALLS_NAME_MAX];

	drop_default(a, &x);
	drop_default(b, &y);
	if (in_a != in_b)
		report(rep, in_a ? '-' : '+', abi_name(abi), calls_print(abi, nr, name));
	else if (both && !same_rules(&x, &y))
		report(rep, '~', abi_name(abi), calls_print(abi, nr, name));
}

static void compare(struct report *rep, const struct filter *a, const struct filter *b)
{
	if (a->default_action != b->default_action || a->default_errno != b->default_errno)
		report(rep, '~', "all", "default");
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		bool in_a = a->abis >> abi & 1, in_b = b->abis >> abi & 1;

		if (in_a != in_b)
			report(rep, in_a ? '-' : '+', abi_name(abi), "*");
		for (unsigned nr = 0; (in_a || in_b) && nr < TAMIS_CALLS; nr++)
			compare_call(rep, a, b, abi, nr);
	}
}

/* --- command ------------------------------------------------------------------------------ */

static int show_json(struct report *rep, const char *a, const char *b)
{
	return print_json(json_pack("{s:o,s:o,s:b,s:O}", "a", print_json_text(a), "b",
				    print_json_text(b), "same", rep->cnt == 0, "differences",
				    rep->list),
			  stdout);
}

static int diff(char *names[2], const struct policy_options *o, bool json)
{
	_policy_side_ struct policy_side a = { 0 }, b = { 0 };
	_cleanup_(json_decref) json_t *list = json ? json_array() : NULL;
	struct report rep = { list };

	if (policy_side_load(names[0], o, &a) < 0 || policy_side_load(names[1], o, &b) < 0)
		return TROUBLE;
	compare(&rep, policy_side_filter(&a), policy_side_filter(&b));
	if ((json && show_json(&rep, names[0], names[1]) < 0) || fflush(stdout) != 0) {
		(void)log_err_errno(-errno, "standard output");
		return TROUBLE;
	}
	return rep.cnt ? DIFFER : SAME;
}

static int run(int argc, char **argv)
{
	struct policy_options o = { 0 };
	bool json = false;
	const struct option_row options[] = { OPTION_JSON(&json), OPTION_STATE(&o.state), { 0 } };
	struct arguments args = { .min = 2, .max = 2 };

	if (options_parse(&cmd_diff, options, argc, argv, &args) != EXIT_OK)
		return TROUBLE;
	return diff(args.arg, &o, json);
}

const struct cmd cmd_diff = {
	.name = "diff",
	.args = "A B [--json] [--state DIR]",
	.help = "what B allows more (+), less (-) or otherwise (~) than A: workloads or files",
	.run = run,
};
