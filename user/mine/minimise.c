/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/minimise.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
	[MINIMISE_OPEN] = "open",
	[MINIMISE_NEEDED] = "needed",
	[MINIMISE_KEPT] = "kept",
	[MINIMISE_GONE] = "not needed",
};
_Static_assert(ARRAY_SIZE(names) == MINIMISE_STATE_MAX, "a name for each state");

const char *minimise_state_name(enum minimise_state s)
{
	return (unsigned)s < MINIMISE_STATE_MAX ? names[s] : "?";
}

/* A run of it: pointers into the caller's array, the most dangerous first. */
struct search {
	const struct minimise_options *o;
	struct minimise_call **call;
	uint32_t *errno_ret; /* room for each */
	size_t cnt;
};

static int compare(const void *x, const void *y)
{
	const struct minimise_call *a = *(struct minimise_call *const *)x;
	const struct minimise_call *b = *(struct minimise_call *const *)y;

	if (a->danger != b->danger)
		return a->danger < b->danger ? 1 : -1;
	if (a->abi != b->abi)
		return a->abi < b->abi ? -1 : 1;
	return a->nr < b->nr ? -1 : a->nr > b->nr;
}

/* --- deciding ------------------------------------------------------------------------------- */

static int decide(const struct search *s, struct minimise_call *c, enum minimise_state state,
		  uint32_t errno_ret, const char *why)
{
	char *copy = why ? strdup(why) : NULL;

	if (why && !copy)
		return -ENOMEM;
	free(c->why);
	c->why = copy;
	c->state = state;
	c->errno_ret = errno_ret;
	return s->o->decided ? s->o->decided(s->o->arg, c) : 0;
}

static int try_without(const struct search *s, struct minimise_call *const *group, size_t cnt,
		       uint32_t errno_ret, char **ret_why)
{
	for (size_t i = 0; i < cnt; i++)
		s->errno_ret[i] = errno_ret;
	return s->o->passes(s->o->arg, (const struct minimise_call *const *)group, s->errno_ret,
			    cnt, ret_why);
}

static int decide_gone(const struct search *s, struct minimise_call *const *group, size_t cnt,
		       uint32_t errno_ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cnt; i++)
		r = decide(s, group[i], MINIMISE_GONE, errno_ret, NULL);
	return r;
}

/* The one call of a group that fails with ENOSYS. */
static int decide_one(const struct search *s, struct minimise_call *c, const char *why)
{
	_free_ char *other = NULL;
	int r = try_without(s, &c, 1, EPERM, &other);

	if (r < 0)
		return r;
	return r > 0 ? decide(s, c, MINIMISE_GONE, EPERM, NULL)
		     : decide(s, c, MINIMISE_NEEDED, 0, why ?: other);
}

static bool all_gone_alike(struct minimise_call *const *group, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (group[i]->state != MINIMISE_GONE || group[i]->errno_ret != ENOSYS)
			return false;
	return true;
}

static int settle(const struct search *s, struct minimise_call *const *group, size_t cnt);

/*
 * A group that fails as a whole, with `why`. When the first half is not needed at all, refusing the other
 * half beside it is what has just failed: it isn't tried again.
 */
static int settle_halves(const struct search *s, struct minimise_call *const *group, size_t cnt,
			 const char *why)
{
	size_t half = cnt / 2;
	int r;

	if (cnt == 1)
		return decide_one(s, group[0], why);
	r = settle(s, group, half);
	if (r < 0)
		return r;
	if (all_gone_alike(group, half))
		return settle_halves(s, group + half, cnt - half, why);
	return settle(s, group + half, cnt - half);
}

/* Decides each of the group. */
static int settle(const struct search *s, struct minimise_call *const *group, size_t cnt)
{
	_free_ char *why = NULL;
	int r = try_without(s, group, cnt, ENOSYS, &why);

	if (r < 0)
		return r;
	if (r == 0)
		return settle_halves(s, group, cnt, why);
	return decide_gone(s, group, cnt, ENOSYS);
}

/* Of the first `decided` calls: those that can't be answered ENOSYS. */
static size_t count_needed(const struct search *s, size_t decided)
{
	size_t cnt = 0;

	for (size_t i = 0; i < decided; i++)
		cnt += !all_gone_alike(&s->call[i], 1);
	return cnt;
}

/*
 * A group is as large as passes every other time, by the share of needed ones so far (one of four to begin
 * with): where most calls are needed it comes to trying one by one, and where few are to halving.
 */
