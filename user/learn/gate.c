/* SPDX-License-Identifier: Apache-2.0 */
/* Gate calls that policies/runtime doesn't know: told when a workload makes one for the first
 * time, by the store's knowledge, so that a daemon that starts again doesn't repeat it. */
#include <errno.h>
#include <string.h>

#include "learn/observer_internal.h"
#include "policy/data.h"

#define NEWS_MAX 1024 /* of one drain: more say nothing else */

int gate_init(struct observer *o)
{
	_free_ struct learned *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	memset(all, 0xff, sizeof(*all));
	return data_gate_unknown(all, o->gate.unknown);
}

static int add_news(struct gate *g, uint64_t cgroup, enum tamis_abi abi, const struct sysset *calls)
{
	struct gate_news *grown;

	if (g->news_cnt >= NEWS_MAX)
		return 0;
	grown = reallocarray(g->news, g->news_cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	g->news = grown;
	g->news[g->news_cnt++] = (struct gate_news){ cgroup, abi, *calls };
	return 0;
}

/* What of `calls` is in the set. */
static void meet(struct sysset *set, const struct sysset *calls)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] &= calls->bits[i];
}

/* Between a unit's filter and its exec is no runtime: systemd loads one filter an ABI there. */
static bool has_runtime(const struct watched *w)
{
	return !w->identity.engine || strcmp(w->identity.engine, "systemd") != 0;
}

int gate_note(struct observer *o, const struct watched *w, const struct tamis_key *key,
	      const struct sysset *calls)
{
	_free_ struct learned *known = NULL;
	struct sysset unknown = *calls;
	int r;

	if (key->stage != TAMIS_GATE || !has_runtime(w))
		return 0;
	meet(&unknown, &o->gate.unknown[key->abi]);
	if (sysset_is_empty(&unknown))
		return 0;
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	r = store_learned(o->o.store, w->workload, known);
	if (r < 0)
		return r;
	sysset_remove(&unknown, &known->set[TAMIS_GATE][key->abi]);
	return sysset_is_empty(&unknown) ? 0 : add_news(&o->gate, w->id, key->abi, &unknown);
}

void gate_tell(struct observer *o)
{
	for (size_t i = 0; i < o->gate.news_cnt; i++) {
		const struct gate_news *n = &o->gate.news[i];
		const struct watched *w = watchlist_find(&o->list, n->cgroup);

		if (w && o->o.gate_unknown)
			o->o.gate_unknown(o->o.arg, w->identity.key, n->abi, &n->calls);
	}
	gate_drop(o);
}

void gate_drop(struct observer *o)
{
	free(o->gate.news);
	o->gate.news = NULL;
	o->gate.news_cnt = 0;
}
