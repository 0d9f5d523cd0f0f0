/* SPDX-License-Identifier: Apache-2.0 */
/* When each call of a workload was made, and by how many of its containers. */
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

static int read_instances(struct store *s, int64_t workload, struct store_sightings *seen)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_replica *i;

		r = instances_room(seen);
		if (r < 0)
			break;
		i = &seen->instance[seen->cnt];
		i->id = sqlite3_column_int64(stmt, 0);
		r = store_column_text(stmt, 1, &i->container);
		seen->cnt += r == 0;
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
		      int64_t instance, int index)
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

/* A row of SQL_INSTANCE_SETS. */
static int add_row(struct store *s, sqlite3_stmt *stmt, int index, struct store_sightings *seen,
		   struct learned *container)
{
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
	sysset_merge(&container->set[stage][abi], &calls);
	add_times(seen->at[stage][abi], &calls, sqlite3_column_int64(stmt, 3),
		  seen->instance[index].id, index);
	return 0;
}

static int add_instance(struct store *s, int index, struct store_sightings *seen,
			struct learned *container)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_INSTANCE_SETS, &stmt, "i", seen->instance[index].id);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_row(s, stmt, index, seen, container);
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

/* A container that restarts has an instance for each time; they are beside one another. One
 * without an id stands for itself. */
static bool ends_container(const struct store_sightings *seen, size_t index)
{
	const char *this = seen->instance[index].container;
	const char *next = index + 1 < seen->cnt ? seen->instance[index + 1].container : NULL;

	return !this || !next || strcmp(this, next) != 0;
}

int store_sightings(struct store *s, int64_t workload, struct store_sightings *ret)
{
	struct learned container = { 0 };
	int r = read_instances(s, workload, ret);

	for (size_t i = 0; r == 0 && i < ret->cnt; i++) {
		r = add_instance(s, (int)i, ret, &container);
		if (r == 0 && ends_container(ret, i)) {
			count_container(&container, ret);
			memset(&container, 0, sizeof(container));
		}
	}
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
