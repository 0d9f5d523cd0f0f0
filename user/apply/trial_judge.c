/* SPDX-License-Identifier: Apache-2.0 */
/* What starts and ends say of a generation. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "apply/trial.h"

/* A shell's exit code for a child that a signal ended; programs that handle one follow it. */
#define CODE_SIGNAL 128

#define STARTS	    3 /* it restarted twice */
#define NEVER_UP_MS 1000

struct judge {
	const struct trial_start *s;
	size_t cnt;
	unsigned trial_s;
	const char *next; /* id of the container about to start, NULL: none is */
};

/* What happened first decides: how many ms ago, -1: nothing yet. */
struct event {
	int64_t ago;
	struct trial_said said;
};

/* The signal that ended it, 0: none did. */
static int signal_of(const struct trial_start *s)
{
	if (s->end == TRIAL_KILLED)
		return s->code;
	return s->end == TRIAL_EXITED && s->code > CODE_SIGNAL ? s->code - CODE_SIGNAL : 0;
}

static bool was_asked_to_end(const struct trial_start *s)
{
	int sig = signal_of(s);

	return sig == SIGTERM || sig == SIGINT || sig == SIGKILL || sig == SIGHUP;
}

static bool lived(const struct trial_start *s, int64_t trial_ms)
{
	if (s->ended_ms >= 0)
		return s->began_ms - s->ended_ms >= trial_ms;
	return s->end == TRIAL_RUNS && s->began_ms >= trial_ms;
}

/* podman kills what its runtime could not start; people give a program more time than that. */
static bool was_never_up(const struct trial_start *s)
{
	return signal_of(s) == SIGKILL && s->ended_ms >= 0 &&
	       s->began_ms - s->ended_ms <= NEVER_UP_MS;
}

/* Nobody knows how it went. */
static bool is_open(const struct trial_start *s, int64_t trial_ms)
{
	return (s->end == TRIAL_RUNS || s->end == TRIAL_UNKNOWN || was_never_up(s)) &&
	       !lived(s, trial_ms);
}

/* The earlier event stays; of two at once the bad one. */
static void say(struct event *e, enum trial_verdict verdict, int64_t ago, const char *what, int n,
		const char *how)
{
	if (ago < e->ago || (ago == e->ago && verdict != TRIAL_FAILED))
		return;
	e->ago = ago;
	e->said.verdict = verdict;
	(void)snprintf(e->said.why, sizeof(e->said.why), "%s %d%s", what, n, how);
}

static void look_at_end(const struct judge *j, const struct trial_start *s, struct event *e)
{
	static const char soon[] = " soon after its start";
	int64_t trial_ms = (int64_t)j->trial_s * 1000;

	if (lived(s, trial_ms))
		say(e, TRIAL_PASSED, s->began_ms - trial_ms, "it lived for", (int)j->trial_s, " s");
	else if (s->end == TRIAL_EXITED && s->code == 0)
		say(e, TRIAL_PASSED, s->ended_ms, "it exited with", 0, "");
	else if (s->end == TRIAL_EXITED && !was_asked_to_end(s))
		say(e, TRIAL_FAILED, s->ended_ms, "it exited with", s->code, soon);
	else if (s->end == TRIAL_KILLED && !was_asked_to_end(s))
		say(e, TRIAL_FAILED, s->ended_ms, "it died by signal", s->code, soon);
}

static bool is_next(const struct judge *j, const struct trial_start *s)
{
	return j->next && *s->id && strcmp(s->id, j->next) == 0;
}

static bool some_runs(const struct judge *j)
{
	for (size_t i = 0; i < j->cnt; i++)
		if (j->s[i].end == TRIAL_RUNS && !is_next(j, &j->s[i]))
			return true;
	return false;
}

/* Is s one more of the row of starts that `last` ends? last NULL: the one about to happen. */
static bool is_in_row(const struct judge *j, const struct trial_start *s,
		      const struct trial_start *last, bool alone)
{
	int64_t trial_ms = (int64_t)j->trial_s * 1000;
	const char *id = last ? last->id : j->next;

	if (!is_open(s, trial_ms) || s->began_ms - (last ? last->began_ms : 0) > trial_ms)
		return false;
	if (*s->id && strcmp(s->id, id) == 0)
		return true;
	return !alone && s->end == TRIAL_UNKNOWN && s->cgroup;
}

/* `last`, whatever became of it, or the start about to happen, is one too many after those before. */
static bool ends_row(const struct judge *j, const struct trial_start *last, size_t before,
		     bool alone)
{
	size_t starts = 1;

	if (last && !alone && (last->end != TRIAL_UNKNOWN || !last->cgroup))
		return false;
	for (size_t i = 0; i < before; i++)
		starts += is_in_row(j, &j->s[i], last, alone);
	return starts >= STARTS;
}

/* Rows of one container's starts, and, with none running, of all. */
static void look_at_rows(const struct judge *j, struct event *e)
{
	bool runs = some_runs(j);

	for (size_t i = 0; i < j->cnt + (j->next ? 1 : 0); i++) {
		const struct trial_start *last = i < j->cnt ? &j->s[i] : NULL;

		if (ends_row(j, last, i, true) || (!runs && ends_row(j, last, i, false)))
			say(e, TRIAL_FAILED, last ? last->began_ms : 0, "it restarted twice within",
			    (int)j->trial_s, " s");
	}
}

static struct trial_said judge(const struct judge *j)
{
	struct event e = { .ago = -1 };

	for (size_t i = 0; i < j->cnt; i++)
		look_at_end(j, &j->s[i], &e);
	look_at_rows(j, &e);
	for (size_t i = 0; i < j->cnt; i++)
		if (signal_of(&j->s[i]) == SIGSYS)
			say(&e, TRIAL_FAILED, INT64_MAX, "it died by signal", SIGSYS,
			    " (SIGSYS), of a refused call");
	return e.said;
}

struct trial_said trial_judge(const struct trial_start *s, size_t cnt, unsigned trial_s)
{
	return judge(&(struct judge){ s, cnt, trial_s, NULL });
}

struct trial_said trial_judge_next(const struct trial_start *s, size_t cnt, unsigned trial_s,
				   const char *id)
{
	return judge(&(struct judge){ s, cnt, trial_s, id });
}
