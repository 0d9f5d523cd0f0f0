/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/denied_counted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

int counted_init(struct counted_map *m)
{
	_free_ char *boot = NULL;
	int r = file_read(BOOT_ID, sizeof(m->boot), &boot, NULL);

	if (r == 0)
		snprintf(m->boot, sizeof(m->boot), "%.*s", (int)strcspn(boot, "\n"), boot);
	return r;
}

static void drop(struct counted_map *m, struct counted *c)
{
	HASH_DEL(m->list, c);
	free(c);
}

void counted_done(struct counted_map *m)
{
	struct counted *c, *next;

	HASH_ITER(hh, m->list, c, next)
	drop(m, c);
}

struct counted *counted_find(const struct counted_map *m, const struct tamis_denied_key *key)
{
	struct counted *c;

	HASH_FIND(hh, m->list, key, sizeof(*key), c);
	return c;
}

struct counted *counted_take(struct counted_map *m, const struct tamis_denied_key *key)
{
	struct counted *c = counted_find(m, key);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = *key;
	HASH_ADD(hh, m->list, key, sizeof(c->key), c);
	return c;
}

int counted_load(struct counted_map *m, struct store *s)
{
	_free_ struct store_counted *list = NULL;
	size_t cnt = 0;
	int r = m->loaded ? 0 : store_counted(s, m->boot, &list, &cnt);

	for (size_t i = 0; r == 0 && i < cnt; i++) {
		const struct tamis_denied_key key = { list[i].cgroup, list[i].abi, list[i].nr };
		struct counted *c = counted_take(m, &key);

		if (!c)
			return -ENOMEM;
		c->first_ms = list[i].first_ms;
		c->count = list[i].count;
	}
	m->loaded |= r == 0;
	return r;
}

/* Another first time, or a smaller count: another count under the same key. One that is read while
 * it is made has no first time yet. */
uint64_t counted_gain(const struct counted *c, const struct tamis_denied *now)
{
	bool same = c->first_ms == now->first_ms || !c->first_ms || !now->first_ms;

	return same && now->count >= c->count ? now->count - c->count : now->count;
}

void counted_begin(struct counted_map *m)
{
	for (struct counted *c = m->list; c; c = c->hh.next)
		c->seen = false;
}

bool counted_has_gone(const struct counted_map *m)
{
	for (const struct counted *c = m->list; c; c = c->hh.next)
		if (!c->seen && c->count)
			return true;
	return false;
}

int counted_store_gone(const struct counted_map *m, struct store *s)
{
	int r = 0;

	for (const struct counted *c = m->list; c && r == 0; c = c->hh.next) {
		const struct store_counted gone = { .cgroup = c->key.cgroup,
						    .abi = c->key.abi,
						    .nr = c->key.nr };

		if (!c->seen && c->count)
			r = store_counted_remove(s, m->boot, &gone);
	}
	return r;
}

void counted_drop_gone(struct counted_map *m)
{
	struct counted *c, *next;

	HASH_ITER(hh, m->list, c, next)
	if (!c->seen)
		drop(m, c);
}
