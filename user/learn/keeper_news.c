/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/keeper_news.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keeper/journal.h"

#define META	 "journal"
#define SOURCE	 "keeper"
#define TOLD_MAX 1000 /* of one transaction: who asks for everything is told of, not listened to */

/* A workload of the lines that are taken. */
struct whose {
	char *key;
	uint32_t generation;		     /* applied to it */
	int64_t id;			     /* 0: nobody's */
	struct sysset known[TAMIS_ABI_MAX];  /* learned, by whomever */
	struct sysset minute[TAMIS_ABI_MAX]; /* learned of the lines of this minute */
	int64_t when;			     /* that minute */
};

/* What is told once it is in the store. */
struct told {
	char *key, *comm, *exe;
	struct store_denial d; /* hot: count is by the minute */
	bool learned, hot;
};

struct taking {
	const struct keeper_news_options *o;
	struct keeper_news sum;
	struct whose *whose;
	size_t whose_cnt;
	struct told *told;
	size_t told_cnt;
};

static void taking_done(struct taking *t)
{
	for (size_t i = 0; i < t->whose_cnt; i++)
		free(t->whose[i].key);
	for (size_t i = 0; i < t->told_cnt; i++) {
		free(t->told[i].key);
		free(t->told[i].comm);
		free(t->told[i].exe);
	}
	free(t->whose);
	free(t->told);
}
#define _taking_ __attribute__((cleanup(taking_done)))

/* --- whose ------------------------------------------------------------------------------- */

static int look_up(struct taking *t, struct whose *w)
{
	struct store_applied is = { 0 };
	struct learned l;
	int r = store_workload_id(t->o->store, w->key, &w->id);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = store_learned(t->o->store, w->id, &l);
	if (r == 0)
		r = store_applied_get(t->o->store, w->id, &is);
	w->generation = is.generation;
	if (r == 0)
		memcpy(w->known, l.set[TAMIS_WORKLOAD], sizeof(w->known));
	return r;
}

