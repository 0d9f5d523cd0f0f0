/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/auto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "apply/may.h"
#include "apply/trial.h"
#include "base/text.h"
#include "learn/make.h"
#include "learn/oracle.h"

/* One workload that a rule may be due for, as the transaction under way sees it. */
struct candidate {
	const struct auto_options *o;
	const struct auto_rule *rule;
	const struct store_row *row;
	const struct naps *naps;
	struct store_applied is;
	int64_t now;
};

__attribute__((format(printf, 3, 4))) static void say(const struct auto_options *o, const char *key,
						      const char *fmt, ...)
{
	_free_ char *line = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		line = NULL;
	va_end(args);
	if (line && o->say)
		o->say(o->arg, key, line);
}

/* --- whether ----------------------------------------------------------------------------- */

static void hear_nothing(void *ctx, const char *why)
{
}

/* What `tamis apply` would ask --force for isn't done by a rule. Shadow refuses nothing. */
static int may(const struct candidate *c)
{
	struct learned learned;
	struct may_in in = {
		.engine = c->row->engine,
		.key = c->row->key,
		.name = c->row->name,
		.evidence = &c->row->evidence,
		.calls = c->row->calls,
		.why_not = c->row->why_not,
		.opted_out = c->row->opted_out,
		.probation = c->rule->mode == MODE_PROBATION,
	};

	if (c->rule->mode == MODE_SHADOW)
		return 1;
	if (in.probation) {
		int r = store_learned(c->o->store, c->row->id, &learned);

		if (r < 0)
			return r;
		in.learned = &learned;
	}
	return may_enforce(&in, hear_nothing, NULL) == MAY;
}

static bool is_in_policy(enum tamis_stage stage)
{
	return stage == TAMIS_WORKLOAD || stage == TAMIS_SESSION;
}

int auto_last_new(struct store *s, int64_t workload, int64_t *ret)
{
	struct policy_origin *origin = NULL;
	size_t cnt = 0;
	int r = store_origins(s, workload, &origin, &cnt);

	if (r < 0)
		return r;
	*ret = 0;
	for (size_t i = 0; i < cnt; i++)
		if (is_in_policy(origin[i].stage) && origin[i].first > *ret)
			*ret = origin[i].first;
	store_origins_free(origin, cnt);
	return 0;
}

static int is_covered(const struct candidate *c)
{
	struct store_coverage coverage;
	char why[128];
	int r;

	if (c->rule->coverage == 0)
		return 1;
	r = store_coverage_get(c->o->store, c->row->id, &coverage);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return auto_is_covered(c->rule, &coverage, why, sizeof(why));
}

/* The cheap half first: most of them wait for that. */
static int is_due(const struct candidate *c)
{
	struct auto_when when = { .now = c->now, .naps = c->naps };
	char why[128];
	int r;

	if (!auto_is_due(c->rule, c->row, &when, why, sizeof(why)))
		return 0;
	r = is_covered(c);
	if (r > 0)
		r = may(c);
	if (r <= 0)
		return r;
	r = auto_last_new(c->o->store, c->row->id, &when.last_new);
	return r < 0 ? r : auto_is_due(c->rule, c->row, &when, why, sizeof(why));
}

/* A start of it is being judged: its verdict comes first. */
static bool is_tried(const struct candidate *c)
{
	struct trial t = { 0 };
	size_t cnt;

	if (c->is.mode != MODE_ENFORCE || c->row->generation_state != GENERATION_TRIAL ||
	    trial_read(c->o->ways->state, c->row->key, c->is.generation, NULL, &t) < 0)
		return false;
	cnt = t.cnt;
	trial_done(&t);
	return cnt > 0;
}

/* --- what -------------------------------------------------------------------------------- */

struct known {
	uint32_t newest; /* 0: no generation yet */
	uint32_t good;	 /* the newest good one */
	bool newest_is_it, failed;
	bool new_image; /* that the newest one doesn't know */
	bool persons;	/* somebody made the newest one by hand */
};

static bool knows_images(const struct generation *old, const struct generation *now)
{
	for (size_t i = 0; i < now->image_cnt; i++)
		if (!generation_has_image(old, now->image[i]))
			return false;
	return true;
}

/* What became of generations of the same contents. */
static int known_of(const struct candidate *c, const struct generation *now, struct known *ret)
{
	struct generation *g = NULL;
	size_t cnt = 0;
	int r = store_generations(c->o->store, c->row->id, &g, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		bool images = knows_images(&g[i], now);
		bool same = images && strcmp(g[i].digest, now->digest) == 0;

		ret->newest = g[i].number;
		ret->newest_is_it = same;
		ret->new_image = !images;
		ret->persons = strncmp(g[i].maker ?: "", AUTO_MAKER, strlen(AUTO_MAKER)) != 0;
		ret->failed |= same && g[i].state == GENERATION_FAILED;
		if (g[i].state == GENERATION_GOOD)
			ret->good = g[i].number;
		generation_done(&g[i]);
	}
	free(g);
	return r;
}

static int put(const struct candidate *c, const struct store_applied *is)
{
	_free_ char *why = NULL;
	int r = store_applied_set(c->o->store, c->row->id, is);

	if (r < 0)
		return r;
	r = ways_put(c->o->ways, c->o->store, c->row, &why);
	if (r < 0)
		say(c->o, c->row->key, "generation %" PRIu32 " can't be put in force: %s",
		    is->generation, why ?: strerror(-r));
	return r;
}

