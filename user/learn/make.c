/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/make.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "model/widen.h"
#include "policy/data.h"

#define WIDENED ", widened"

static bool says_widened(const char *maker)
{
	size_t len = strlen(maker), end = strlen(WIDENED);

	return len >= end && strcmp(maker + len - end, WIDENED) == 0;
}

bool make_was_widened(const struct generation *g)
{
	return g->maker && says_widened(g->maker);
}

static char *maker_of(const struct make_options *o)
{
	return text_format("%s%s", o->maker, o->widen && !says_widened(o->maker) ? WIDENED : "");
}

/* Nothing that a person has to be asked for, or refused, comes in by a group. */
static int widen(struct learned *l, const struct sysset *guard, const struct verdicts *v)
{
	struct widen_group *groups = calloc(WIDEN_GROUPS_MAX, sizeof(*groups));
	struct sysset but[TAMIS_ABI_MAX];
	size_t cnt = 0;
	int r = groups ? data_widen(groups, &cnt) : -ENOMEM;

	memcpy(but, guard, sizeof(but));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&but[abi], &v->denied[abi]);
	if (r == 0)
		learned_widen(l, groups, cnt, but);
	free(groups);
	return r;
}

static int make_calls(struct store *s, int64_t workload, bool wide, struct generation *g)
{
	struct sysset guard[TAMIS_ABI_MAX] = { 0 };
	struct verdicts v;
	int r = store_learned(s, workload, &g->learned);

	if (r == 0)
		r = store_verdicts(s, workload, &v);
	if (r == 0)
		r = data_guard(guard);
	if (r < 0)
		return r;
	guard_sift(&g->learned, guard, &v, NULL);
	memcpy(g->denied, v.denied, sizeof(g->denied));
	memcpy(g->denied_eperm, v.denied_eperm, sizeof(g->denied_eperm));
	memset(g->learned.set[TAMIS_SETUP], 0, sizeof(g->learned.set[TAMIS_SETUP]));
	return wide ? widen(&g->learned, guard, &v) : 0;
}

static int make_images(struct store *s, int64_t workload, struct generation *g)
{
	char **image = NULL;
	size_t cnt = 0;
	int r = store_images(s, workload, &image, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		if (r == 0)
			r = generation_add_image(g, image[i]);
		free(image[i]);
	}
	free(image);
	return r;
}

int make_generation(struct store *s, const struct store_row *row, const struct make_options *o,
		    int64_t now, struct generation *ret)
{
	_generation_ struct generation g = {
		.created = now,
		.descendants = o->descendants,
		.evidence = row->evidence,
		.state = o->good ? GENERATION_GOOD : GENERATION_TRIAL,
	};
	int r;

	g.maker = maker_of(o);
	if (!g.maker)
		return -ENOMEM;
	r = make_calls(s, row->id, o->widen, &g);
	if (r == 0)
		r = make_images(s, row->id, &g);
	if (r == 0)
		r = generation_digest(&g);
	if (r < 0)
		return r;
	*ret = g;
	g = (struct generation){ 0 };
	return 0;
}