static int find_whose(struct taking *t, const char *key, struct whose **ret)
{
	struct whose *grown, *w;
	int r;

	for (size_t i = t->whose_cnt; i-- > 0;) {
		*ret = &t->whose[i];
		if (strcmp(t->whose[i].key, key) == 0)
			return 0;
	}
	grown = reallocarray(t->whose, t->whose_cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->whose = grown;
	w = &grown[t->whose_cnt];
	*w = (struct whose){ .key = strdup(key) };
	if (!w->key)
		return -ENOMEM;
	t->whose_cnt++;
	r = look_up(t, w);
	*ret = w;
	return r;
}

/* --- telling ----------------------------------------------------------------------------- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Out of memory it isn't told. */
static struct told *add_told(struct taking *t, const char *key, const struct store_denial *d)
{
	struct told *grown;

	if (t->told_cnt >= TOLD_MAX)
		return NULL;
	grown = reallocarray(t->told, t->told_cnt + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	t->told = grown;
	grown += t->told_cnt;
	*grown = (struct told){ .key = strdup(key), .comm = copy(d->comm), .exe = copy(d->exe) };
	if (!grown->key) {
		free(grown->comm);
		free(grown->exe);
		return NULL;
	}
	grown->d = *d;
	grown->d.comm = grown->comm;
	grown->d.exe = grown->exe;
	t->told_cnt++;
	return grown;
}

static void tell(const struct taking *t)
{
	const struct keeper_news_options *o = t->o;

	for (size_t i = 0; i < t->told_cnt; i++) {
		const struct told *told = &t->told[i];

		if (told->hot && o->hot)
			o->hot(o->arg, told->key, told->d.abi, told->d.nr, told->d.count);
		else if (!told->hot && o->news)
			o->news(o->arg, told->key, &told->d, told->learned);
	}
}

/* --- lines ------------------------------------------------------------------------------- */

static struct store_denial denial_of(const struct whose *w, const struct journal_entry *e)
{
	return (struct store_denial){
		.workload = w->id,
		.kind = e->answer == ANSWER_ASKED ? DENIAL_ASKED : DENIAL_DENIED,
		.abi = e->abi,
		.nr = e->nr,
		.generation = w->generation,
		.pid = e->pid,
		.comm = e->comm,
		.exe = e->exe,
		.count = e->kind == JOURNAL_CALL ? 1 : e->count,
		.first = e->time,
		.last = e->time,
	};
}

/* Whether this minute's lines said so already: what is learned twice is learned, but its last time
 * is to be true to the unit. */
static bool is_said(struct whose *w, const struct journal_entry *e)
{
	int64_t when = e->time / 60;
	bool said;

	if (w->when != when)
		memset(w->minute, 0, sizeof(w->minute));
	w->when = when;
	said = sysset_has(&w->minute[e->abi], e->nr);
	sysset_add(&w->minute[e->abi], e->nr);
	return said;
}

static int learn(struct taking *t, struct whose *w, const struct journal_entry *e)
{
	const struct policy_origin origin = { .pid = e->pid, .comm = e->comm, .exe = e->exe };
	struct sysset call = { 0 };
	struct store_denial d = denial_of(w, e);
	struct told *told = NULL;
	int r;

	if (e->nr >= TAMIS_CALLS || is_said(w, e))
		return 0;
	sysset_add(&call, e->nr);
	r = store_learn(t->o->store, w->id, SOURCE, e->abi, &call, &origin, e->time);
	if (r < 0 || sysset_has(&w->known[e->abi], e->nr))
		return r;
	sysset_add(&w->known[e->abi], e->nr);
	t->sum.learned++;
	told = add_told(t, w->key, &d);
	if (told)
		told->learned = true;
	return 0;
}

static int refuse(struct taking *t, struct whose *w, const struct journal_entry *e)
{
	struct store_denial d = denial_of(w, e);
	bool is_new = false;
	int r = store_denial_add(t->o->store, &d, &is_new);

	if (r < 0)
		return r;
	if (e->answer == ANSWER_ASKED)
		t->sum.asked += d.count;
	else
		t->sum.denied += d.count;
	if (is_new)
		(void)add_told(t, w->key, &d);
	return 0;
}

static int take_hot(struct taking *t, const struct whose *w, const struct journal_entry *e)
{
	const struct store_denial d = { .abi = e->abi, .nr = e->nr, .count = e->count };
	struct told *told = add_told(t, w->key, &d);

	if (told)
		told->hot = true;
	return 0;
}

/* One that was let go on is learned whatever the reason: it was made. */
static int take(void *ctx, const struct journal_entry *e)
{
	struct taking *t = ctx;
	struct whose *w = NULL;
	int r = e->key[0] ? find_whose(t, e->key, &w) : 0;

	if (e->kind != JOURNAL_HOT)
		t->sum.calls += e->kind == JOURNAL_CALL ? 1 : e->count;
	if (r < 0 || !w || !w->id)
		return r;
	if (e->kind == JOURNAL_HOT)
		return take_hot(t, w, e);
	return e->answer == ANSWER_ASKED || e->answer == ANSWER_DENIED ? refuse(t, w, e)
								       : learn(t, w, e);
}

/* --- the mark ---------------------------------------------------------------------------- */

/* What makes no sense is as no mark: a line that is taken twice counts twice, none is lost. */
static int read_mark(struct store *s, struct journal_mark *ret)
{
	_free_ char *text = NULL;
	struct journal_mark m = { 0 };
	int r = store_meta_get(s, META, &text);

	if (r < 0)
		return r;
	if (text && sscanf(text, "%" SCNu64 " %" SCNu64, &m.file, &m.offset) != 2)
		m = (struct journal_mark){ 0 };
	*ret = m;
	return 0;
}

static int write_mark(struct store *s, const struct journal_mark *m)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, m->file, m->offset);
	return store_meta_set(s, META, text);
}

static bool same_mark(const struct journal_mark *a, const struct journal_mark *b)
{
	return a->file == b->file && a->offset == b->offset;
}

static int stop_at_first(void *ctx, const struct journal_entry *e)
{
	(void)ctx;
	(void)e;
	return 1;
}

/* 1: there is something to take; nothing is written otherwise. */
static int has_news(const struct keeper_news_options *o)
{
	struct journal_mark mark, was;
	int r = read_mark(o->store, &mark);

	if (r < 0)
		return r;
	was = mark;
	r = journal_read(o->state, &mark, stop_at_first, NULL, NULL);
	return r == 0 ? !same_mark(&mark, &was) : r;
}

static int take_in_transaction(struct taking *t, struct journal_mark *mark)
{
	int r = read_mark(t->o->store, mark);

	if (r == 0)
		r = journal_read(t->o->state, mark, take, t, &t->sum.bad);
	return r < 0 ? r : write_mark(t->o->store, mark);
}

int keeper_news_take(const struct keeper_news_options *o, int64_t now, struct keeper_news *ret)
{
	_taking_ struct taking t = { .o = o };
	struct journal_mark mark;
	int r = has_news(o);

	(void)now;
	if (r <= 0) {
		if (r == 0)
			*ret = t.sum;
		return r;
	}
	r = store_begin(o->store);
	if (r < 0)
		return r;
	r = take_in_transaction(&t, &mark);
	if (r >= 0)
		r = store_commit(o->store);
	if (r < 0) {
		store_rollback(o->store);
		return r;
	}
	*ret = t.sum;
	tell(&t);
	/* It is in the store: a file that stays for now goes with the next ones. */
	(void)journal_trim(o->state, &mark);
	return 0;
}
