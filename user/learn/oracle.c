/* SPDX-License-Identifier: Apache-2.0 */
/* The machines: events and transitions. */
#include "learn/oracle.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "apply/note.h"
#include "base/text.h"
#include "learn/oracle_files.h"
#include "learn/oracle_internal.h"
#include "learn/oracle_plain.h"

#define AGAIN_MS 1000 /* between attempts */

void oracle_say(const struct oracles *all, bool bad, const struct oracle_machine *m,
		const char *fmt, ...)
{
	_free_ char *line = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		line = NULL;
	va_end(args);
	if (line && all->o.say)
		all->o.say(all->o.arg, bad, m->key, line);
}

/* --- what happens in a state ------------------------------------------------------------------ */

/* Nothing, or an event. */
enum { NOTHING = -1 };

static bool is_past(const struct oracle_machine *m, int64_t now)
{
	return m->row.deadline && now >= m->row.deadline;
}

static int event_of(int r, const struct oracle_machine *m, int64_t now, enum oracle_event done)
{
	if (r == 0)
		return (int)done;
	if (r < 0)
		return ORACLE_EV_FAILED;
	return is_past(m, now) ? (int)ORACLE_EV_TIME : NOTHING;
}

static int act(struct oracles *all, struct oracle_machine *m, enum oracle_action action,
	       int64_t now)
{
	if (now < m->not_before)
		return NOTHING;
	return event_of(oracle_job_go(&m->job, m, all->dir, action), m, now, ORACLE_EV_DONE);
}

/* What an earlier window left would be taken for this one's. */
static int clear_twin(struct oracles *all, struct oracle_machine *m)
{
	int r = oracle_forget_twin(all->o.store, m);

	if (r >= 0)
		oracle_files_clear(all->dir, m->row.workload);
	return r;
}

static int act_twin(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	if (now >= m->not_before && !m->job.on && clear_twin(all, m) < 0)
		return ORACLE_EV_FAILED;
	return act(all, m, ORACLE_DO_TWIN, now);
}

/* While it runs. What can't be found out is in doubt. */
static int act_untwin(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	_free_ char *key = m->engine->twin_key(&m->row);
	_free_ char *path = oracle_file(all->dir, m->row.workload, ORACLE_PLAIN);

	if (now >= m->not_before && !m->job.on && key && path && access(path, F_OK) < 0)
		(void)oracle_plain_note(all->o.store, key, path);
	return act(all, m, ORACLE_DO_UNTWIN, now);
}

static int watch_twin(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	int r = 1;

	if (is_past(m, now))
		return ORACLE_EV_TIME;
	if (m->row.replay)
		r = oracle_replay_go(m);
	if (r <= 0)
		return r < 0 ? (int)ORACLE_EV_FAILED : (int)ORACLE_EV_REPLAYED;
	r = oracle_job_go(&m->job, m, all->dir, ORACLE_DO_WAIT_TWIN);
	return r > 0 ? NOTHING : (int)ORACLE_EV_TWIN_ENDED;
}

/* Guarded calls don't wait for a rest's end. */
static int watch(struct oracles *all, struct oracle_machine *m, int64_t now, int64_t *ret_at)
{
	int r = m->asked ? oracle_find_denied(all, m, now, ret_at) : 0;

	m->asked = r < 0;
	if (r != 0)
		return r > 0 ? (int)ORACLE_EV_DENIED : NOTHING;
	return oracle_death_counts(m) ? (int)ORACLE_EV_DIED : NOTHING;
}

static int rest(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	int64_t at;

	if (is_past(m, now))
		return ORACLE_EV_TIME;
	(void)watch(all, m, now, &at);
	return NOTHING;
}

static int start(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	if (m->row.tries == 0)
		return is_past(m, now) ? (int)ORACLE_EV_TIME : NOTHING;
	return act(all, m, ORACLE_DO_START, now);
}

static int happens(struct oracles *all, struct oracle_machine *m, int64_t now, int64_t *ret_at)
{
	switch (m->row.state) {
	case ORACLE_WATCH:
		return watch(all, m, now, ret_at);
	case ORACLE_STOP:
		return act(all, m, ORACLE_DO_STOP, now);
	case ORACLE_TWIN:
		return act_twin(all, m, now);
	case ORACLE_WINDOW:
		return watch_twin(all, m, now);
	case ORACLE_UNTWIN:
		return act_untwin(all, m, now);
	case ORACLE_START:
		return start(all, m, now);
	case ORACLE_REST:
		return rest(all, m, now);
	default: /* JUDGE has its own way */
		return NOTHING;
	}
}

