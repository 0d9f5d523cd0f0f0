/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/coverage.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define LOOK_S	600 /* between two looks at which workloads changed */
#define FRESH_S 3600
#define HOUR_S	3600

#define WAIT_FACTOR 5 /* times its processor time an update may take */

/* --- one workload ------------------------------------------------------------------------ */

/* When it would be if the clock had stood still in every nap. */
static int64_t watched_at(const struct naps *naps, int64_t at)
{
	return at - naps_slept(naps, INT64_MIN, at) / 1000;
}

/* The last one, unless the clock was set back. */
static struct matrix_unit *find_hour(const struct matrix *hours, int64_t began)
{
	for (size_t i = hours->cnt; i > 0; i--) {
		if (hours->unit[i - 1].began / HOUR_S == began / HOUR_S)
			return &hours->unit[i - 1];
	}
	return NULL;
}

/*
 * What is one sample of a life? Estimators take units that could as well have come in any other order.
 * Epochs of a minute can't: what happens in one goes on in the next, and the few of a start are like no
 * others. Counted each for itself they would make a thousand samples of one quiet night. So all epochs
 * of an hour, of all replicas, are one unit, and so is a day that was folded to one: an hour holds
 * starts, requests, timers, and what goes on for longer than that is seen in several.
 *
 * That is still not independence. What happens once a night is in one hour of each day and known after
 * some days, not some hours; and the start of a workload that started once is in one hour only, with a
 * score of calls that come together (incidence.clump), so that the interval stays wide until it has
 * started again. Hours in which it made no call count as none.
 *
 * An hour is one that was watched: of a duty cycle's naps nothing is known, and a day of which an hour
 * was watched is no more than an hour's evidence.
 */
static int to_hours(const struct matrix *epochs, const struct naps *naps, struct matrix *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < epochs->cnt; i++) {
		const struct matrix_unit *epoch = &epochs->unit[i];
		int64_t began = watched_at(naps, epoch->began);
		struct matrix_unit *hour = find_hour(ret, began);

		if (!hour)
			r = matrix_add(ret, NULL, began, &hour);
		for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
			sysset_merge(&hour->set[abi], &epoch->set[abi]);
	}
	return r;
}

int coverage_estimate(struct store *s, int64_t workload, struct unseen *ret,
		      struct unseen_next *ret_hour)
{
	_matrix_ struct matrix epochs = { 0 }, hours = { 0 };
	_incidence_ struct incidence in = { 0 };
	_naps_ struct naps naps = { 0 };
	int r = store_matrix(s, workload, 0, &epochs);

	if (r == 0)
		r = store_naps(s, &naps);
	if (r == 0)
		r = to_hours(&epochs, &naps, &hours);
	if (r == 0)
		r = incidence_of(&hours, &in);
	if (r < 0)
		return r;
	unseen_estimate(&in, ret);
	unseen_next(&in, 1, ret_hour);
	return 0;
}

int coverage_of(struct store *s, int64_t workload, struct store_coverage *ret)
{
	struct unseen u;
	struct unseen_next hour;
	int r = coverage_estimate(s, workload, &u, &hour);

	if (r < 0)
		return r;
	*ret = (struct store_coverage){
		.at = time(NULL),
		.units = u.units,
		.is_known = u.is_known,
		.coverage = u.coverage,
		.low = u.coverage_low,
		.high = u.coverage_high,
		.next_hour = hour.is_known ? hour.expected : -1,
	};
	return 0;
}

/* --- all of them ------------------------------------------------------------------------- */

/* A workload as it was when it was computed last. */
struct known {
	int64_t workload;
	uint64_t units, calls;
	bool is_due;
};

struct coverage {
	struct known *known; /* growing by workload */
	size_t cnt, next;    /* those before `next` were looked at */
	int64_t looked;
};

int coverage_new(struct coverage **ret)
{
	struct coverage *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

void coverage_free(struct coverage *c)
{
	if (!c)
		return;
	free(c->known);
	free(c);
}

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->workload > y->workload) - (x->workload < y->workload);
}

/* A daemon that was started anew takes over what the one before it just computed, if it could. */
static bool is_fresh(struct store *s, int64_t workload, int64_t now)
{
	struct store_coverage c;

	return store_coverage_get(s, workload, &c) == 0 && c.is_known && c.at <= now &&
	       now - c.at < FRESH_S;
}

static void compare(struct coverage *c, struct store *s, const struct store_row *row, int64_t now,
		    struct known *k)
{
	const struct known *old = NULL;

	*k = (struct known){ row->id, row->evidence.units, row->calls, false };
	if (c->cnt)
		old = bsearch(k, c->known, c->cnt, sizeof(*k), compare_known);
	if (!old) {
		k->is_due = !is_fresh(s, row->id, now);
		return;
	}
	k->is_due = old->is_due || k->calls != old->calls || k->units < old->units ||
		    k->units - old->units > 15 + old->units / 16;
	if (!k->is_due)
		*k = *old;
}

/* Which of them changed since they were computed. */
static int look(struct coverage *c, struct store *s, int64_t now)
{
	struct store_row *row = NULL;
	struct known *known;
	size_t cnt = 0;
	int r = store_list(s, &row, &cnt);

	if (r < 0)
		return r;
	known = calloc(cnt + 1, sizeof(*known));
	for (size_t i = 0; i < cnt; i++) {
		if (known)
			compare(c, s, &row[i], now, &known[i]);
		store_row_done(&row[i]);
	}
	free(row);
	if (!known)
		return -ENOMEM;
	if (cnt)
		qsort(known, cnt, sizeof(*known), compare_known);
	free(c->known);
	*c = (struct coverage){ .known = known, .cnt = cnt, .looked = now };
	return 0;
}

/* By the tests of a mining run: worth more than too few hours. */
static bool is_known(struct store *s, int64_t workload)
{
	struct store_coverage c;

	return store_coverage_get(s, workload, &c) == 0 && c.is_known;
}

/* In one transaction: a workload that a command takes away is either there for both or for none. */
static int update_one(struct store *s, int64_t workload, int64_t now)
{
	struct store_coverage c;
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = coverage_of(s, workload, &c);
	c.at = now;
	if (r == 0 && c.units && (c.is_known || !is_known(s, workload)))
		r = store_coverage_set(s, workload, &c);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* Each result is a write to the disk, which takes more time than the processor does. */
struct budget {
	int64_t worked, waited; /* when it must be over */
};

static struct budget budget_of(unsigned ms)
{
	return (struct budget){ clock_ms(CLOCK_THREAD_CPUTIME_ID) + ms,
				clock_ms(CLOCK_MONOTONIC) + WAIT_FACTOR * (int64_t)ms };
}

static bool is_spent(const struct budget *b)
{
	return clock_ms(CLOCK_THREAD_CPUTIME_ID) >= b->worked ||
	       clock_ms(CLOCK_MONOTONIC) >= b->waited;
}

int coverage_update(struct coverage *c, struct store *s, int64_t now, unsigned budget_ms)
{
	struct budget budget = budget_of(budget_ms);
	int r = 0;

	if (c->next == c->cnt && (c->looked == 0 || now < c->looked || now - c->looked >= LOOK_S))
		r = look(c, s, now);
	while (r == 0 && c->next < c->cnt) {
		struct known *k = &c->known[c->next++];

		if (k->is_due)
			r = update_one(s, k->workload, now);
		k->is_due = r < 0;
		if (is_spent(&budget))
			break;
	}
	return r;
}
