/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/shadow_news.h"

#include <errno.h>
#include <string.h>

#include "learn/shadow.h"

/* Of one workload, as long as that generation is its shadow. */
struct told {
	int64_t workload;
	uint32_t generation;
	bool seen; /* in the look under way */
	struct sysset calls[TAMIS_ABI_MAX];
};

struct shadow_news {
	struct told *list;
	size_t cnt;
};

int shadow_news_new(struct shadow_news **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void shadow_news_free(struct shadow_news *n)
{
	if (!n)
		return;
	free(n->list);
	free(n);
}

static struct told *told_of(struct shadow_news *n, const struct store_row *row)
{
	struct told *t = NULL, *grown;

	for (size_t i = 0; i < n->cnt && !t; i++)
		if (n->list[i].workload == row->id)
			t = &n->list[i];
	if (t && t->generation == row->generation)
		return t;
	if (!t) {
		grown = reallocarray(n->list, n->cnt + 1, sizeof(*grown));
		if (!grown)
			return NULL;
		n->list = grown;
		t = &grown[n->cnt++];
	}
	*t = (struct told){ .workload = row->id, .generation = row->generation };
	return t;
}

static int refused_by(struct store *s, const struct store_row *row, struct sysset *ret)
{
	_generation_ struct generation g = { 0 };
	struct sysset pending[TAMIS_ABI_MAX];
	int r = store_generation_get(s, row->id, row->generation, &g);

	if (r == 0)
		r = shadow_refused(s, row->id, &g, ret, pending);
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&ret[abi], &pending[abi]);
	return r;
}

/* 1: there is something to say, in `ret`. */
static int look_at(struct shadow_news *n, struct store *s, const struct store_row *row,
		   struct sysset *ret)
{
	struct sysset refused[TAMIS_ABI_MAX];
	struct told *t = told_of(n, row);
	int r = t ? refused_by(s, row, refused) : -ENOMEM;
	bool news = false;

	if (t)
		t->seen = true;
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		ret[abi] = refused[abi];
		sysset_remove(&ret[abi], &t->calls[abi]);
		sysset_merge(&t->calls[abi], &ret[abi]);
		news |= !sysset_is_empty(&ret[abi]);
	}
	return r < 0 ? r : news;
}

static void drop_unseen(struct shadow_news *n)
{
	size_t left = 0;

	for (size_t i = 0; i < n->cnt; i++) {
		if (!n->list[i].seen)
			continue;
		n->list[i].seen = false;
		n->list[left++] = n->list[i];
	}
	n->cnt = left;
}

int shadow_news_look(struct shadow_news *n, struct store *s,
		     void (*say)(void *arg, const char *key, uint32_t generation,
				 const struct sysset *calls),
		     void *arg)
{
	struct sysset news[TAMIS_ABI_MAX];
	struct store_row *row = NULL;
	size_t cnt = 0;
	int r = store_list_applied(s, MODE_SHADOW, &row, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		int one = r < 0 ? 0 : look_at(n, s, &row[i], news);

		if (one > 0)
			say(arg, row[i].key, row[i].generation, news);
		r = one < 0 ? one : r;
		store_row_done(&row[i]);
	}
	free(row);
	drop_unseen(n);
	return r;
}
