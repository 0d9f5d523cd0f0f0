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
};

int rest_new(struct sensor *sensor, const struct under *under, struct rest **ret)
{
	struct rest *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->sensor = sensor;
	r->under = under;
	r->quiet_ms = -1;
	r->told = sensor_rests(sensor);
	pthread_mutex_init(&r->lock, NULL);
	*ret = r;
	return 0;
}

void rest_free(struct rest *r)
{
	if (!r)
		return;
	(void)sensor_rest(r->sensor, false);
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

int rest_look(struct rest *r, int64_t now_ms, bool *ret_resting)
{
	bool filtered = under_all_filtered(r->under), rests;
	int error;

	pthread_mutex_lock(&r->lock);
	error = sensor_rest(r->sensor, is_quiet(r, now_ms) && filtered);
	rests = sensor_rests(r->sensor);
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
	(void)sensor_rest(r->sensor, false);
	pthread_mutex_unlock(&r->lock);
}