/* --- transitions ------------------------------------------------------------------------------ */

static void tell_begun(struct oracles *all, const struct oracle_machine *m)
{
	struct sysset call[TAMIS_ABI_MAX] = { 0 };
	_free_ char *name = NULL;

	sysset_add(&call[m->row.abi], m->row.nr);
	name = oracle_list(call);
	oracle_say(all, false, m, "loop %u: %s was refused: its twin takes its place for %u s",
		   m->row.loops, name ?: "a call", m->row.window_s);
}

static void tell(struct oracles *all, const struct oracle_machine *m, enum oracle_state from,
		 int64_t now)
{
	if (from == ORACLE_WATCH && m->row.state == ORACLE_STOP)
		tell_begun(all, m);
	else if (from == ORACLE_WATCH && m->row.state == ORACLE_REST)
		oracle_say(all, true, m, "%s", m->row.why ?: "it rests");
	else if (from == ORACLE_START && m->row.state == ORACLE_REST)
		oracle_say(all, false, m, "production is back; the next loop waits %d s",
			   (int)((m->row.deadline - now) / 1000));
	else if (m->row.state == ORACLE_START && m->row.tries == 0)
		oracle_say(all, true, m, "%s", m->row.why ?: "production didn't start");
	else if (from != m->row.state && m->row.state == ORACLE_START && from != ORACLE_JUDGE)
		oracle_say(all, true, m, "%s: production comes back as it was", m->row.why ?: "");
}

static void entered(struct oracles *all, struct oracle_machine *m, enum oracle_state from,
		    int64_t now)
{
	m->not_before = 0;
	if (from == ORACLE_START)
		m->runs_ms = note_now_ms();
	if (m->row.state == ORACLE_STOP)
		m->death = (struct oracle_death){ 0 };
	m->drained = false;
	m->asked = m->remembered = true;
	oracle_machine_stop(m);
	oracle_trace(all, m);
	tell(all, m, from, now);
}

/* Production that doesn't start, or stay, under what was learned does without. */
static int let_go(struct oracles *all, struct oracle_machine *m)
{
	int r = m->gone ? 0 : oracle_release(all, m);

	if (r == 0)
		oracle_say(all, true, m,
			   "production doesn't start, or stay: it is tried under the engine's own "
			   "profile, "
			   "and the oracle waits for 'tamis apply' or 'tamis oracle'");
	return r;
}

static uint32_t loops_this_hour(struct oracles *all, const struct oracle_machine *m, int64_t now)
{
	uint32_t cnt = 0;

	if (store_oracle_loops_since(all->o.store, m->row.workload, now / 1000 - 3600, &cnt) < 0)
		return UINT32_MAX;
	return cnt;
}

/* 1: it went on to another state. */
static int move(struct oracles *all, struct oracle_machine *m, enum oracle_event e, int64_t at,
		int64_t now)
{
	enum oracle_state from = m->row.state;
	uint32_t loops = e == ORACLE_EV_DENIED ? loops_this_hour(all, m, now) : 0;
	int r = oracle_step(&m->row, e, loops, now), saved;

	if (r == 0)
		return 0;
	if (e == ORACLE_EV_DIED)
		(void)oracle_death_told(m, now);
	saved = oracle_save(all, m, m->row.state == ORACLE_STOP && from == ORACLE_WATCH ? at : 0);
	if (m->row.state != from) {
		entered(all, m, from, now);
		r = e == ORACLE_EV_DIED && oracle_death_over(m) ? let_go(all, m) : 0;
		return saved < 0 ? saved : r < 0 ? r : 1;
	}
	oracle_machine_stop(m);
	m->not_before = now + AGAIN_MS;
	if (m->row.state == ORACLE_START && m->row.tries == 0) {
		tell(all, m, from, now);
		r = let_go(all, m);
		saved = saved < 0 ? saved : r;
	}
	return saved;
}

static int judge(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	int r;

	if (!m->drained || now < m->not_before)
		return 0;
	r = oracle_verdict(all, m, now);
	if (r < 0)
		return move(all, m, ORACLE_EV_FAILED, 0, now) < 0 ? r : 0;
	entered(all, m, ORACLE_JUDGE, now);
	return 1;
}

