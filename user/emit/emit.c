/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/emit.h"

#include <errno.h>
#include <string.h>

#include "base/stream.h"
#include "emit/formats.h"
#include "model/calls.h"

const struct emit_format emit_formats[] = {
	{ "oci", "runtime-spec JSON, for podman, docker, runc, crun, containerd", oci_limits,
	  oci_write, NULL },
	{ "docker", "docker's JSON (archMap); with --base, a profile of docker's narrowed",
	  docker_limits, docker_write, oci_limits },
	{ "spo", "SeccompProfile of Kubernetes' security-profiles-operator, YAML", spo_limits,
	  spo_write, oci_limits },
	{ "systemd", "a drop-in for a unit: SystemCallFilter=", systemd_limits, systemd_write,
	  NULL },
	{ "label", "an image's label with the OCI JSON, for podman", label_limits, label_write,
	  oci_limits },
	{ "annotation", "a container's annotation with the bpf program, for crun",
	  annotation_limits, annotation_write, NULL },
	{ "text", "for people: why each call is there, what was lost", text_limits, text_write,
	  NULL },
	{ "names", "one \"ABI call\" per line, without conditions, for scripts", names_limits,
	  names_write, NULL },
	{ "bpf", "a program for seccomp(2), from libseccomp, for bubblewrap", bpf_limits, bpf_write,
	  NULL },
	{ "pfc", "libseccomp's pseudo code", pfc_limits, pfc_write, NULL },
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

int emit_text(int (*write)(const struct policy *p, const struct emit_options *o, FILE *f),
	      const struct policy *p, const struct emit_options *o, char **ret, size_t *ret_len)
{
	static const struct emit_options none;
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = write(p, o ?: &none, f);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	if (ret_len)
		*ret_len = len;
	return 0;
}

/* The sentence with its calls, or NULL where the policy isn't touched. */
static int limit_line(const char *format, const struct emit_limit *l, const struct policy *p,
		      char **ret)
{
	_free_ char *line = NULL;
	size_t len, named;
	FILE *f;

	f = stream_open(&line, &len);
	if (!f)
		return -ENOMEM;
	fprintf(f, "%s: %s%s", format, l->what, l->calls ? ": " : "");
	fflush(f);
	named = len;
	if (l->calls)
		l->calls(p, f);
	if (fclose(f) != 0)
		return -ENOMEM;
	*ret = !l->calls || len > named ? TAKE_PTR(line) : NULL;
	return 0;
}

int limit_say(const char *format, const struct emit_limit *l, const struct policy *p,
	      void (*say)(void *ctx, const char *line), void *ctx)
{
	_free_ char *line = NULL;
	int r = limit_line(format, l, p, &line);

	if (r == 0 && line)
		say(ctx, line);
	return r;
}

int emit_limits(const struct emit_format *e, const struct policy *p,
		void (*say)(void *ctx, const char *line), void *ctx)
{
	int r = 0;

	for (const struct emit_limit *l = e->limits; r == 0 && l->what; l++)
		r = limit_say(e->name, l, p, say, ctx);
	for (const struct emit_limit *l = e->also; r == 0 && l && l->what; l++)
		r = limit_say(e->name, l, p, say, ctx);
	return r;
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

static bool any_asks(const struct filter_rule *rules, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].action == FILTER_NOTIFY)
			return true;
	}
	return false;
}

bool rules_ask(const struct filter_rule *rules, size_t cnt)
{
	return !rules_allow(rules, cnt) && any_asks(rules, cnt);
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

void list_asking(const struct policy *p, FILE *f)
{
	const struct filter *filter = p->filter;
	struct list l = { f };
	size_t n;

	for (size_t i = 0; i < filter->rule_cnt; i += n) {
		n = rules_of_call(filter, i);
		if (any_asks(&filter->rule[i], n))
			list_add_call(&l, filter->rule[i].abi, filter->rule[i].nr);
	}
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
