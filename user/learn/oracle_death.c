/* SPDX-License-Identifier: Apache-2.0 */
/* Production that ends under its policy without a refused call on record: one that was refused for its
 * arguments has none, nor one whose number nobody could read any more. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "apply/note.h"
#include "base/text.h"
#include "learn/exits.h"
#include "learn/oracle_internal.h"

/* Drains for which a denial may come after its process' end: learn/denied.c waits for the cgroup's name,
 * too. */
#define GRACE 7

/* A shell says of its child's death what it would itself be said of. */
static bool is_stopped(enum trial_end end, int code)
{
	return oracle_is_stop(end == TRIAL_KILLED ? code : code - 128);
}

bool oracle_is_death(enum trial_end end, int code, int64_t lived_ms)
{
	if (is_stopped(end, code) || (end == TRIAL_EXITED && code == 0))
		return false;
	return (end == TRIAL_KILLED && code == SIGSYS) || lived_ms < ORACLE_QUICK_MS;
}

static struct oracle_machine *find(struct oracles *all, const char *key)
{
	int64_t workload = 0;
	int r = store_workload_id(all->o.store, key, &workload);

	for (size_t i = 0; i < all->cnt; i++)
		if (strcmp(all->machine[i].key, key) == 0 ||
		    (r == 0 && all->machine[i].row.workload == workload))
			return &all->machine[i];
	return NULL;
}

static bool runs(const struct oracle_machine *m)
{
	return m->row.state == ORACLE_WATCH || m->row.state == ORACLE_REST ||
	       m->row.state == ORACLE_START;
}

void oracles_started(struct oracles *all, const char *key)
{
	struct oracle_machine *m = find(all, key);

	if (m)
		m->death.is_down = false;
}

/* A life before the one that is known of now: whoever else starts it was quicker. */
static bool is_earlier(const struct oracle_machine *m, const struct observed_exit *e,
		       int64_t began_ms)
{
	return e->at_ms < began_ms && (m->row.state == ORACLE_START || e->at_ms <= m->runs_ms);
}

void oracles_ended(struct oracles *all, const struct observed_exit *e, int64_t began_ms)
{
	struct oracle_machine *m = e->entrypoint ? find(all, e->key) : NULL;
	int64_t lived = e->at_ms > began_ms ? e->at_ms - began_ms : 0;

	if (!m || !runs(m) || is_earlier(m, e, began_ms))
		return;
	if (!oracle_is_death(e->end, e->code, lived)) {
		m->death = (struct oracle_death){ 0 };
		return;
	}
	m->death.is_down = e->at_ms >= began_ms;
	m->death.cnt++;
	m->death.end = e->end;
	m->death.code = e->code;
	if (!m->death.grace)
		m->death.grace = GRACE;
}

void oracle_death_drained(struct oracle_machine *m)
{
	if (m->death.grace > 1 && --m->death.grace == 1)
		m->asked = true;
}

bool oracle_death_counts(struct oracle_machine *m)
{
	if (m->death.grace != 1)
		return false;
	/* whoever else starts it may go on with that for a while */
	if (m->death.is_down || m->death.cnt >= ORACLE_TRIES)
		return true;
	m->death.grace = 0;
	return false;
}

int oracle_death_told(struct oracle_machine *m, int64_t now_ms)
{
	const struct oracle_death *d = &m->death;
	char *why = text_format("production ended with %s %d, and no refused call is on record: "
				"it is started again in %d s",
				d->end == TRIAL_KILLED ? "signal" : "status", d->code,
				(int)((m->row.deadline - now_ms) / 1000));

	if (!why)
		return -ENOMEM;
	free(m->row.why);
	m->row.why = why;
	return 0;
}

bool oracle_death_over(struct oracle_machine *m)
{
	bool often = m->death.cnt >= ORACLE_TRIES;

	m->death.grace = 0;
	m->death.is_down = false;
	if (often)
		m->death.cnt = 0;
	return often;
}
