/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/duty.h"

static int64_t shortest(const struct duty *d)
{
	return d->sample_ms < d->longest_ms ? d->sample_ms : d->longest_ms;
}

void duty_init(struct duty *d, int64_t sample_ms, unsigned percent)
{
	*d = (struct duty){
		.sample_ms = sample_ms,
		.longest_ms = sample_ms * (100 - percent) / percent,
	};
	d->rest_ms = shortest(d);
}

/* One that goes on isn't cut. */
static void sample(struct duty *d, int64_t now_ms, int64_t ms)
{
	if (d->state != DUTY_SAMPLE || now_ms < d->since_ms) {
		d->state = DUTY_SAMPLE;
		d->since_ms = d->until_ms = now_ms;
	}
	if (d->until_ms < now_ms + ms)
		d->until_ms = now_ms + ms;
}

/* From half of it to half as much again. */
static int64_t around(int64_t ms, uint32_t random)
{
	return ms / 2 + (int64_t)((uint64_t)ms * random >> 32);
}

static void rest(struct duty *d, const struct duty_now *now)
{
	d->state = DUTY_REST;
	d->since_ms = now->ms;
	d->until_ms = now->ms + around(d->rest_ms, now->random);
	d->rest_ms = 2 * d->rest_ms < d->longest_ms ? 2 * d->rest_ms : d->longest_ms;
}

static bool wakes(struct duty *d, const struct duty_now *now)
{
	if (now->news || now->started)
		d->rest_ms = shortest(d);
	if (now->started)
		sample(d, now->ms, DUTY_START * d->sample_ms);
	else if (now->news || (now->woken && d->state == DUTY_REST))
		sample(d, now->ms, d->sample_ms);
	if (now->woken)
		sample(d, now->ms, DUTY_WAKE_MS);
	return now->news || now->started || now->woken;
}

bool duty_step(struct duty *d, const struct duty_now *now)
{
	if (!now->converged) {
		d->state = DUTY_WATCH;
		d->rest_ms = shortest(d);
		return false;
	}
	/* a clock that was set back: whatever was under way, nobody knows how long */
	if (d->state == DUTY_WATCH || now->ms < d->since_ms)
		sample(d, now->ms, d->sample_ms);
	if (wakes(d, now) || now->ms < d->until_ms)
		return d->state == DUTY_REST;
	if (d->state == DUTY_REST)
		sample(d, now->ms, d->sample_ms);
	else
		rest(d, now);
	return d->state == DUTY_REST;
}
