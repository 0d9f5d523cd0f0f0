/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "model/calls.h"
#include "policy/denials.h"

struct keys {
	char **key;
	size_t cnt;
};

static void keys_donep(struct keys *k)
{
	for (size_t i = 0; i < k->cnt; i++)
		free(k->key[i]);
	free(k->key);
}
#define _keys_ __attribute__((cleanup(keys_donep)))

static void row_donep(struct store_row *row)
{
	store_row_done(row);
}
#define _row_ __attribute__((cleanup(row_donep)))

static void trial_donep(struct trial *t)
{
	trial_done(t);
}
#define _trial_ __attribute__((cleanup(trial_donep)))

__attribute__((format(printf, 4, 5))) static void say(const struct settle_options *o, bool bad,
						      const char *key, const char *fmt, ...)
{
	_free_ char *line = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		line = NULL;
	va_end(args);
	if (line && o->say)
		o->say(o->arg, bad, key, line);
}

/* --- verdicts ---------------------------------------------------------------------------- */

/* A trial that may be over, as the transaction under way sees it. */
struct matter {
	const char *key; /* of the trial */
	struct store_row row;
	struct store_applied is;
	struct trial_said said;
	bool stale; /* what is applied is on trial no more */
};

static void matter_donep(struct matter *m)
{
	store_row_done(&m->row);
}
#define _matter_ __attribute__((cleanup(matter_donep)))

static int judge(const struct settle_options *o, struct matter *m)
{
	_trial_ struct trial t = { 0 };
	int r = trial_read(o->ways->state, m->key, m->is.generation, o->mount, &t);

	if (r == 0)
		m->said = trial_judge(t.start, t.cnt, o->ways->trial_s ?: APPLIED_TRIAL_S);
	return r;
}

/* -ENOENT: nobody's. */
static int look(const struct settle_options *o, const char *key, struct matter *m)
{
	int64_t id;
	int r = store_workload_id(o->store, key, &id);

	m->key = key;
	if (r == 0)
		r = store_find(o->store, key, &m->row, NULL);
	if (r == 0)
		r = store_applied_get(o->store, m->row.id, &m->is);
	if (r < 0)
		return r;
	m->stale = m->is.mode != MODE_ENFORCE || m->row.generation_state != GENERATION_TRIAL;
	return m->stale ? 0 : judge(o, m);
}

/* The call that a process of it died of last under that generation; NULL: not known. */
static char *find_refused(const struct settle_options *o, const struct matter *m)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;
	char *found = NULL, name[CALLS_NAME_MAX];

	if (store_denials(o->store, m->row.id, &d, &cnt) < 0)
		return NULL;
	for (size_t i = cnt; i-- > 0 && !found;)
		if (d[i].kind == DENIAL_SIGSYS && d[i].generation == m->is.generation &&
		    d[i].nr < TAMIS_CALLS)
			found = text_format(" (%s %s)", abi_name(d[i].abi),
					    calls_print(d[i].abi, d[i].nr, name));
	store_denials_free(d, cnt);
	return found;
}

static int write_failed(const struct settle_options *o, const struct matter *m)
{
	bool refused = strstr(m->said.why, "SIGSYS");
	_free_ char *call = refused ? find_refused(o, m) : NULL;
	_free_ char *why = text_format("%s%s", m->said.why,
				       call
					       ?: refused ? " (refused call not known)"
							  : "");

	return why ? store_generation_state(o->store, m->row.id, m->is.generation,
					    GENERATION_FAILED, why)
		   : -ENOMEM;
}

static int write_verdict(const struct settle_options *o, const struct matter *m)
{
	_free_ char *why = NULL;
	int r = m->said.verdict == TRIAL_FAILED
			? write_failed(o, m)
			: store_generation_state(o->store, m->row.id, m->is.generation,
						 GENERATION_GOOD, NULL);

	if (r < 0)
		return r;
	r = ways_put(o->ways, o->store, &m->row, &why);
	if (r < 0)
		say(o, true, m->row.key, "generation %" PRIu32 ": its verdict waits: %s",
		    m->is.generation, why ?: strerror(-r));
	return r;
}

static void tell_verdict(const struct settle_options *o, const struct matter *m)
{
	const char *key = m->row.key, *why = m->said.why;
	uint32_t number = m->is.generation, good = m->is.good;

	if (m->said.verdict == TRIAL_PASSED)
		say(o, false, key, "generation %" PRIu32 " is good: %s", number, why);
	else if (good && good != number)
		say(o, true, key,
		    "generation %" PRIu32 " failed: %s; generation %" PRIu32
		    " is in force at the next start",
		    number, why, good);
	else
		say(o, true, key,
		    "generation %" PRIu32 " failed: %s; its next start is under the engine's own "
		    "profile",
		    number, why);
}

/* In a transaction: whoever applies something now waits. 1: it was settled. */
static int decide(const struct settle_options *o, const char *key, enum trial_verdict wanted,
		  struct matter *m)
{
	int r = look(o, key, m);

