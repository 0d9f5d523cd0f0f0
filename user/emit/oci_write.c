/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain runtime-spec JSON: the keys that podman, docker, runc, crun and containerd all read,
 * in the order people expect them. Written by hand, as the names are our own tables' and the
 * order of keys matters to readers.
 */
#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "emit/oci_names.h"
#include "emit/scmp.h"
#include "model/calls.h"

static bool is_plain(const struct oci_call *c)
{
	return c->name && c->rule_cnt == 1 && c->rule->cond_cnt == 0;
}

static bool has_errno(enum filter_action a)
{
	return a == FILTER_ERRNO || a == FILTER_TRACE;
}

static void write_head(const struct filter *f, FILE *out)
{
	const char *between = "";

	fprintf(out, "{\n\t\"defaultAction\": \"%s\",\n", filter_action_oci(f->default_action));
	if (has_errno(f->default_action))
		fprintf(out, "\t\"defaultErrnoRet\": %u,\n", f->default_errno);
	fputs("\t\"architectures\": [", out);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!(f->abis >> abi & 1))
			continue;
		fprintf(out, "%s\n\t\t\"%s\"", between, abi_oci_name(abi));
		between = ",";
	}
	fputs("\n\t],\n\t\"syscalls\": [", out);
}

static void write_args(const struct filter_rule *r, FILE *out)
{
	fputs(",\n\t\t\t\"args\": [", out);
	for (unsigned i = 0; i < r->cond_cnt; i++) {
		const struct filter_cond *c = &r->cond[i];

		fprintf(out,
			"%s\n\t\t\t\t{\n\t\t\t\t\t\"index\": %u,\n\t\t\t\t\t\"value\": %llu,\n",
			i ? "," : "", c->index, (unsigned long long)c->value);
		if (c->op == FILTER_MASKED_EQ)
			fprintf(out, "\t\t\t\t\t\"valueTwo\": %llu,\n",
				(unsigned long long)c->value_two);
		fprintf(out, "\t\t\t\t\t\"op\": \"%s\"\n\t\t\t\t}", filter_op_oci(c->op));
	}
	fputs("\n\t\t\t]", out);
}

static void close_group(const struct filter_rule *r, FILE *out)
{
	fprintf(out, "\n\t\t\t],\n\t\t\t\"action\": \"%s\"", filter_action_oci(r->action));
	if (has_errno(r->action))
		fprintf(out, ",\n\t\t\t\"errnoRet\": %u", r->errno_ret);
	if (r->cond_cnt > 0)
		write_args(r, out);
	fputs("\n\t\t}", out);
}

struct groups {
	FILE *out;
	bool begun; /* a group was written: a comma is due */
};

static void open_group(struct groups *g)
{
	fprintf(g->out, "%s\n\t\t{\n\t\t\t\"names\": [", g->begun ? "," : "");
	g->begun = true;
}

/* All names that get this answer whatever their arguments are. */
static void write_plain(struct groups *g, const struct oci_names *n, enum filter_action action,
			uint32_t errno_ret)
{
	const struct filter_rule *rule = NULL;

	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		if (!is_plain(c) || c->rule->action != action || c->rule->errno_ret != errno_ret)
			continue;
		if (!rule)
			open_group(g);
		fprintf(g->out, "%s\n\t\t\t\t\"%s\"", rule ? "," : "", c->name);
		rule = c->rule;
	}
	if (rule)
		close_group(rule, g->out);
}

static void write_conditional(struct groups *g, const struct oci_names *n)
{
	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		for (size_t j = 0; c->name && !is_plain(c) && j < c->rule_cnt; j++) {
			open_group(g);
			fprintf(g->out, "\n\t\t\t\t\"%s\"", c->name);
			close_group(&c->rule[j], g->out);
		}
	}
}

/* The next larger errno that some name is refused with, or -1. */
static int next_errno(const struct oci_names *n, enum filter_action action, int after)
{
	int next = -1;

	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		if (is_plain(c) && c->rule->action == action && (int)c->rule->errno_ret > after &&
		    (next < 0 || (int)c->rule->errno_ret < next))
			next = c->rule->errno_ret;
	}
	return next;
}

static void write_action(struct groups *g, const struct oci_names *n, enum filter_action action)
{
	for (int e = next_errno(n, action, -1); e >= 0; e = next_errno(n, action, e))
		write_plain(g, n, action, e);
}

int oci_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	struct groups g = { f };
	int r = oci_names_new(p->filter, &n);

	if (r < 0)
		return r;
	write_head(p->filter, f);
	write_action(&g, n, FILTER_ALLOW);
	write_conditional(&g, n);
	for (int action = FILTER_ALLOW - 1; action >= 0; action--)
		write_action(&g, n, action);
	fprintf(f, "%s]\n}\n", g.begun ? "\n\t" : "");
	return ferror(f) ? -EIO : 0;
}

/* --- what it can't say ------------------------------------------------------------------- */

static void list_calls(const struct policy *p, FILE *f,
		       bool (*applies)(const struct filter *f, const struct oci_call *c))
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	struct list l = { f };

	if (oci_names_new(p->filter, &n) < 0)
		return;
	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		if (!applies(p->filter, c))
			continue;
		if (c->name)
			list_add(&l, c->name);
		else
			list_add_call(&l, c->abi, c->nr);
	}
}

static bool is_nameless(const struct filter *f, const struct oci_call *c)
{
	return !c->name && rules_allow(c->rule, c->rule_cnt);
}

static bool is_widened(const struct filter *f, const struct oci_call *c)
{
	return c->name && c->widened;
}

static bool is_different(const struct filter *f, const struct oci_call *c)
{
	return c->name && c->differs;
}

static bool is_too_new(const struct filter *f, const struct oci_call *c)
{
	return c->name && rules_allow(c->rule, c->rule_cnt) && !scmp_knows(c->abi, c->name);
}

/* libseccomp translates these to socketcall or ipc as well, whose arguments it can't see. */
static bool is_multiplexed(const struct filter *f, const struct oci_call *c)
{
	bool i386 = c->name && (f->abis >> TAMIS_ABI_I386 & 1) &&
		    calls_number(TAMIS_ABI_I386, c->name) >= 0;

	return i386 && rules_allow(c->rule, c->rule_cnt) && scmp_is_multiplexed(c->name);
}

static void nameless_calls(const struct policy *p, FILE *f)
{
	list_calls(p, f, is_nameless);
}

static void widened_calls(const struct policy *p, FILE *f)
{
	list_calls(p, f, is_widened);
}

static void different_calls(const struct policy *p, FILE *f)
{
	list_calls(p, f, is_different);
}

static void new_calls(const struct policy *p, FILE *f)
{
	list_calls(p, f, is_too_new);
}

static void multiplexed_calls(const struct policy *p, FILE *f)
{
	list_calls(p, f, is_multiplexed);
}

const struct emit_limit oci_limits[] = {
	{ "oci: calls without a name can't be said and are refused", nameless_calls },
	{ "oci: names are shared by all ABIs listed, so allowed more widely on some",
	  widened_calls },
	{ "oci: refused by its default instead, or with another errno, on some ABI",
	  different_calls },
	{ "oci: this host's libseccomp doesn't know these names, runtimes that use it will refuse "
	  "them",
	  new_calls },
	{ "oci: runtimes also allow the i386 socketcall or ipc form of", multiplexed_calls },
	{ 0 },
};
