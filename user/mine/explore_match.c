/* SPDX-License-Identifier: Apache-2.0 */
/* Which explorations are for a service, and on which of its ports. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_internal.h"

#define FACTS_PORTS ARRAY_SIZE(((struct target_facts *)NULL)->port)

struct matching {
	const struct target_facts *facts;
	enum explore_speaks speaks[FACTS_PORTS];
	bool claimed[FACTS_PORTS]; /* a protocol of its own is known for it */
};

static bool is_named(const struct exploration *e, const struct target_facts *facts, bool not_for)
{
	for (unsigned i = 0; i < e->items; i++) {
		const struct explore_item *item = &e->item[i];

		if (item->not_for != not_for)
			continue;
		if (item->kind == ITEM_PROGRAM && explore_runs(facts, item->pattern))
			return true;
		if (item->kind == ITEM_IMAGE && facts->image &&
		    fnmatch(item->pattern, facts->image, 0) == 0)
			return true;
	}
	return false;
}

static bool has_port(const struct exploration *e, uint16_t port, bool not_for)
{
	for (unsigned i = 0; i < e->items; i++)
		if (e->item[i].kind == ITEM_PORT && e->item[i].not_for == not_for &&
		    port >= e->item[i].low && port <= e->item[i].high)
			return true;
	return false;
}

static bool has_kind(const struct exploration *e, enum explore_item_kind kind, bool not_for)
{
	for (unsigned i = 0; i < e->items; i++)
		if (e->item[i].kind == kind && e->item[i].not_for == not_for)
			return true;
	return false;
}

static bool has_any_port(const struct exploration *e, const struct target_facts *facts)
{
	for (unsigned p = 0; p < facts->port_cnt && p < FACTS_PORTS; p++)
		if (has_port(e, facts->port[p], false))
			return true;
	return false;
}

/* One that speaks a protocol to the ports it names, or to all of a program's. */
static void claim(struct matching *m, const struct exploration *e)
{
	bool all = is_named(e, m->facts, false) && !has_any_port(e, m->facts);

	if (!exploration_speaks(e))
		return;
	for (unsigned p = 0; p < m->facts->port_cnt && p < FACTS_PORTS; p++)
		m->claimed[p] |= all || has_port(e, m->facts->port[p], false);
}

static int probe(struct matching *m, const struct explorations *all)
{
	_free_ char *path = text_format("/proc/%lld/ns/net", (long long)m->facts->pid);
	_close_ int netns = -1;
	bool asked = false;

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < all->cnt; i++) {
		claim(m, all->list[i]);
		asked |= has_kind(all->list[i], ITEM_HTTP, false) ||
			 has_kind(all->list[i], ITEM_HTTPS, false);
	}
	netns = asked ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	for (unsigned p = 0; netns >= 0 && p < m->facts->port_cnt && p < FACTS_PORTS; p++)
		if (!m->claimed[p])
			m->speaks[p] = explore_probe(netns, m->facts->port[p], -1);
	return 0;
}

static bool fits(const struct exploration *e, const struct matching *m, unsigned p, bool not_for)
{
	return (has_kind(e, ITEM_HTTP, not_for) && m->speaks[p] == SPEAKS_HTTP) ||
	       (has_kind(e, ITEM_HTTPS, not_for) && m->speaks[p] == SPEAKS_HTTPS) ||
	       has_kind(e, ITEM_TCP, not_for) || has_port(e, m->facts->port[p], not_for);
}

static void add_port(const struct exploration *e, const struct matching *m, unsigned p)
{
	struct explore_seen *seen = e->seen;

	if (seen->ports == EXPLORE_PORTS_MAX || fits(e, m, p, true))
		return;
	seen->port[seen->ports] = m->facts->port[p];
	seen->tls[seen->ports++] = m->speaks[p] == SPEAKS_HTTPS;
}

/* Fills in its ports; those of a program, of an image and of anything are all there are. */
static bool is_for(const struct exploration *e, const struct matching *m)
{
	bool named = has_kind(e, ITEM_ANY, false) || is_named(e, m->facts, false);

	e->seen->ports = 0;
	if ((e->container && !m->facts->id) || is_named(e, m->facts, true))
		return false;
	for (unsigned p = 0; p < m->facts->port_cnt && p < FACTS_PORTS; p++)
		if (fits(e, m, p, false))
			add_port(e, m, p);
	if (e->seen->ports || !named)
		return e->seen->ports > 0;
	for (unsigned p = 0; p < m->facts->port_cnt && p < FACTS_PORTS; p++)
		add_port(e, m, p);
	return true;
}

static bool restarts(const struct exploration *e)
{
	for (size_t i = 0; i < e->steps; i++)
		if (e->step[i].verb == EXPLORE_RESTART)
			return true;
	return false;
}

static int add_test(struct mine_tests *tests, const struct exploration *e)
{
	struct mine_test *test = reallocarray(tests->test, tests->cnt + 1, sizeof(*test));
	char *name = text_format("explore/%s", e->name);

	if (test)
		tests->test = test;
	if (!test || !name) {
		free(name);
		return -ENOMEM;
	}
	test[tests->cnt++] =
		(struct mine_test){ .name = name, .explore = e, .restarts = restarts(e) };
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct exploration *x = *(struct exploration *const *)a;
	const struct exploration *y = *(struct exploration *const *)b;

	return x->last != y->last ? x->last - y->last : strcmp(x->name, y->name);
}

int explorations_for(const struct explorations *e, const struct target_facts *facts,
		     struct mine_tests *ret)
{
	_free_ struct exploration **sorted =
		calloc(e->cnt ? e->cnt : 1, sizeof(struct exploration *));
	struct matching m = { .facts = facts };
	int r = sorted ? probe(&m, e) : -ENOMEM;

	if (r < 0)
		return r;
	if (e->cnt)
		memcpy(sorted, e->list, e->cnt * sizeof(struct exploration *));
	qsort(sorted, e->cnt, sizeof(struct exploration *), by_order);
	for (size_t i = 0; i < e->cnt && r == 0; i++)
		if (is_for(sorted[i], &m))
			r = add_test(ret, sorted[i]);
	return r;
}
