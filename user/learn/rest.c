/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/rest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct rest {
	struct sensor *sensor;
	const struct under *under;
	pthread_mutex_t
		lock;	  /* deciding: a cgroup made meanwhile comes before or after, not between */
	bool made;	  /* one was, since the last look */
	int64_t quiet_ms; /* when the last one was heard of; -1: no look yet */
	bool told;	  /* what the last look said */
	bool has_duty, converged, news, started;
	struct duty duty;
	int64_t nap_ms;	   /* since when it naps, as far as it was counted; -1: it doesn't */
	int64_t napped_ms; /* and what was counted */
};

int rest_new(struct sensor *sensor, const struct under *under, struct rest **ret)
{
	struct rest *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->sensor = sensor;
	r->under = under;
	r->quiet_ms = r->nap_ms = -1;
	r->told = sensor_rests(sensor);
	pthread_mutex_init(&r->lock, NULL);
	*ret = r;
	return 0;
}

void rest_free(struct rest *r)
{
	if (!r)
		return;
	(void)sensor_rest(r->sensor, TAMIS_AWAKE);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool is_quiet(struct rest *r, int64_t now_ms)
{
	/* a clock that went back begins anew */
	if (r->made || r->quiet_ms < 0 || now_ms < r->quiet_ms)
		r->quiet_ms = now_ms;
	r->made = false;
	return now_ms - r->quiet_ms >= REST_QUIET_MS;
}

static bool may_nap(struct rest *r, int64_t now_ms, bool filtered)
{
	const struct duty_now now = {
		.ms = now_ms,
		.converged = r->converged && !filtered,
		.news = r->news,
		.started = r->started,
		.woken = r->made,
		.random = arc4random(),
	};

	r->news = r->started = false;
	return r->has_duty && duty_step(&r->duty, &now);
}

static enum tamis_rest kind_of_rest(struct rest *r, int64_t now_ms, bool filtered)
{
	bool nap = may_nap(r, now_ms, filtered), quiet = is_quiet(r, now_ms);

	if (filtered)
		return quiet ? TAMIS_RESTS : TAMIS_AWAKE;
	return nap ? TAMIS_NAPS : TAMIS_AWAKE;
}

/* A nap that was ended meanwhile counts until now: rather a moment too much. */
static void count_nap(struct rest *r, int64_t now_ms)
{
	if (r->nap_ms < 0)
		return;
	if (now_ms > r->nap_ms)
		r->napped_ms += now_ms - r->nap_ms;
	r->nap_ms = now_ms;
}

/* One that can't be ended goes on. */
static bool naps(const struct rest *r, enum tamis_rest kind, bool rests)
{
	return rests && (kind == TAMIS_NAPS || (kind == TAMIS_AWAKE && r->nap_ms >= 0));
}

int rest_look(struct rest *r, int64_t now_ms, bool *ret_resting)
{
	bool filtered = under_all_filtered(r->under), rests;
	enum tamis_rest kind;
	int error;

	pthread_mutex_lock(&r->lock);
	kind = kind_of_rest(r, now_ms, filtered);
	error = sensor_rest(r->sensor, kind);
	rests = sensor_rests(r->sensor);
	count_nap(r, now_ms);
	r->nap_ms = naps(r, kind, rests) ? now_ms : -1;
	pthread_mutex_unlock(&r->lock);
	if (error < 0)
		return error;
	if (rests == r->told)
		return 0;
	*ret_resting = r->told = rests;
	return 1;
}

void rest_wake(struct rest *r)
{
	pthread_mutex_lock(&r->lock);
	r->made = true;
	/* a failure is tried again, and told, by the next look; starts meanwhile are counted */
	(void)sensor_rest(r->sensor, TAMIS_AWAKE);
	pthread_mutex_unlock(&r->lock);
}

void rest_wake_nap(struct rest *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->nap_ms >= 0) {
		r->made = true;
		(void)sensor_rest(r->sensor, TAMIS_AWAKE);
	}
	pthread_mutex_unlock(&r->lock);
}

/* --- the duty cycle ---------------------------------------------------------------------- */

void rest_duty(struct rest *r, int64_t sample_ms, unsigned percent)
{
	duty_init(&r->duty, sample_ms, percent);
	r->has_duty = true;
}

void rest_converged(struct rest *r, bool converged)
{
	r->converged = converged;
}

void rest_news(struct rest *r, bool started)
{
	r->news = true;
	r->started |= started;
}

bool rest_naps(const struct rest *r)
{
	return r->nap_ms >= 0;
}

int64_t rest_napped(struct rest *r, int64_t now_ms)
{
	int64_t ms;

	pthread_mutex_lock(&r->lock);
	count_nap(r, now_ms);
	ms = r->napped_ms;
	r->napped_ms = 0;
	pthread_mutex_unlock(&r->lock);
	return ms;
}
