/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of any format should know of how a policy was learned. Whether it is partial is not
 * among it: evidence says so. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/stream.h"
#include "emit/formats.h"
#include "model/calls.h"

static void why_not(const struct policy *p, FILE *f)
{
	if (p->why_not)
		fprintf(f, "can't be enforced: %s", p->why_not);
}

static void leaves(const struct policy *p, FILE *f)
{
	uint64_t cnt = p->evidence ? p->evidence->leaves : 0;

	if (cnt)
		fprintf(f,
			"%" PRIu64 " process%s left for other cgroups: what they do there was not "
			"learned, and is refused when a filter follows them",
			cnt, cnt == 1 ? "" : "es");
}

/* As `tamis allow` takes it. */
static void list_call(struct list *l, enum tamis_abi abi, unsigned nr)
{
	char name[CALLS_NAME_MAX], item[CALLS_NAME_MAX + 16];

	calls_print(abi, nr, name);
	if (abi == abi_native())
		snprintf(item, sizeof(item), "%s", name);
	else
		snprintf(item, sizeof(item), "%s:%s", abi_name(abi), name);
	list_add(l, item);
}

static bool list_calls(const struct sysset *sets, const char *what, FILE *f)
{
	struct list l = { f };

	for (unsigned abi = 0; sets && abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&sets[abi], 0); nr >= 0;
		     nr = sysset_next(&sets[abi], (unsigned)nr + 1)) {
			if (!l.begun)
				fputs(what, f);
			list_call(&l, abi, (unsigned)nr);
		}
	}
	return l.begun;
}

static void pending(const struct policy *p, FILE *f)
{
	bool recorded = p->engine && strcmp(p->engine, "record") == 0;

	if (list_calls(p->pending, "pending: guarded calls that were seen and nobody allowed: ", f))
		fputs(recorded ? " (tamis record --allow CALL)" : " (tamis allow WORKLOAD CALL)",
		      f);
}

static void untranslated(const struct policy *p, FILE *f)
{
	(void)list_calls(p->untranslated,
			 "calls that the other machine has none like, left out: ", f);
}

static void gate_unknown(const struct policy *p, FILE *f)
{
	struct list l = { f };

	for (unsigned abi = 0; p->gate_unknown && abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			if (!sysset_has(&p->gate_unknown[abi], nr))
				continue;
			if (!l.begun)
				fputs("gate calls that are in no runtime's table, from a newer "
				      "runtime or a hook, allowed because they were seen: ",
				      f);
			list_add_call(&l, abi, nr);
		}
	}
}

int emit_caveats(const struct policy *p, void (*say)(void *ctx, const char *line), void *ctx)
{
	static void (*const caveats[])(const struct policy *p, FILE *f) = { why_not, pending,
									    leaves, gate_unknown,
									    untranslated };

	for (size_t i = 0; i < ARRAY_SIZE(caveats); i++) {
		_free_ char *line = NULL;
		size_t len = 0;
		FILE *f = stream_open(&line, &len);

		if (!f)
			return -ENOMEM;
		caveats[i](p, f);
		if (fclose(f) != 0)
			return -ENOMEM;
		if (len)
			say(ctx, line);
	}
	return 0;
}
