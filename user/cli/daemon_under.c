/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_under.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/complain.h"
#include "cli/daemon_duty.h"
#include "cli/daemon_lost.h"
#include "learn/rest.h"
#include "model/calls.h"

struct daemon_under {
	struct daemon_under_options o;
	struct sensor *sensor;
	struct under *under;
	struct denied *denied;
	struct rest *rest;
	struct daemon_duty *duty; /* NULL: none */
	bool needed, watching;
	bool cant_watch; /* told */
	time_t complained;
	struct daemon_lost lost;
};

static void fail(struct daemon_under *u, int r, const char *what)
{
	complain(&u->complained, r, what, u->o.store, "trying again");
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- denials ----------------------------------------------------------------------------- */

static void tell_denial(const char *key, const struct store_denial *d)
{
	char name[CALLS_NAME_MAX] = "a call that isn't known";

	if (d->nr < TAMIS_CALLS)
		calls_print(d->abi, d->nr, name);
	log_warn("%s: refused %s%s to %s (pid %" PRIu32 ")", key, name,
		 d->kind == DENIAL_SIGSYS ? ", which was its death," : "", d->comm ?: "somebody",
		 d->pid);
}

static void on_denied(void *arg, const char *key, const char *container,
		      const struct store_denial *d, uint64_t more)
{
	struct daemon_under *u = arg;

	if (d->count == more)
		tell_denial(key, d);
	if (u->o.denied)
		u->o.denied(u->o.arg, key, d);
}

static void watch_denials(struct daemon_under *u)
{
	bool wanted = u->needed || u->o.daemon->watch_denials;
	int r = wanted == u->watching ? 0 : sensor_watch_denials(u->sensor, wanted);

	if (r >= 0) {
		u->watching = wanted;
		return;
	}
	if (!u->cant_watch)
		log_warn("can't watch refused calls: %s; deaths by SIGSYS are seen all the same",
			 strerror(-r));
	u->cant_watch = true;
}

void daemon_under_need_denials(struct daemon_under *u, bool needed)
{
	u->needed = needed;
	watch_denials(u);
}

/* --- beginning and end ------------------------------------------------------------------- */

int daemon_under_new(const struct daemon_under_options *o, struct daemon_under **ret)
{
	_cleanup_(daemon_under_free) struct daemon_under *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->o = *o;
	r = under_new(o->daemon->state, &u->under);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(u);
	return 0;
}

int daemon_under_attach(struct daemon_under *u, struct sensor *sensor, struct observer *observer)
{
	const struct denied_options o = {
		.sensor = sensor,
		.store = u->o.store,
		.observer = observer,
		.under = u->under,
		.denied = on_denied,
		.arg = u,
	};
	int r = denied_new(&o, &u->denied);

	u->sensor = sensor;
	if (r >= 0)
		r = rest_new(sensor, u->under, &u->rest);
	if (r >= 0 && u->o.daemon->duty)
		r = daemon_duty_new(u->o.daemon, u->o.store, u->under, u->rest, &u->duty);
	if (r >= 0)
		sensor_tell_execs(sensor, u->duty);
	if (r >= 0)
		watch_denials(u);
	return r;
}

void daemon_under_free(struct daemon_under *u)
{
	if (!u)
		return;
	if (u->duty) {
		sensor_tell_execs(u->sensor, false);
		(void)daemon_duty_unit(u->duty, now_ms());
	}
	rest_free(u->rest);
	daemon_duty_free(u->duty);
	denied_free(u->denied);
	under_free(u->under);
	free(u);
}

struct under *daemon_under_rows(struct daemon_under *u)
{
	return u->under;
}

/* --- what is told ------------------------------------------------------------------------ */

void daemon_under_made(struct daemon_under *u)
{
	struct rest *rest = __atomic_load_n(&u->rest, __ATOMIC_ACQUIRE);

	if (rest)
		rest_wake(rest);
}

void daemon_under_executed(struct daemon_under *u)
{
	struct rest *rest = __atomic_load_n(&u->rest, __ATOMIC_ACQUIRE);

	if (rest)
		rest_wake_nap(rest);
}

void daemon_under_news(struct daemon_under *u)
{
	if (u->duty)
		daemon_duty_news(u->duty, false);
}

void daemon_under_stored(struct daemon_under *u)
{
	int r = u->denied ? denied_drain(u->denied, time(NULL)) : 0;

	if (r < 0)
		fail(u, r, "can't store what was refused");
}

bool daemon_under_filtered(const struct daemon_under *u, const char *key, const char *container)
{
	struct under_row row;

	return under_find(u->under, key, container, &row) == 0 &&
	       (row.mode == MODE_ENFORCE || row.mode == MODE_PROBATION);
}

void daemon_under_started(struct daemon_under *u, const struct observed_start *s)
{
	int r = under_started(u->under, u->o.store, s);

	if (u->duty)
		daemon_duty_news(u->duty, true);
	if (r < 0)
		fail(u, r, "can't note what a start is under");
}

void daemon_under_exited(struct daemon_under *u, const struct observed_exit *e)
{
	int r = u->denied ? denied_exit(u->denied, e, time(NULL)) : 0;

	if (r < 0)
		fail(u, r, "can't note a refused call");
	under_ended(u->under, e);
}

static void look_at_rest(struct daemon_under *u)
{
	bool resting = false;
	int r = u->duty ? daemon_duty_before(u->duty) : 0;

	if (r < 0)
		fail(u, r, "can't say how well known is what runs");
	r = rest_look(u->rest, now_ms(), &resting);
	if (r > 0)
		log_debug("the syscall program %s",
			  resting ? rest_naps(u->rest) ? "naps" : "rests" : "is awake");
	else if (r < 0)
		fail(u, r, "can't let the syscall program rest");
	r = u->duty ? daemon_duty_after(u->duty, now_ms()) : 0;
	if (r < 0)
		fail(u, r, "can't note what was slept");
}

/* A count that grows is no news to the observer. */
void daemon_under_interval(struct daemon_under *u)
{
	daemon_under_stored(u);
	look_at_rest(u);
}

void daemon_under_unit(struct daemon_under *u)
{
	int r = under_look(u->under, u->o.store);

	if (r >= 0 && u->duty)
		r = daemon_duty_unit(u->duty, now_ms());
	if (r < 0)
		fail(u, r, "can't look at what runs");
	r = daemon_lost_tell(&u->lost, u->o.store, sensor_denials_lost(u->sensor), time(NULL));
	if (r < 0)
		fail(u, r, "can't note which refused calls are lost");
}