static int search_all(const struct search *s)
{
	size_t cnt;

	for (size_t at = 0; at < s->cnt; at += cnt) {
		size_t size = 7 * (at + 4) / (10 * (count_needed(s, at) + 1));
		int r;

		cnt = size < s->cnt - at ? size : s->cnt - at;
		cnt = cnt ? cnt : 1;
		r = settle(s, s->call + at, cnt);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- confirming ----------------------------------------------------------------------------- */

/* All that is GONE, so many times: 1 when it passed each time. */
static int passes_often(const struct search *s, unsigned times, char **ret_why)
{
	int r = 1;

	for (unsigned i = 0; r > 0 && i < times; i++)
		r = try_without(s, NULL, 0, ENOSYS, ret_why);
	return r;
}

static void set_states(struct minimise_call *const *c, size_t cnt, enum minimise_state state)
{
	for (size_t i = 0; i < cnt; i++)
		c[i]->state = state;
}

/*
 * Beside those that are GONE now, which pass, the `cnt` calls fail some time: one of them that does so.
 * They are OPEN before and after it.
 */
static int blame(const struct search *s, struct minimise_call **c, size_t cnt,
		 struct minimise_call **ret, char **ret_why)
{
	size_t half = cnt / 2;
	char *why = NULL;
	int r;

	if (cnt == 1) {
		*ret = c[0];
		return 0;
	}
	set_states(c, half, MINIMISE_GONE);
	r = passes_often(s, s->o->confirm, &why);
	if (r > 0)
		r = blame(s, c + half, cnt - half, ret, ret_why);
	else if (r == 0) {
		free(*ret_why);
		*ret_why = TAKE_PTR(why);
		set_states(c, half, MINIMISE_OPEN);
		r = blame(s, c, half, ret, ret_why);
	}
	set_states(c, half, MINIMISE_OPEN);
	free(why);
	return r;
}

/* One of the calls that are GONE goes back. With none of them refused the tests have to pass. */
static int take_back(const struct search *s, struct minimise_call **gone, size_t cnt, char *why)
{
	_free_ char *which = why ? strdup(why) : NULL, *own = NULL;
	struct minimise_call *culprit = NULL;
	int r;

	set_states(gone, cnt, MINIMISE_OPEN);
	r = passes_often(s, s->o->confirm, &own);
	if (r > 0)
		r = blame(s, gone, cnt, &culprit, &which);
	else if (r == 0)
		r = -EAGAIN;
	set_states(gone, cnt, MINIMISE_GONE);
	return r < 0 ? r : decide(s, culprit, MINIMISE_NEEDED, 0, which);
}

static size_t gone_of(const struct search *s, struct minimise_call **ret)
{
	size_t cnt = 0;

	for (size_t i = 0; i < s->cnt; i++)
		if (s->call[i]->state == MINIMISE_GONE)
			ret[cnt++] = s->call[i];
	return cnt;
}

static int confirm(const struct search *s)
{
	_free_ struct minimise_call **gone = calloc(s->cnt + 1, sizeof(void *));
	size_t cnt;
	int r = gone ? 0 : -ENOMEM;

	while (r == 0 && (cnt = gone_of(s, gone)) > 0) {
		_free_ char *why = NULL;

		r = passes_often(s, s->o->confirm, &why);
		if (r > 0)
			return 0;
		if (r == 0)
			r = take_back(s, gone, cnt, why);
	}
	return r;
}

/* --------------------------------------------------------------------------------------------- */

/* Those in one of these states, sorted. */
static void choose(struct search *s, struct minimise_call *calls, size_t cnt, uint32_t states)
{
	s->cnt = 0;
	for (size_t i = 0; i < cnt; i++)
		if (states >> calls[i].state & 1)
			s->call[s->cnt++] = &calls[i];
	if (s->cnt > 1)
		qsort(s->call, s->cnt, sizeof(void *), compare);
}

int minimise(struct minimise_call *calls, size_t cnt, const struct minimise_options *o)
{
	_free_ struct minimise_call **call = calloc(cnt + 1, sizeof(void *));
	_free_ uint32_t *errno_ret = calloc(cnt + 1, sizeof(*errno_ret));
	struct search s = { .o = o, .call = call, .errno_ret = errno_ret };
	int r;

	if (!call || !errno_ret)
		return -ENOMEM;
	choose(&s, calls, cnt, 1u << MINIMISE_OPEN);
	r = search_all(&s);
	if (r < 0)
		return r;
	choose(&s, calls, cnt, 1u << MINIMISE_GONE);
	return confirm(&s);
}
