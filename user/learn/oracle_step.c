/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "learn/oracle.h"

static const char *const action[ORACLE_STATE_MAX] = {
	[ORACLE_STOP] = "production didn't stop",
	[ORACLE_TWIN] = "the twin didn't start",
	[ORACLE_UNTWIN] = "the twin didn't stop",
	[ORACLE_JUDGE] = "the verdict couldn't be stored",
	[ORACLE_START] = "production didn't start",
};

__attribute__((format(printf, 2, 3))) static void tell(struct store_oracle *o, const char *fmt, ...)
{
	char *why = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&why, fmt, args) < 0)
		why = NULL;
	va_end(args);
	free(o->why);
	o->why = why;
}

static int64_t backoff_ms(uint32_t failures)
{
	int64_t s = ORACLE_BACKOFF_S;

	for (uint32_t i = 1; i < failures && s < ORACLE_BACKOFF_MAX_S; i++)
		s *= 2;
	return (s < ORACLE_BACKOFF_MAX_S ? s : ORACLE_BACKOFF_MAX_S) * 1000;
}

static int64_t time_for(const struct store_oracle *o, enum oracle_state s)
{
	switch (s) {
	case ORACLE_WATCH:
		return 0;
	case ORACLE_WINDOW:
		return (int64_t)o->window_s * 1000;
	case ORACLE_REST:
		return backoff_ms(o->failures);
	default:
		return ORACLE_ACTION_S * 1000;
	}
}

/* Since when production runs is what WATCH and REST say, not when they began: what was refused to it
 * meanwhile is theirs. */
static int enter(struct store_oracle *o, enum oracle_state s, int64_t now)
{
	int64_t takes = time_for(o, s);
	bool runs = s == ORACLE_WATCH || s == ORACLE_REST;
	bool ran = o->state == ORACLE_WATCH || o->state == ORACLE_REST || o->state == ORACLE_START;

	o->state = s;
	if (!runs || !ran)
		o->since = now;
	o->deadline = takes ? now + takes : 0;
	o->tries = 1;
	return 1;
}

static int again(struct store_oracle *o, int64_t now)
{
	o->deadline = now + time_for(o, o->state);
	return 1;
}

/* Where a loop ends that can't go on: production comes back in any case. */
static int give_up(struct store_oracle *o, int64_t now)
{
	tell(o, "%s, after %d attempts", action[o->state], ORACLE_TRIES);
	if (o->state == ORACLE_TWIN)
		return enter(o, ORACLE_UNTWIN, now);
	o->failures++;
	if (o->state != ORACLE_START)
		return enter(o, ORACLE_START, now);
	/* Never left stopped: once more after a while. */
	o->deadline = now + backoff_ms(o->failures);
	o->tries = 0;
	return 1;
}

static int failed(struct store_oracle *o, int64_t now)
{
	if (o->tries >= ORACLE_TRIES)
		return give_up(o, now);
	o->tries++;
	return again(o, now);
}

static int denied(struct store_oracle *o, uint32_t loops_this_hour, int64_t now)
{
	if (loops_this_hour < o->per_hour) {
		o->loops++;
		return enter(o, ORACLE_STOP, now);
	}
	tell(o, "%u loops within an hour are enough: production goes on as it is for a while",
	     o->per_hour);
	enter(o, ORACLE_REST, now);
	o->deadline = now + ORACLE_BACKOFF_MAX_S * 1000;
	return 1;
}

/* Started once more after a while. What was refused to it before still counts. */
static int died(struct store_oracle *o, int64_t now)
{
	int64_t since = o->since;

	o->failures++;
	(void)enter(o, ORACLE_START, now);
	o->since = since;
	o->deadline = now + backoff_ms(o->failures);
	o->tries = 0;
	return 1;
}

static int watch(struct store_oracle *o, enum oracle_event e, uint32_t loops_this_hour, int64_t now)
{
	if (e == ORACLE_EV_DIED)
		return died(o, now);
	return e == ORACLE_EV_DENIED ? denied(o, loops_this_hour, now) : 0;
}

/* The states with an action of their own. */
static int act(struct store_oracle *o, enum oracle_event e, enum oracle_state next, int64_t now)
{
	switch (e) {
	case ORACLE_EV_DONE:
		return enter(o, next, now);
	case ORACLE_EV_FAILED:
	case ORACLE_EV_TIME:
		return failed(o, now);
	case ORACLE_EV_RESUMED:
		return again(o, now);
	default:
		return 0;
	}
}

static int start(struct store_oracle *o, enum oracle_event e, int64_t now)
{
	bool waits = o->tries == 0;

	if (waits && e == ORACLE_EV_RESUMED)
		return 0;
	return act(o, e, o->failures ? ORACLE_REST : ORACLE_WATCH, now);
}

static int window(struct store_oracle *o, enum oracle_event e, int64_t now)
{
	switch (e) {
	case ORACLE_EV_TIME:
	case ORACLE_EV_TWIN_ENDED:
	case ORACLE_EV_REPLAYED:
	case ORACLE_EV_FAILED:
		return enter(o, ORACLE_UNTWIN, now);
	case ORACLE_EV_RESUMED:
		return again(o, now);
	default:
		return 0;
	}
}

void oracle_abandon(struct store_oracle *o, const char *why, int64_t now_ms)
{
	tell(o, "%s", why);
	o->failures++;
	(void)enter(o, ORACLE_START, now_ms);
}

int oracle_step(struct store_oracle *o, enum oracle_event e, uint32_t loops_this_hour,
		int64_t now_ms)
{
	switch (o->state) {
	case ORACLE_WATCH:
		return watch(o, e, loops_this_hour, now_ms);
	case ORACLE_STOP:
		return act(o, e, ORACLE_TWIN, now_ms);
	case ORACLE_TWIN:
		return act(o, e, ORACLE_WINDOW, now_ms);
	case ORACLE_WINDOW:
		return window(o, e, now_ms);
	case ORACLE_UNTWIN:
		return act(o, e, ORACLE_JUDGE, now_ms);
	case ORACLE_JUDGE:
		return act(o, e, ORACLE_START, now_ms);
	case ORACLE_START:
		return start(o, e, now_ms);
	case ORACLE_REST:
		return e == ORACLE_EV_TIME ? enter(o, ORACLE_WATCH, now_ms) : 0;
	default:
		return 0;
	}
}
