/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each call of a workload was made, and by how many of its containers.
 *
 * Observations are kept by unit, so they are read by unit: instance by instance, each page of a
 * unit would be read again for each of them. At any unit only the instances between whose first
 * and last one it is are asked for, however many others there were.
 */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

void store_sightings_done(struct store_sightings *seen)
{
	for (size_t i = 0; i < seen->cnt; i++)
		free(seen->instance[i].container);
	free(seen->instance);
}

static int instances_room(struct store_sightings *seen)
{
	size_t room = seen->room ? seen->room * 2 : 16;
	struct store_replica *more;

	if (seen->cnt < seen->room)
		return 0;
	more = reallocarray(seen->instance, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	seen->instance = more;
	seen->room = room;
	return 0;
}

static int read_instance(sqlite3_stmt *stmt, struct store_sightings *seen)
{
	struct store_replica *i = &seen->instance[seen->cnt];
	int r = store_column_text(stmt, 1, &i->container);

	if (r < 0)
		return r;
	i->id = sqlite3_column_int64(stmt, 0);
	i->first = sqlite3_column_int64(stmt, 2);
	i->first_unit = sqlite3_column_int64(stmt, 3);
	i->last_unit = sqlite3_column_int64(stmt, 4);
	i->group = (size_t)sqlite3_column_int64(stmt, 5) - 1;
	i->is_source = sqlite3_column_int(stmt, 6) != 0;
	if (i->group >= seen->groups)
		seen->groups = i->group + 1;
	seen->cnt++;
	return 0;
}

static int read_instances(struct store *s, int64_t workload, struct store_sightings *seen)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		r = instances_room(seen);
		if (r == 0)
			r = read_instance(stmt, seen);
	}
	return r;
}

/* Of instances that made it at the same time, the one that was there first. */
static bool is_earlier(const struct store_seen *than, int64_t time, int64_t instance)
{
	if (than->first == 0 || time != than->first)
		return than->first == 0 || time < than->first;
	return instance < than->by;
}

static void add_times(struct store_seen *at, const struct sysset *calls, int64_t time,
		      int64_t instance, size_t index)
{
	for (int nr = sysset_next(calls, 0); nr >= 0; nr = sysset_next(calls, (unsigned)nr + 1)) {
		if (is_earlier(&at[nr], time, instance)) {
			at[nr].first = time;
			at[nr].by = instance;
			at[nr].by_index = index;
		}
		if (time > at[nr].last)
			at[nr].last = time;
	}
}

/* The units of a workload, one after the other. */
struct sweep {
	struct store_sightings *seen;
	struct learned *container; /* what each of them made, by group */
	size_t *active;		   /* instances that the unit may be of */
	size_t active_cnt, next;   /* next: instance that comes */
	int64_t unit, began;
};

static void sweep_done(struct sweep *w)
{
	free(w->container);
	free(w->active);
}

static int add_row(struct store *s, sqlite3_stmt *stmt, size_t index, struct sweep *w)
{
	const struct store_replica *i = &w->seen->instance[index];
	enum tamis_stage stage = 0;
	enum tamis_abi abi = 0;
	struct sysset calls;
	int r = store_column_stage(s, stmt, 0, &stage);

	if (r == 0)
		r = store_column_abi(s, stmt, 1, &abi);
	if (r == 0)
		r = store_column_set(s, stmt, 2, &calls);
	if (r < 0)
		return r;
	if (!i->is_source)
		sysset_merge(&w->container[i->group].set[stage][abi], &calls);
	add_times(w->seen->at[stage][abi], &calls, i->first > w->began ? i->first : w->began, i->id,
		  index);
	return 0;
}

static int add_instance(struct store *s, size_t index, struct sweep *w)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_OBSERVATION_ALL, &stmt, "ii", w->unit,
			    w->seen->instance[index].id);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_row(s, stmt, index, w);
	return r;
}

/* Those whose first unit came, but not those whose last one was. */
static void find_active(struct sweep *w)
{
	const struct store_replica *i = w->seen->instance;
	size_t left = 0;

	while (w->next < w->seen->cnt && i[w->next].first_unit <= w->unit)
		w->active[w->active_cnt++] = w->next++;
	for (size_t n = 0; n < w->active_cnt; n++) {
		if (i[w->active[n]].last_unit >= w->unit)
			w->active[left++] = w->active[n];
	}
	w->active_cnt = left;
}

static int sweep_units(struct store *s, int64_t workload, struct sweep *w)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_UNIT_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		r = 0;
		w->unit = sqlite3_column_int64(stmt, 0);
		w->began = sqlite3_column_int64(stmt, 1);
		find_active(w);
		for (size_t n = 0; r == 0 && n < w->active_cnt; n++)
			r = add_instance(s, w->active[n], w);
	}
	return r;
}

static void count_container(const struct learned *l, struct store_sightings *seen)
{
	for (int stage = 0; stage < TAMIS_STAGE_MAX; stage++) {
		for (int abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			const struct sysset *set = &l->set[stage][abi];

			for (int nr = sysset_next(set, 0); nr >= 0;
			     nr = sysset_next(set, (unsigned)nr + 1))
				seen->at[stage][abi][nr].replicas++;
		}
	}
}

int store_sightings(struct store *s, int64_t workload, struct store_sightings *ret)
{
	struct sweep w = { .seen = ret };
	int r = read_instances(s, workload, ret);

	if (r < 0)
		return r;
	w.container = calloc(ret->groups + 1, sizeof(*w.container));
	w.active = calloc(ret->cnt + 1, sizeof(*w.active));
	r = w.container && w.active ? sweep_units(s, workload, &w) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ret->groups; i++)
		count_container(&w.container[i], ret);
	sweep_done(&w);
	return r;
}

/* --- firsts ------------------------------------------------------------------------------ */

static int lower_set(struct store *s, int64_t workload, int stage, int abi,
		     const struct store_seen *at)
{
	int r = 0;

	for (unsigned nr = 0; r == 0 && nr < TAMIS_CALLS; nr++) {
		struct sysset one = { 0 };

		if (!at[nr].first)
			continue;
		sysset_add(&one, nr);
		r = store_run(s, SQL_CALL_LOWER, "iiibi", workload, (int64_t)stage, (int64_t)abi,
			      &one, at[nr].first);
	}
	return r;
}

static int lower_workload(struct store *s, int64_t workload, struct store_sightings *seen)
{
	int r = store_sightings(s, workload, seen);

	for (int stage = 0; r == 0 && stage < TAMIS_STAGE_MAX; stage++) {
		for (int abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
			r = lower_set(s, workload, stage, abi, seen->at[stage][abi]);
	}
	return r;
}

/* The id after `id`; 0: that was the last one. */
static int next_workload(struct store *s, int64_t id, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_WORKLOAD_NEXT, &stmt, "i", id);

	if (r == 0)
		r = store_step(s, stmt);
	*ret = r > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	return r < 0 ? r : 0;
}

int store_lower_firsts(struct store *s)
{
	int64_t id = 0;
	int r = next_workload(s, 0, &id);

	while (r == 0 && id) {
		struct store_sightings *seen = calloc(1, sizeof(*seen));

		if (!seen)
			return -ENOMEM;
		r = lower_workload(s, id, seen);
		store_sightings_done(seen);
		free(seen);
		if (r == 0)
			r = next_workload(s, id, &id);
	}
	return r;
}
