/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_duty.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "learn/converged.h"
#include "policy/mines.h"

struct daemon_duty {
	struct store *store;
	struct rest *rest;
	struct converged_options converged;
	bool is_due; /* what runs is to be looked at */
	bool is_converged;
	int64_t slept_ms; /* not in the store yet */
};

int daemon_duty_new(const struct daemon_options *o, struct store *store, const struct under *under,
		    struct rest *rest, struct daemon_duty **ret)
{
	struct daemon_duty *d = calloc(1, sizeof(*d));
	uint64_t sample_s = o->duty_sample_s ?: DUTY_SAMPLE_S;

	if (!d)
		return -ENOMEM;
	d->store = store;
	d->rest = rest;
	d->converged = (struct converged_options){ store, under, &o->apply.rules };
	rest_duty(rest, (int64_t)sample_s * 1000, o->duty);
	*ret = d;
	return 0;
}

void daemon_duty_free(struct daemon_duty *d)
{
	if (d && d->slept_ms)
		log_warn("%lld ms that were slept are not in the store", (long long)d->slept_ms);
	free(d);
}

void daemon_duty_news(struct daemon_duty *d, bool started)
{
	d->is_due = true;
	rest_news(d->rest, started);
}

static void say(struct daemon_duty *d, bool converged, const char *why)
{
	if (converged != d->is_converged)
		log_info("%s%s",
			 converged ? "all that runs is known well: watched in samples"
				   : "watched all the time: ",
			 converged ? "" : why);
	d->is_converged = converged;
	rest_converged(d->rest, converged);
}

int daemon_duty_before(struct daemon_duty *d)
{
	char why[256] = "";
	int r;

	if (!d->is_due)
		return 0;
	r = converged_all(&d->converged, time(NULL), why, sizeof(why));
	d->is_due = r < 0;
	/* in doubt it is watched */
	say(d, r > 0, r < 0 ? strerror(-r) : why);
	return r < 0 ? r : 0;
}

static int put(struct daemon_duty *d)
{
	int64_t now = time(NULL);
	const struct nap nap = { now - (d->slept_ms + 999) / 1000, now, d->slept_ms };
	int r = store_begin(d->store);

	if (r < 0)
		return r;
	r = store_nap_add(d->store, &nap);
	if (r == 0)
		r = store_commit(d->store);
	if (r < 0)
		store_rollback(d->store);
	else
		d->slept_ms = 0;
	return r;
}

static int put_slept(struct daemon_duty *d, int64_t now_ms)
{
	d->slept_ms += rest_napped(d->rest, now_ms);
	return d->slept_ms > 0 ? put(d) : 0;
}

/* A nap is stored when it is over: at rest nothing is written. */
int daemon_duty_after(struct daemon_duty *d, int64_t now_ms)
{
	return rest_naps(d->rest) ? 0 : put_slept(d, now_ms);
}

int daemon_duty_unit(struct daemon_duty *d, int64_t now_ms)
{
	d->is_due = true;
	return put_slept(d, now_ms);
}
