/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/probation.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "learn/auto.h"
#include "learn/make.h"

#define MAKER "probation"
#define SAY_S 60 /* seconds between two lines on what keeps failing */

/* A workload that was looked at. */
struct seen {
	int64_t workload;
	uint64_t calls; /* that it had learned then */
	int64_t looked, made;
	int64_t said; /* that it can't be put in place */
};

struct probation {
	struct probation_options o;
	struct seen *seen;
	size_t cnt;
};

int probation_new(const struct probation_options *o, struct probation **ret)
{
	struct probation *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->o = *o;
	if (p->o.every_s == 0)
		p->o.every_s = PROBATION_EVERY_S;
	*ret = p;
	return 0;
}

void probation_free(struct probation *p)
{
	if (!p)
		return;
	free(p->seen);
	free(p);
}

/* --- whether ----------------------------------------------------------------------------- */

static struct seen *seen_of(struct probation *p, int64_t workload)
{
	struct seen *more;

	for (size_t i = 0; i < p->cnt; i++)
		if (p->seen[i].workload == workload)
			return &p->seen[i];
	more = reallocarray(p->seen, p->cnt + 1, sizeof(*more));
	if (!more)
		return NULL;
	p->seen = more;
	more[p->cnt] = (struct seen){
		.workload = workload, .looked = INT64_MIN, .made = INT64_MIN, .said = INT64_MIN
	};
	return &more[p->cnt++];
}

/* A clock that was set back makes nothing wait. */
static bool is_recent(int64_t at, int64_t now, int64_t every_s)
{
	return at != INT64_MIN && now >= at && now - at < every_s;
}

/* What a person said changes no count, so it is looked for now and then. */
static bool is_due(const struct probation *p, const struct seen *s, const struct store_row *row,
		   int64_t now)
{
	if (is_recent(s->made, now, p->o.every_s))
		return false;
	return s->calls != row->calls || !is_recent(s->looked, now, p->o.every_s);
}

/* --- the next one ------------------------------------------------------------------------- */

/* Gone back to by a person: what was learned since isn't wanted. */
static int is_newest(struct store *s, int64_t workload, uint32_t number)
{
	_generation_ struct generation g = { 0 };
	int r = store_generation_get(s, workload, number + 1, &g);

	return r == -ENOENT ? 1 : r < 0 ? r : 0;
}

/* A new image has its own rule, [apply] on-new-image, for what was learned of it too. */
static void drop_new_images(struct generation *g, const struct generation *before)
{
	size_t cnt = 0;

	if (before->image_cnt == 0)
		return;
	for (size_t i = 0; i < g->image_cnt; i++)
		if (generation_has_image(before, g->image[i]))
			g->image[cnt++] = g->image[i];
		else
			free(g->image[i]);
	g->image_cnt = cnt;
}

/* What a rule began stays that rule's. */
static const char *maker_of(const struct generation *before)
{
	const char *maker = before->maker ?: "";

	return strncmp(maker, AUTO_MAKER, strlen(AUTO_MAKER)) == 0 ? maker : MAKER;
}

/* 1: *g is a new one, and in the store. */
static int make(struct probation *p, const struct store_row *row, const struct store_applied *is,
		int64_t now, struct generation *g)
{
	_generation_ struct generation before = { 0 };
	struct make_options mo;
	int r = store_generation_get(p->o.store, row->id, is->generation, &before);

	if (r < 0)
		return r;
	mo = (struct make_options){
		.maker = maker_of(&before),
		.descendants = before.descendants,
		.widen = make_was_widened(&before),
	};
	r = make_generation(p->o.store, row, &mo, now, g);
	if (r < 0)
		return r;
	if (!is->probe_new_image)
		drop_new_images(g, &before);
	r = store_generation_add(p->o.store, row->id, g);
	return r < 0 ? r : r == 0;
}

static void say(const struct probation *p, const char *key, const char *line)
{
	if (p->o.say && line)
		p->o.say(p->o.arg, key, line);
}

/* Tried again each time, so it isn't said each time. */
static void say_not_put(const struct probation *p, struct seen *s, const struct store_row *row,
			const struct store_applied *is, const char *why)
{
	_free_ char *line = NULL;

	if (is_recent(s->said, is->since, SAY_S))
		return;
	s->said = is->since;
	line = text_format("generation %" PRIu32 " can't be put in place: %s", is->generation, why);
	say(p, row->key, line);
}

static int put(struct probation *p, struct seen *s, const struct store_row *row,
	       const struct store_applied *is)
{
	_free_ char *why = NULL;
	int r = store_applied_set(p->o.store, row->id, is);

	if (r < 0)
		return r;
	r = ways_put(p->o.ways, p->o.store, row, &why);
	if (r < 0)
		say_not_put(p, s, row, is, why ?: strerror(-r));
	return r;
}

/* In a transaction. 1: *ret_number is applied now. */
static int next(struct probation *p, struct seen *s, const struct store_row *row, int64_t now,
		uint32_t *ret_number)
{
	_generation_ struct generation g = { 0 };
	struct store_applied is;
	int r = store_applied_get(p->o.store, row->id, &is);

	if (r < 0 || is.mode != MODE_PROBATION)
		return r;
	r = is_newest(p->o.store, row->id, is.generation);
	if (r > 0)
		r = make(p, row, &is, now, &g);
	if (r <= 0)
		return r;
	is.generation = *ret_number = g.number;
	is.since = now;
	r = put(p, s, row, &is);
	return r < 0 ? r : 1;
}

static int next_in_transaction(struct probation *p, struct seen *s, const struct store_row *row,
			       int64_t now)
{
	_free_ char *line = NULL;
	uint32_t number = 0;
	int r = store_begin(p->o.store);

	if (r < 0)
		return r;
	r = next(p, s, row, now, &number);
	if (r <= 0) {
		store_rollback(p->o.store);
		return r;
	}
	r = store_commit(p->o.store);
	if (r < 0) {
		store_rollback(p->o.store);
		ways_restore(p->o.ways, p->o.store, row);
		return r;
	}
	ways_settled(p->o.ways, p->o.store, row);
	line = text_format("generation %" PRIu32
			   " in probation: what was learned is free from its next start on",
			   number);
	say(p, row->key, line);
	return 1;
}

/* --- each -------------------------------------------------------------------------------- */

static int look_at(struct probation *p, const struct store_row *row, int64_t now)
{
	struct seen *s = seen_of(p, row->id);
	int r;

	if (!s)
		return -ENOMEM;
	if (!is_due(p, s, row, now))
		return 0;
	r = next_in_transaction(p, s, row, now);
	if (r < 0)
		return r;
	s->calls = row->calls;
	s->looked = now;
	if (r > 0)
		s->made = now;
	return 0;
}

int probation_follow(struct probation *p, int64_t now)
{
	struct store_row *row = NULL;
	size_t cnt = 0;
	int r = store_list_applied(p->o.store, MODE_PROBATION, &row, &cnt), first = 0;

	for (size_t i = 0; i < cnt; i++) {
		int one = look_at(p, &row[i], now);

		first = first < 0 || one >= 0 ? first : one;
		store_row_done(&row[i]);
	}
	free(row);
	return r < 0 ? r : first;
}

enum probation_rule probation_rule_of(const struct probation_rules *r, const char *key)
{
	for (size_t i = 0; i < r->cnt; i++)
		if (fnmatch(r->list[i].pattern, key, 0) == 0)
			return r->list[i].rule;
	return PROBATION_LEARN;
}
