/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "model/calls.h"

#define ROOM (TAMIS_ABI_MAX * TAMIS_CALLS)

struct lines {
	size_t cnt;
	char line[ROOM][CALLS_NAME_MAX + 16];
};

/* A list of what was seen, not a policy: there is nothing that it should say and can't. */
const struct emit_limit names_limits[] = { { 0 } };

/* A policy from a file has no stages: what it lets through. */
static void add_filter(const struct filter *f, struct sysset sets[TAMIS_ABI_MAX])
{
	size_t n;

	for (size_t i = 0; i < f->rule_cnt; i += n) {
		n = rules_of_call(f, i);
		if (rules_allow(&f->rule[i], n))
			sysset_add(&sets[f->rule[i].abi], f->rule[i].nr);
	}
}

static void add_stages(const struct learned *l, uint32_t stages, struct sysset sets[TAMIS_ABI_MAX])
{
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++) {
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX && (stages >> stage & 1); abi++)
			sysset_merge(&sets[abi], &l->set[stage][abi]);
	}
}

static void add_lines(enum tamis_abi abi, const struct sysset *set, struct lines *lines)
{
	char name[CALLS_NAME_MAX];

	for (int nr = sysset_next(set, 0); nr >= 0; nr = sysset_next(set, nr + 1)) {
		char *line = lines->line[lines->cnt++];

		snprintf(line, sizeof(lines->line[0]), "%s %s", abi_name(abi),
			 calls_print(abi, nr, name));
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

int names_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	uint32_t stages = o ? o->stages : 0;
	struct sysset sets[TAMIS_ABI_MAX] = { 0 };
	_free_ struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	if (stages && p->seen)
		add_stages(p->seen, stages, sets);
	else if (p->learned)
		add_stages(p->learned, stages ?: 1u << TAMIS_WORKLOAD, sets);
	else
		add_filter(p->filter, sets);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		add_lines(abi, &sets[abi], lines);
	qsort(lines->line, lines->cnt, sizeof(lines->line[0]), compare_lines);
	for (size_t i = 0; i < lines->cnt; i++)
		fprintf(f, "%s\n", lines->line[i]);
	return ferror(f) ? -EIO : 0;
}
