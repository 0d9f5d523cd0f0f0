/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_oracle.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/complain.h"
#include "cli/oracle_wanted.h"
#include "learn/oracle.h"

#define HURRY_US (100 * 1000) /* while a loop is under way */
#define END_S	 20	      /* its unit has 30 s, and the last drain comes after */

struct daemon_oracle {
	const struct oracle_config *config;
	struct store *store;
	struct ways ways;
	struct oracles *oracles;
	sd_event_source *timer;
	time_t complained;
	int64_t refused; /* the workload of which it was told last */
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fail(struct daemon_oracle *d, int r, const char *what)
{
	complain(&d->complained, r, what, d->store, "trying again");
}

static void on_said(void *arg, bool bad, const char *key, const char *line)
{
	if (bad)
		log_warn("%s: oracle: %s", key, line);
	else
		log_info("%s: oracle: %s", key, line);
}

int daemon_oracle_new(const struct daemon_options *o, struct store *store,
		      struct daemon_oracle **ret)
{
	_cleanup_(daemon_oracle_free) struct daemon_oracle *d = calloc(1, sizeof(*d));
	struct oracle_options oo = { .store = store, .trace = o->oracle.trace, .say = on_said };
	int r;

	if (!d)
		return -ENOMEM;
	d->config = &o->oracle;
	d->store = store;
	d->ways = (struct ways){
		.state = o->state,
		.kubelet_dir = o->apply.kubelet_dir,
		.trial_s = o->apply.trial_s,
	};
	oo.ways = &d->ways;
	r = oracles_new(&oo, &d->oracles);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

void daemon_oracle_free(struct daemon_oracle *d)
{
	if (!d)
		return;
	sd_event_source_unref(d->timer);
	oracles_free(d->oracles);
	free(d);
}

void daemon_oracle_end(struct daemon_oracle *d)
{
	oracles_end(d->oracles, END_S);
}

/* --- the loops ---------------------------------------------------------------------------------- */

static int set_timer(struct daemon_oracle *d)
{
	int r;

	if (!d->timer || !oracles_busy(d->oracles))
		return 0;
	r = sd_event_source_set_time_relative(d->timer, HURRY_US);
	return r < 0 ? r : sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct daemon_oracle *d = arg;
	int r = oracles_hurry(d->oracles, now_ms());

	if (r < 0)
		fail(d, r, "an oracle's loop");
	return set_timer(d);
}

int daemon_oracle_attach(struct daemon_oracle *d, sd_event *event)
{
	int r = sd_event_add_time_relative(event, &d->timer, CLOCK_MONOTONIC, HURRY_US, 0, on_timer,
					   d);

	return r < 0 ? r : 0;
}

bool daemon_oracle_needs_denials(const struct daemon_oracle *d)
{
	return oracles_any(d->oracles);
}

void daemon_oracle_denied(struct daemon_oracle *d, const char *key,
			  const struct store_denial *denial)
{
	(void)oracles_denied(d->oracles, key, denial);
}

void daemon_oracle_started(struct daemon_oracle *d, const struct observed_start *s)
{
	oracles_started(d->oracles, s->key);
}

void daemon_oracle_ended(struct daemon_oracle *d, const struct observed_exit *e, int64_t began_ms)
{
	oracles_ended(d->oracles, e, began_ms);
}

void daemon_oracle_interval(struct daemon_oracle *d, bool drained)
{
	int r = drained ? oracles_look(d->oracles, now_ms()) : oracles_hurry(d->oracles, now_ms());

	if (r >= 0)
		r = set_timer(d);
	if (r < 0)
		fail(d, r, "an oracle's loop");
}

/* --- rules -------------------------------------------------------------------------------------- */

struct due {
	struct daemon_oracle *d;
	const struct oracle_rule *rule;
	const struct store_row *row;
	struct oracle_wanted wanted;
};

static int put(const struct due *u, const struct store_applied *is)
{
	_free_ char *why = NULL;
	int r = store_applied_set(u->d->store, u->row->id, is);

	if (r == 0)
		r = ways_put(&u->d->ways, u->d->store, u->row, &why);
	if (r < 0 && why)
		log_warn("%s: oracle: generation %" PRIu32 " can't be put in force: %s",
			 u->row->key, is->generation, why);
	return r;
}

static int begin(const struct due *u)
{
	struct store *s = u->d->store;
	struct store_applied is = { 0 };
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = oracle_begin(s, u->row, &u->wanted, now_ms(), &is);
	if (r == 0)
		r = put(u, &is);
	if (r == 0)
		r = store_commit(s);
	if (r < 0) {
		store_rollback(s);
		ways_restore(&u->d->ways, s, u->row);
		return r;
	}
	ways_settled(&u->d->ways, s, u->row);
	log_info("%s: oracle: begun by [oracle %s], from generation %" PRIu32, u->row->key,
		 u->rule->pattern, is.generation);
	return 0;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_as_wanted(const struct store_oracle *o, const struct oracle_wanted *w)
{
	return is_same(o->production, w->production) && is_same(o->hardened, w->hardened) &&
	       is_same(o->replay, w->replay) && o->window_s == w->window_s &&
	       o->per_hour == w->per_hour;
}

/* The rule says otherwise now: what was learned stays. Not in the middle of a loop. */
static int change(const struct due *u, const struct store_oracle *o)
{
	struct store_oracle now = *o;
	int r;

	if (!o->by_rule || is_as_wanted(o, &u->wanted) ||
	    (o->state != ORACLE_WATCH && o->state != ORACLE_REST))
		return 0;
	now.production = (char *)u->wanted.production;
	now.hardened = (char *)u->wanted.hardened;
	now.replay = (char *)u->wanted.replay;
	now.is_image = u->wanted.is_image;
	now.window_s = u->wanted.window_s;
	now.per_hour = u->wanted.per_hour;
	r = store_begin(u->d->store);
	if (r == 0)
		r = store_oracle_set(u->d->store, &now);
	if (r == 0)
		r = store_commit(u->d->store);
	if (r < 0)
		store_rollback(u->d->store);
	return r;
}

/* Told once in a row: a rule of many workloads would fill the log. */
static int cannot(struct due *u, const char *why)
{
	if (u->d->refused != u->row->id)
		log_warn("%s: no oracle by [oracle %s]: %s", u->row->key, u->rule->pattern, why);
	u->d->refused = u->row->id;
	return 0;
}

static int follow(struct daemon_oracle *d, const struct oracle_rule *rule,
		  const struct store_row *row)
{
	_free_ char *made = oracle_wanted_production(row), *why = NULL;
	_oracle_ struct store_oracle o = { 0 };
	struct due u = {
		.d = d,
		.rule = rule,
		.row = row,
		.wanted = {
			.production = rule->production ?: made,
			.hardened = rule->hardened,
			.replay = rule->replay,
			.is_image = !oracle_is_command(rule->hardened),
			.bootstrap = rule->bootstrap,
			.by_rule = true,
			.window_s = rule->window_s,
			.per_hour = rule->per_hour,
		},
	};
	int r = store_oracle_get(d->store, row->id, &o);

	if (r == 0)
		return change(&u, &o);
	if (r != -ENOENT || !row->running)
		return r == -ENOENT ? 0 : r;
	why = oracle_wanted_refuses(row, u.wanted.production, rule->hardened);
	if (!why)
		why = oracle_wanted_asks(d->ways.state, row, u.wanted.production);
	return why ? cannot(&u, why) : begin(&u);
}

/* What a rule began, and no rule says any more. */
static int end(struct daemon_oracle *d, const struct store_row *row)
{
	_oracle_ struct store_oracle o = { 0 };
	int r = store_oracle_get(d->store, row->id, &o);

	if (r == -ENOENT || (r == 0 && (!o.by_rule || o.per_hour == 0)))
		return 0;
	o.per_hour = 0;
	if (r == 0)
		r = store_begin(d->store);
	if (r == 0)
		r = store_oracle_set(d->store, &o);
	if (r == 0)
		r = store_commit(d->store);
	if (r < 0)
		store_rollback(d->store);
	return r;
}

void daemon_oracle_unit(struct daemon_oracle *d)
{
	struct store_row *row = NULL;
	size_t cnt = 0;
	bool any = d->config->cnt > 0 || oracles_any(d->oracles);
	int r = any ? store_list(d->store, &row, &cnt) : 0;

	for (size_t i = 0; i < cnt; i++) {
		const struct oracle_rule *rule = oracle_config_find(d->config, row[i].key);

		if (r == 0)
			r = rule ? follow(d, rule, &row[i]) : end(d, &row[i]);
		store_row_done(&row[i]);
	}
	free(row);
	if (r < 0)
		fail(d, r, "can't follow an [oracle] rule");
}