	/* whoever it was is forgotten; or what is applied has its verdict, or is another one */
	if (r == -ENOENT || (r == 0 && m->stale))
		return trial_remove(o->ways->state, key);
	if (r < 0 || m->said.verdict != wanted)
		return r;
	r = write_verdict(o, m);
	return r < 0 ? r : 1;
}

/* Its file goes the next time, when nothing is on trial in it. */
static int settle(const struct settle_options *o, const char *key, enum trial_verdict wanted)
{
	_matter_ struct matter m = { 0 };
	int r = store_begin(o->store);

	if (r < 0)
		return r;
	r = decide(o, key, wanted, &m);
	if (r <= 0) {
		store_rollback(o->store);
		return r;
	}
	r = store_commit(o->store);
	if (r == 0) {
		ways_settled(o->ways, o->store, &m.row);
		tell_verdict(o, &m);
		return 0;
	}
	store_rollback(o->store);
	ways_restore(o->ways, o->store, &m.row);
	return r;
}

/* Without the store's lock: whether there is anything to do. */
static bool is_open(const struct settle_options *o, const char *key)
{
	_matter_ struct matter m = { 0 };

	return look(o, key, &m) == 0 && !m.stale && m.said.verdict == TRIAL_OPEN;
}

/* Failures first: of two keys of one workload the one that failed counts. */
int settle_trials(const struct settle_options *o, int64_t now)
{
	static const enum trial_verdict order[] = { TRIAL_FAILED, TRIAL_PASSED };
	_keys_ struct keys k = { 0 };
	int r = trial_list(o->ways->state, &k.key, &k.cnt), first = 0;

	for (size_t v = 0; r >= 0 && v < ARRAY_SIZE(order); v++) {
		for (size_t i = 0; i < k.cnt; i++) {
			int one = is_open(o, k.key[i]) ? 0 : settle(o, k.key[i], order[v]);

			first = first < 0 || one >= 0 ? first : one;
		}
	}
	return r < 0 ? r : first;
}

/* --- files ------------------------------------------------------------------------------- */

/* Under the store's lock, so that whoever applies something now comes before or after. */
static int heal(const struct settle_options *o, const struct store_row *row)
{
	_free_ char *why = NULL;
	int r = store_begin(o->store);

	if (r < 0)
		return r;
	r = ways_put(o->ways, o->store, row, &why);
	ways_settled(o->ways, o->store, row);
	store_rollback(o->store);
	if (r < 0)
		say(o, true, row->key, "what is applied to it isn't in force: %s",
		    why ?: strerror(-r));
	return r;
}

int settle_files(const struct settle_options *o)
{
	struct store_row *row = NULL;
	size_t cnt = 0;
	int r = store_list(o->store, &row, &cnt), first = 0;

	for (size_t i = 0; i < cnt; i++) {
		int one = row[i].mode == MODE_OBSERVE ? 0 : heal(o, &row[i]);

		first = first < 0 || one >= 0 ? first : one;
		store_row_done(&row[i]);
	}
	free(row);
	return r < 0 ? r : first;
}

/* --- starts and ends --------------------------------------------------------------------- */

static bool has_prefix(const char *key, const char *prefix)
{
	return strncmp(key, prefix, strlen(prefix)) == 0;
}

/* Whose starts tamis-start isn't asked about. */
static bool is_kubelets(const struct settle_options *o, const char *key)
{
	return o->ways->kubelet_dir && has_prefix(key, "kubernetes/");
}

/* The generation on trial that the workload starts under. 0: none. */
static int on_trial(const struct settle_options *o, const char *key, uint32_t *ret)
{
	_row_ struct store_row row = { 0 };
	int64_t id;
	int r = store_workload_id(o->store, key, &id);

	*ret = 0;
	if (r == 0)
		r = store_find(o->store, key, &row, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (row.mode == MODE_ENFORCE && row.generation_state == GENERATION_TRIAL)
		*ret = row.generation;
	return 0;
}

/* Somebody else may have noted it: a runtime's wrapper on the same node. */
static bool is_noted(const struct settle_options *o, const struct observed_start *s,
		     uint32_t generation)
{
	_trial_ struct trial t = { 0 };

	if (trial_read(o->ways->state, s->key, generation, o->mount, &t) < 0)
		return false;
	for (size_t i = 0; i < t.cnt; i++)
		if (strcmp(t.start[i].id, s->container ?: "") == 0)
			return true;
	return false;
}

int settle_start(const struct settle_options *o, const struct observed_start *s)
{
	uint32_t generation;
	int r;

	if (!is_kubelets(o, s->key) || !s->container)
		return 0;
	r = on_trial(o, s->key, &generation);
	if (r < 0 || !generation || is_noted(o, s, generation))
		return r;
	return trial_add_start(o->ways->state, s->key, generation, s->container, s->cgroup);
}

int settle_exit(const struct settle_options *o, const struct observed_exit *e)
{
	/* A unit runs several commands, and systemd tells tamis-start how its main one ended. */
	if (e->entrypoint && has_prefix(e->key, "systemd/"))
		return 0;
	return trial_add_end_at(o->ways->state, e->key, e->container, e->end, e->code, e->at_ms);
}
