/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the store and the machines that follow them. */
#include <errno.h>
#include <string.h>

#include "apply/note.h"
#include "learn/oracle_internal.h"

void oracle_machine_stop(struct oracle_machine *m)
{
	oracle_job_end(&m->job);
	oracle_child_free(m->replay);
	m->replay = NULL;
}

void oracle_machine_done(struct oracle_machine *m)
{
	oracle_machine_stop(m);
	store_oracle_done(&m->row);
	free(m->key);
}

static struct oracle_machine *find(struct oracles *all, int64_t workload)
{
	for (size_t i = 0; i < all->cnt; i++)
		if (all->machine[i].row.workload == workload)
			return &all->machine[i];
	return NULL;
}

static char *key_of(struct oracles *all, int64_t workload)
{
	struct store_row row = { 0 };
	char *key = NULL;

	if (oracle_workload(all->o.store, workload, &row) == 0)
		key = strdup(row.key);
	store_row_done(&row);
	return key;
}

/* Takes the row over. */
static int add(struct oracles *all, struct store_oracle *row)
{
	const struct oracle_engine *engine = oracle_engine_of(row->production, NULL);
	struct oracle_machine *more;
	char *key;

	if (!engine)
		return 0;
	more = reallocarray(all->machine, all->cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	all->machine = more;
	key = key_of(all, row->workload);
	if (!key)
		return -ENOMEM;
	more[all->cnt++] = (struct oracle_machine){
		.row = *row,
		.key = key,
		.engine = engine,
		.resumed = true,
		.remembered = true,
		.asked = true,
		.runs_ms = note_now_ms(),
		.drained = true, /* what was there at a daemon's start is in the store */
	};
	*row = (struct store_oracle){ 0 };
	return 0;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The one that we have, whatever became of it since. */
static bool is_ours(const struct store_oracle *a, const struct store_oracle *b)
{
	return a->began == b->began && a->loops >= b->loops && a->window_s == b->window_s &&
	       a->is_image == b->is_image && is_same(a->production, b->production) &&
	       is_same(a->hardened, b->hardened) && is_same(a->replay, b->replay);
}

/* Somebody began it anew. */
static void replace(struct oracle_machine *m, struct store_oracle *row)
{
	oracle_machine_stop(m);
	store_oracle_done(&m->row);
	m->row = *row;
	*row = (struct store_oracle){ 0 };
	m->engine = oracle_engine_of(m->row.production, NULL) ?: m->engine;
	m->resumed = m->asked = m->drained = true;
	m->unsaved = m->gone = false;
}

static int take_row(struct oracles *all, struct store_oracle *row)
{
	struct oracle_machine *m = find(all, row->workload);

	if (!m)
		return add(all, row);
	m->gone = false;
	if (!is_ours(&m->row, row))
		replace(m, row);
	m->row.per_hour = row->per_hour;
	return 0;
}

int oracle_load(struct oracles *all)
{
	struct store_oracle *rows = NULL;
	size_t cnt = 0;
	int r = store_oracles(all->o.store, &rows, &cnt);

	for (size_t i = 0; r == 0 && i < all->cnt; i++)
		all->machine[i].gone = true;
	for (size_t i = 0; i < cnt; i++) {
		if (r == 0)
			r = take_row(all, &rows[i]);
		store_oracle_done(&rows[i]);
	}
	free(rows);
	return r;
}

int oracle_write(struct store *s, struct store_oracle *o)
{
	_oracle_ struct store_oracle there = { 0 };
	int r = store_oracle_get(s, o->workload, &there);

	/* A row that is no more, or another one now, isn't written over: the next look has it. */
	if (r == -ENOENT || (r == 0 && !is_ours(o, &there)))
		return 0;
	if (r < 0)
		return r;
	o->per_hour = there.per_hour; /* its end may have been asked for */
	return store_oracle_set(s, o);
}

int oracle_save(struct oracles *all, struct oracle_machine *m, int64_t loop_began)
{
	struct store *s = all->o.store;
	int r;

	m->unsaved = false;
	r = store_begin(s);
	if (r == 0)
		r = oracle_write(s, &m->row);
	if (r == 0 && loop_began && !m->gone)
		r = store_oracle_loop_began(s, m->row.workload, loop_began);
	if (r == 0)
		r = store_commit(s);
	if (r < 0) {
		store_rollback(s);
		m->unsaved = true;
	}
	return r;
}

int oracle_drop(struct oracles *all, size_t i)
{
	struct oracle_machine *m = &all->machine[i];
	struct store *s = all->o.store;
	int r = m->gone ? 0 : store_begin(s);

	if (r == 0 && !m->gone)
		r = store_oracle_remove(s, m->row.workload);
	if (r == 0 && !m->gone)
		r = store_commit(s);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	oracle_say(all, false, m, "its oracle is gone; it goes on under what was learned");
	(void)oracle_forget_twin(s, m);
	oracle_machine_done(m);
	all->machine[i] = all->machine[--all->cnt];
	return 0;
}
