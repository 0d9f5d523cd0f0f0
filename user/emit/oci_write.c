/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain runtime-spec JSON: the keys that podman, docker, runc, crun and containerd all read,
 * in the order people expect them; with archMap it is docker's. Written by hand, as the names are our own tables' and the
 * order of keys matters to readers.
 */
#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "emit/oci_names.h"
#include "model/calls.h"

static bool is_plain(const struct oci_call *c)
{
	return c->name && c->rule_cnt == 1 && c->rule->cond_cnt == 0;
}

static bool has_errno(enum filter_action a)
{
	return a == FILTER_ERRNO || a == FILTER_TRACE;
}

static void write_default(const struct filter *f, FILE *out)
{
	fprintf(out, "{\n\t\"defaultAction\": \"%s\",\n", filter_action_oci(f->default_action));
	if (has_errno(f->default_action))
		fprintf(out, "\t\"defaultErrnoRet\": %u,\n", f->default_errno);
}

static void write_architectures(const struct filter *f, FILE *out)
{
	const char *between = "";

	fputs("\t\"architectures\": [", out);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!(f->abis >> abi & 1))
			continue;
		fprintf(out, "%s\n\t\t\"%s\"", between, abi_oci_name(abi));
		between = ",";
	}
	fputs("\n\t],\n", out);
}

/* Those that run on the machine, itself apart. */
static void write_subs(const struct filter *f, enum tamis_abi machine, FILE *out)
{
	const char *between = "";

	fputs("\t\t\t\"subArchitectures\": [", out);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!(f->abis >> abi & 1) || abi == machine || !abi_runs_on(abi, machine))
			continue;
		fprintf(out, "%s\n\t\t\t\t\"%s\"", between, abi_oci_name(abi));
		between = ",";
	}
	fprintf(out, "%s]\n", *between ? "\n\t\t\t" : "");
}

static bool has_abi_of(const struct filter *f, enum tamis_abi machine)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if ((f->abis >> abi & 1) && abi_runs_on(abi, machine))
			return true;
	}
	return false;
}

/* By machine, for docker: it takes the entry of the one it runs on. */
static void write_arch_map(const struct filter *f, FILE *out)
{
	static const enum tamis_abi machines[] = { TAMIS_ABI_X86_64, TAMIS_ABI_AARCH64 };
	const char *between = "";

	fputs("\t\"archMap\": [", out);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (!has_abi_of(f, machines[i]))
			continue;
		fprintf(out, "%s\n\t\t{\n\t\t\t\"architecture\": \"%s\",\n", between,
			abi_oci_name(machines[i]));
		write_subs(f, machines[i], out);
		fputs("\t\t}", out);
		between = ",";
	}
	fputs("\n\t],\n", out);
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

static int write_profile(const struct filter *filter, FILE *f,
			 void (*write_abis)(const struct filter *filter, FILE *f))
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	struct groups g = { f };
	int r = oci_names_new(filter, &n);

	if (r < 0)
		return r;
	write_default(filter, f);
	write_abis(filter, f);
	fputs("\t\"syscalls\": [", f);
	write_action(&g, n, FILTER_ALLOW);
	write_conditional(&g, n);
	for (int action = FILTER_ALLOW - 1; action >= 0; action--)
		write_action(&g, n, action);
	fprintf(f, "%s]\n}\n", g.begun ? "\n\t" : "");
	return ferror(f) ? -EIO : 0;
}

int oci_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	return write_profile(p->filter, f, write_architectures);
}

const struct emit_limit docker_limits[] = { { 0 } };

int docker_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	if (o && o->base)
		return docker_narrow(o->base, p->filter, f);
	return write_profile(p->filter, f, write_arch_map);
}