static int step(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	int64_t at = now / 1000;
	int e;

	if (m->resumed) {
		m->resumed = false;
		oracle_trace(all, m);
		(void)oracle_step(&m->row, ORACLE_EV_RESUMED, 0, now);
	}
	if (oracle_is_held(all, m))
		return 0;
	if (m->row.state == ORACLE_JUDGE)
		return judge(all, m, now);
	e = happens(all, m, now, &at);
	return e == NOTHING ? 0 : move(all, m, (enum oracle_event)e, at, now);
}

/* --- the end of one ---------------------------------------------------------------------------- */

static bool is_over(const struct oracle_machine *m)
{
	bool runs = m->row.state == ORACLE_WATCH || m->row.state == ORACLE_REST;

	return runs && (m->gone || m->row.per_hour == 0);
}

/* ------------------------------------------------------------------------------------------------ */

static int go_on(struct oracles *all, struct oracle_machine *m, int64_t now)
{
	int r = 1;

	if (m->unsaved)
		(void)oracle_save(all, m, 0);
	for (int i = 0; r > 0 && i < ORACLE_STATE_MAX; i++)
		r = step(all, m, now);
	return r < 0 ? r : 0;
}

int oracles_hurry(struct oracles *all, int64_t now_ms)
{
	int first = 0;

	for (size_t i = 0; i < all->cnt; i++) {
		int r = go_on(all, &all->machine[i], now_ms);

		first = first < 0 ? first : r;
	}
	for (size_t i = all->cnt; i-- > 0;)
		if (is_over(&all->machine[i])) {
			int r = oracle_drop(all, i);

			first = first < 0 ? first : r;
		}
	return first;
}

/* It is judged, and nobody's workload. */
static void forget_twin(struct oracles *all, struct oracle_machine *m)
{
	bool runs = m->row.state == ORACLE_WATCH || m->row.state == ORACLE_REST;

	if (runs && m->remembered)
		m->remembered = oracle_forget_twin(all->o.store, m) != 0;
}

int oracles_look(struct oracles *all, int64_t now_ms)
{
	int r = oracle_load(all), then;

	for (size_t i = 0; i < all->cnt; i++) {
		all->machine[i].drained = true;
		oracle_death_drained(&all->machine[i]);
		forget_twin(all, &all->machine[i]);
	}
	then = oracles_hurry(all, now_ms);
	return r < 0 ? r : then;
}

static int64_t now_real_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void oracles_end(struct oracles *all, unsigned limit_s)
{
	for (size_t i = 0; i < all->cnt; i++) {
		struct oracle_machine *m = &all->machine[i];
		enum oracle_state from = m->row.state;

		if (from == ORACLE_WATCH || from == ORACLE_REST || from == ORACLE_START)
			continue;
		oracle_abandon(&m->row, "the daemon was stopped", now_real_ms());
		(void)oracle_save(all, m, 0);
		entered(all, m, from, now_real_ms());
	}
	for (unsigned i = 0; i < limit_s * 20 && oracles_busy(all); i++) {
		(void)usleep(50000);
		(void)oracles_hurry(all, now_real_ms());
	}
}

int oracles_new(const struct oracle_options *o, struct oracles **ret)
{
	struct oracles *all = calloc(1, sizeof(*all));
	int r = all ? oracle_files_dir(o->ways->state, &all->dir) : -ENOMEM;

	if (r == 0) {
		all->o = *o;
		r = oracle_load(all);
	}
	if (r < 0) {
		oracles_free(all);
		return r;
	}
	*ret = all;
	return 0;
}

void oracles_free(struct oracles *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->cnt; i++)
		oracle_machine_done(&all->machine[i]);
	free(all->machine);
	free(all->dir);
	free(all);
}

bool oracles_any(const struct oracles *all)
{
	return all->cnt > 0;
}

/* Production that couldn't be started is tried again after a while. */
static bool is_busy(const struct store_oracle *o)
{
	bool waits = o->state == ORACLE_START && o->tries == 0;

	return o->state != ORACLE_WATCH && o->state != ORACLE_REST && !waits;
}

bool oracles_busy(const struct oracles *all)
{
	for (size_t i = 0; i < all->cnt; i++)
		if (is_busy(&all->machine[i].row))
			return true;
	return false;
}

int oracles_denied(struct oracles *all, const char *key, const struct store_denial *d)
{
	for (size_t i = 0; i < all->cnt; i++)
		if (all->machine[i].row.workload == d->workload ||
		    strcmp(all->machine[i].key, key) == 0)
			all->machine[i].asked = true;
	return 0;
}
