/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/emit.h"

#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "model/calls.h"

const struct emit_format emit_formats[] = {
	{ "oci", "runtime-spec JSON, for podman, docker, runc, crun, containerd", oci_limits,
	  oci_write },
	{ "text", "for people: why each call is there, what was lost", text_limits, text_write },
	{ "names", "one \"ABI call\" per line, without conditions, for scripts", names_limits,
	  names_write },
	{ "bpf", "a program for seccomp(2), from libseccomp", bpf_limits, bpf_write },
	{ "pfc", "libseccomp's pseudo code", pfc_limits, pfc_write },
	{ 0 },
};

const struct emit_format *emit_find(const char *name)
{
	for (const struct emit_format *e = emit_formats; e->name; e++) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* The sentence with its calls, or NULL where the policy isn't touched. */
static int limit_line(const struct emit_limit *l, const struct policy *p, char **ret)
{
	_free_ char *line = NULL;
	size_t len, named;
	FILE *f;

	f = open_memstream(&line, &len);
	if (!f)
		return -ENOMEM;
	fprintf(f, "%s%s", l->what, l->calls ? ": " : "");
	fflush(f);
	named = len;
	if (l->calls)
		l->calls(p, f);
	if (fclose(f) != 0)
		return -ENOMEM;
	*ret = !l->calls || len > named ? TAKE_PTR(line) : NULL;
	return 0;
}

int emit_limits(const struct emit_format *e, const struct policy *p,
		void (*say)(void *ctx, const char *line), void *ctx)
{
	for (const struct emit_limit *l = e->limits; l->what; l++) {
		_free_ char *line = NULL;
		int r = limit_line(l, p, &line);

		if (r < 0)
			return r;
		if (line)
			say(ctx, line);
	}
	return 0;
}

size_t rules_of_call(const struct filter *f, size_t from)
{
	size_t n = 0;

	while (from + n < f->rule_cnt && f->rule[from + n].abi == f->rule[from].abi &&
	       f->rule[from + n].nr == f->rule[from].nr)
		n++;
	return n;
}

bool rules_allow(const struct filter_rule *rules, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].action == FILTER_ALLOW || rules[i].action == FILTER_LOG)
			return true;
	}
	return false;
}

bool rules_have_conditions(const struct filter_rule *rules, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].cond_cnt > 0)
			return true;
	}
	return false;
}

void list_add(struct list *l, const char *item)
{
	fprintf(l->f, "%s%s", l->begun ? ", " : "", item);
	l->begun = true;
}

void list_add_call(struct list *l, enum tamis_abi abi, uint32_t nr)
{
	char name[CALLS_NAME_MAX], item[CALLS_NAME_MAX + 16];

	snprintf(item, sizeof(item), "%s %s", abi_name(abi), calls_print(abi, nr, name));
	list_add(l, item);
}

void cond_print(const struct filter_cond *c, FILE *f)
{
	static const char *const sign[FILTER_OP_MAX] = { "!=", "<", "<=", "==", ">=", ">", "==" };

	if (c->op == FILTER_MASKED_EQ)
		fprintf(f, "arg%u & 0x%llx == 0x%llx", c->index, (unsigned long long)c->value,
			(unsigned long long)c->value_two);
	else
		fprintf(f, "arg%u %s 0x%llx", c->index, sign[c->op], (unsigned long long)c->value);
}