/* How far on the way from observe to enforce. */
static unsigned rank(enum policy_mode m)
{
	static const unsigned ranks[] = {
		[MODE_OBSERVE] = 0,
		[MODE_SHADOW] = 1,
		[MODE_PROBATION] = 2,
		[MODE_ENFORCE] = 3,
	};

	return ranks[m];
}

/* Flags that a person gave stay. */
static struct store_applied wanted(const struct candidate *c, uint32_t generation)
{
	struct store_applied is = c->is;

	is.mode = c->rule->mode;
	is.generation = generation;
	is.since = c->now;
	if (c->is.mode == MODE_OBSERVE) {
		is.keep_new_image = c->o->keep_new_image;
		is.probe_new_image = c->o->probe_new_image;
	}
	if (c->is.mode != MODE_PROBATION && c->o->probation)
		is.rule = probation_rule_of(c->o->probation, c->row->key);
	return is;
}

/* The same generation, from shadow or probation on. 1: it was done. */
static int upgrade(const struct candidate *c, const struct known *k)
{
	struct store_applied is = wanted(c, k->newest);
	int r;

	if (c->is.mode == MODE_OBSERVE || rank(c->is.mode) >= rank(c->rule->mode) ||
	    c->is.generation != k->newest)
		return 0;
	is.good = k->good < k->newest ? k->good : 0;
	r = put(c, &is);
	return r < 0 ? r : 1;
}

/* 1: it was done. */
static int make(const struct candidate *c, struct generation *g, const struct known *k)
{
	struct store_applied is;
	int r = store_generation_add(c->o->store, c->row->id, g);

	if (r < 0)
		return r;
	is = wanted(c, g->number);
	is.good = k->good;
	r = put(c, &is);
	return r < 0 ? r : 1;
}

/* In a transaction. 1: something was applied, and *ret_number says what. */
static int apply(const struct candidate *c, uint32_t *ret_number)
{
	_free_ char *maker = text_format(AUTO_MAKER "%s", c->rule->pattern);
	const struct make_options mo = { .maker = maker };
	_generation_ struct generation g = { 0 };
	struct known k = { 0 };
	int r = maker ? make_generation(c->o->store, c->row, &mo, c->now, &g) : -ENOMEM;

	if (r == 0)
		r = known_of(c, &g, &k);
	if (r < 0)
		return r;
	if (k.persons || k.failed)
		return 0;
	if (k.newest_is_it) {
		auto_wait_forget(c->o->wait, c->row->id);
		*ret_number = k.newest;
		return upgrade(c, &k);
	}
	if (k.new_image &&
	    !auto_wait_is_over(c->o->wait, c->row->id, &g, c->rule->observe_s, c->now))
		return 0;
	r = make(c, &g, &k);
	*ret_number = g.number;
	return r;
}

/* --- each -------------------------------------------------------------------------------- */

static int apply_in_transaction(const struct candidate *c)
{
	static const char *const did[MODE_MAX] = { "", "in shadow", "applied", "in probation" };
	static const char *const becomes[MODE_MAX] = { "", "only watched", "in force on trial",
						       "what is new asks" };
	const struct auto_options *o = c->o;
	uint32_t number = 0;
	int r = store_begin(o->store);

	if (r < 0)
		return r;
	r = apply(c, &number);
	if (r <= 0) {
		store_rollback(o->store);
		return r;
	}
	r = store_commit(o->store);
	if (r < 0) {
		store_rollback(o->store);
		ways_restore(o->ways, o->store, c->row);
		return r;
	}
	ways_settled(o->ways, o->store, c->row);
	say(o, c->row->key, "generation %" PRIu32 ": %s by [auto %s], %s at its next start", number,
	    did[c->rule->mode], c->rule->pattern, becomes[c->rule->mode]);
	return 0;
}

static int look_at(const struct auto_options *o, const struct store_row *row,
		   const struct naps *naps, int64_t now)
{
	struct candidate c = { .o = o, .row = row, .naps = naps, .now = now };
	int r;

	c.rule = auto_find(o->rules, row->key);
	/* an oracle's twin isn't there to be confined */
	if (!c.rule || oracle_is_twin(row->key))
		return 0;
	r = is_due(&c);
	if (r > 0)
		r = store_applied_get(o->store, row->id, &c.is) ?: 1;
	/* no rule takes back what is enforced */
	if (r <= 0 || rank(c.is.mode) > rank(c.rule->mode) || is_tried(&c))
		return r < 0 ? r : 0;
	return apply_in_transaction(&c);
}

int auto_apply(const struct auto_options *o, int64_t now)
{
	_naps_ struct naps naps = { 0 };
	struct store_row *row = NULL;
	size_t cnt = 0;
	int r = o->rules->cnt ? store_naps(o->store, &naps) : 0, first = 0;

	if (r == 0 && o->rules->cnt)
		r = store_list(o->store, &row, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		int one = look_at(o, &row[i], &naps, now);

		first = first < 0 || one >= 0 ? first : one;
		store_row_done(&row[i]);
	}
	free(row);
	return r < 0 ? r : first;
}
