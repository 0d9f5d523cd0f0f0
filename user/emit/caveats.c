/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of any format should know of how a policy was learned. Whether it is partial is not
 * among it: evidence says so. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "emit/formats.h"

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
	static void (*const caveats[])(const struct policy *p, FILE *f) = { why_not, leaves,
									    gate_unknown };

	for (size_t i = 0; i < ARRAY_SIZE(caveats); i++) {
		_free_ char *line = NULL;
		size_t len = 0;
		FILE *f = open_memstream(&line, &len);

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
