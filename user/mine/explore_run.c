/* SPDX-License-Identifier: Apache-2.0 */
/* An exploration's steps, one after the other, for each port that it is for. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_internal.h"

#define STEP_MS 10000
/* A start or an end may take longer than an answer. */
#define LIFE_MS 60000

int explore_fail(struct explore_run *r, const char *fmt, ...)
{
	char *why = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&why, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	free(r->why);
	r->why = why;
	return EXPLORE_FAILED;
}

int64_t explore_deadline(const struct explore_run *r)
{
	int64_t step = explore_now_ms() + r->step_ms;

	return step < r->until ? step : r->until;
}

int explore_late(struct explore_run *r, int err, const char *what)
{
	if (err != -ETIMEDOUT)
		return err;
	return explore_now_ms() >= r->until ? -ETIME : explore_fail(r, "%s in time", what);
}

/* Where the status of the first time is kept; NULL: nowhere. */
static int *first(const struct explore_run *r, const struct explore_step *s)
{
	struct explore_seen *seen = r->e->seen;
	size_t steps = r->e->steps;

	if (!seen->first) {
		seen->first = malloc(EXPLORE_PORTS_MAX * steps * sizeof(*seen->first));
		for (size_t i = 0; seen->first && i < EXPLORE_PORTS_MAX * steps; i++)
			seen->first[i] = -1;
	}
	return seen->first ? &seen->first[r->slot * steps + (size_t)(s - r->e->step)] : NULL;
}

int explore_status(struct explore_run *r, const struct explore_step *s, int status, int class,
		   const char *what)
{
	int *before;

	if (s->want == WANT_STATUS) {
		if (status >= (int)s->low && status <= (int)s->high)
			return 0;
		return explore_fail(r, "%s: %d, expected %u..%u", what, status, s->low, s->high);
	}
	before = first(r, s);
	if (!before)
		return -ENOMEM;
	if (*before < 0)
		*before = status;
	return *before / class == status / class ? 0
						 : explore_fail(r, "%s: %d, was %d the first time",
								what, status, *before);
}

int explore_at_most(struct explore_run *r, const struct explore_step *s, unsigned cnt,
		    const char *what)
{
	int *before = first(r, s);

	if (!before)
		return -ENOMEM;
	if (*before < 0)
		*before = (int)cnt;
	return (int)cnt <= *before ? 0
				   : explore_fail(r, "%s (%u failed, %d the first time)",
						  what ? what : "", cnt, *before);
}

int explore_look(struct explore_run *r)
{
	int err = target_look(r->t, &r->facts);

	if (r->netns >= 0)
		close(r->netns);
	r->netns = -1;
	if (err < 0)
		return err;
	r->netns = target_netns(r->t);
	return r->netns < 0 ? r->netns : 0;
}

static int nap(struct explore_run *r, int64_t ms)
{
	int64_t until = explore_now_ms() + ms;
	int err = explore_poll(-1, POLLIN, until < r->until ? until : r->until, r->stop_fd);

	if (err == -ETIMEDOUT)
		return explore_now_ms() >= r->until ? -ETIME : 0;
	return err;
}

static int dispatch(struct explore_run *r, const struct explore_step *s)
{
	switch (s->verb) {
	case EXPLORE_CONNECT ... EXPLORE_SLOW:
		return explore_talk(r, s);
	case EXPLORE_HTTP:
		return explore_http(r, s);
	case EXPLORE_CRAWL:
		return explore_crawl(r, s);
	case EXPLORE_PAUSE:
		return nap(r, s->ms);
	case EXPLORE_WITHIN:
		r->step_ms = r->life_ms = s->ms;
		return 0;
	default:
		return explore_serve(r, s);
	}
}

/* A "maybe" that failed leaves a connection in an unknown state. */
static int step(struct explore_run *r, const struct explore_step *s)
{
	const struct explore_step hang_up = { .verb = EXPLORE_CLOSE };
	int err;

	if (r->stop_fd >= 0 && explore_poll(r->stop_fd, POLLIN, 0, -1) == 0)
		return -EINTR;
	if (explore_now_ms() >= r->until)
		return -ETIME;
	err = dispatch(r, s);
	if (!s->maybe || err == 0 || err == -EINTR || err == -ETIME)
		return err;
	free(TAKE_PTR(r->why));
	return explore_talk(r, &hang_up);
}

static int lives(struct explore_run *r)
{
	int status = 0, err = target_runs(r->t, &status);

	return err == 0	 ? explore_fail(r, "the service ended, exit status %d", status)
	       : err < 0 ? err
			 : 0;
}

static void tidy(struct explore_run *r)
{
	explore_hang_up(r);
	explore_http_free(TAKE_PTR(r->http));
	r->on = 0;
}

/* All steps with one port; *ret_line is where it ended. */
static int steps(struct explore_run *r, unsigned *ret_line)
{
	int err = 0;

	r->step_ms = STEP_MS;
	r->life_ms = LIFE_MS;
	for (size_t i = 0; i < r->e->steps && err == 0; i++) {
		*ret_line = r->e->step[i].line;
		err = step(r, &r->e->step[i]);
	}
	if (err == 0)
		err = lives(r);
	tidy(r);
	return err;
}

static int ports(struct explore_run *r, unsigned *ret_line)
{
	const struct explore_seen *seen = r->e->seen;
	unsigned cnt = exploration_has_port(r->e) && seen->ports ? seen->ports : 1;
	int err = explore_look(r);

	for (unsigned i = 0; i < cnt && err == 0; i++) {
		r->slot = i;
		r->port = i < seen->ports ? seen->port[i] : 0;
		r->tls = i < seen->ports && seen->tls[i];
		err = steps(r, ret_line);
	}
	return err;
}

static int outcome(struct explore_run *r, int err, unsigned line, struct mine_outcome *ret)
{
	const char *why = err == -ETIME ? "its time is over" : err < 0 ? strerror(-err) : r->why;

	ret->outcome = err == 0 ? MATRIX_PASS : err == -ETIME ? MATRIX_HUNG : MATRIX_FAIL;
	if (err == 0)
		return 0;
	ret->why = text_format("%s:%u: %s", r->e->file, line, why);
	return ret->why ? 0 : -ENOMEM;
}

int exploration_run(const struct exploration *e, struct target *t, int64_t limit_ms, int stop_fd,
		    struct mine_outcome *ret)
{
	int64_t began = explore_now_ms();
	struct explore_run r = { .e = e, .t = t, .netns = -1, .stop_fd = stop_fd };
	struct mine_outcome out = { 0 };
	unsigned line = 0;
	int err;

	for (unsigned i = 0; i < EXPLORE_CONNS_MAX; i++)
		r.conn[i].fd = -1;
	r.until = limit_ms > 0 ? began + limit_ms : INT64_MAX;
	err = ports(&r, &line);
	if (r.netns >= 0)
		close(r.netns);
	out.took_ms = explore_now_ms() - began;
	err = err == -EINTR ? err : outcome(&r, err, line, &out);
	free(r.why);
	if (err == 0)
		*ret = out;
	return err;
}
