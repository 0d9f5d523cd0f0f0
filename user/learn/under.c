/* SPDX-License-Identifier: Apache-2.0 */
#define HASH_NONFATAL_OOM	 1
#define uthash_nonfatal_oom(elt) ((elt)->hh.tbl = NULL)

#include "learn/under.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "apply/note.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/aliases.h"
#include "learn/under_internal.h"
#include "policy/generations.h"

CLEANUP_DEFINE(struct under *, under_free);

/* One that runs, or did lately: what its processes were refused is read after their end. */
struct row {
	char *name;	 /* of container and key, by which it is found */
	char *key;	 /* of its workload in the store */
	char *container; /* "": none, or not known */
	char *path;	 /* below the mount; NULL: not known */
	enum policy_mode mode;
	uint32_t generation;
	int64_t began_ms; /* CLOCK_BOOTTIME; a moment that it was seen running at, if not known */
	int64_t ended_ms; /* 0: it runs */
	bool seen;	  /* by the look under way */
	bool missed;	  /* by the last one */
	unsigned asked;	  /* which state of the notes it was last compared with */
	UT_hash_handle hh;
};

struct under {
	char *state, *mount;
	struct row *row; /* a hash by name */
	struct aliases alias;
	struct stat notes; /* STATE/started as it was last seen, */
	unsigned changes;  /* and how often it was another */
};

static void row_free(struct row *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->key);
	free(r->container);
	free(r->path);
	free(r);
}
CLEANUP_DEFINE(struct row *, row_free);

static void drop_row(struct under *u, struct row *r)
{
	HASH_DEL(u->row, r);
	row_free(r);
}

int under_new(const char *state, struct under **ret)
{
	_cleanup_(under_free) struct under *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->state = strdup(state);
	if (!u->state)
		return -ENOMEM;
	/* without one there is nothing to find */
	(void)cgroups_find(&u->mount);
	*ret = TAKE_PTR(u);
	return 0;
}

void under_free(struct under *u)
{
	if (!u)
		return;
	while (u->row)
		drop_row(u, u->row);
	aliases_done(&u->alias);
	free(u->state);
	free(u->mount);
	free(u);
}

/* --- names ------------------------------------------------------------------------------- */

/* NULL when out of memory; caller frees. */
static char *row_name(const char *key, const char *container)
{
	return text_format("%zu:%s%s", strlen(container ?: ""), container ?: "", key);
}

/* NULL too when there is no memory to look for it. */
static struct row *find(const struct under *u, const char *key, const char *container)
{
	_free_ char *name = row_name(aliases_key(&u->alias, key), container);
	struct row *row = NULL;

	if (name)
		HASH_FIND_STR(u->row, name, row);
	return row;
}

/* --- what it is under --------------------------------------------------------------------- */

struct verdict {
	enum policy_mode mode;
	uint32_t generation;
	int64_t began_ms;
};

/* What was noted of a start before `after_ms`, or in another boot, is of an earlier life. */
static int ask_note(const struct under *u, const char *key, const char *container, int64_t after_ms,
		    struct verdict *v)
{
	struct started s = { 0 };
	int r = started_find(u->state, key, container, &s);
	int64_t began = note_now_ms() - s.began_ms;

	if (r < 0)
		return r;
	if (s.began_ms < 0 || began < after_ms)
		return -ENOENT;
	*v = (struct verdict){ s.mode, s.generation, began };
	return 0;
}

/* A drop-in is in force from the next start on. With `seen` that start was seen just now. */
static int ask_applied(const struct under *u, struct store *s, const struct store_row *row,
		       const char *path, bool seen, struct verdict *v)
{
	struct store_applied is = { 0 };
	int r = store_applied_get(s, row->id, &is), filtered;

	if (r < 0 || is.mode != MODE_ENFORCE)
		return r;
	filtered = path ? under_is_filtered(u->mount, path, is.since) : -ESRCH;
	if (filtered == 0 || (filtered < 0 && !seen))
		return 0;
	v->generation = row->generation_state == GENERATION_FAILED ? is.good : is.generation;
	v->mode = v->generation ? MODE_ENFORCE : MODE_OBSERVE;
	return 0;
}

/* Whose keys start paths know: that of the engine, which may be an alias. */
static int ask_notes(const struct under *u, struct store *s, const struct store_row *row,
		     const char *container, int64_t after_ms, struct verdict *v)
{
	char **alias = NULL;
	size_t cnt = 0;
	int r = ask_note(u, row->key, container, after_ms, v);

	if (r == -ENOENT)
		r = store_aliases(s, row->id, &alias, &cnt) ?: -ENOENT;
	for (size_t i = 0; i < cnt; i++) {
		if (r == -ENOENT)
			r = ask_note(u, alias[i], container, after_ms, v);
		free(alias[i]);
	}
	free(alias);
	return r == -ENOENT ? 0 : r;
}

/* --- rows -------------------------------------------------------------------------------- */

static int add_row(struct under *u, const char *key, const char *container, struct row **ret)
{
	_cleanup_(row_free) struct row *row = calloc(1, sizeof(*row));

	if (!row)
		return -ENOMEM;
	row->name = row_name(key, container);
	row->key = strdup(key);
	row->container = strdup(container ?: "");
	if (!row->name || !row->key || !row->container)
		return -ENOMEM;
	HASH_ADD_KEYPTR(hh, u->row, row->name, strlen(row->name), row);
	if (!row->hh.tbl)
		return -ENOMEM;
	*ret = TAKE_PTR(row);
	return 0;
}

static int put_row(struct under *u, const struct store_row *row, const char *container,
		   const char *path, const struct verdict *v)
{
	struct row *at = find(u, row->key, container);
	char *copy = path ? strdup(path) : NULL;
	int r = at ? 0 : add_row(u, row->key, container, &at);

	if (r < 0 || (path && !copy)) {
		free(copy);
		return -ENOMEM;
	}
	free(at->path);
	at->path = copy;
	at->mode = v->mode;
	at->generation = v->generation;
	at->began_ms = v->began_ms;
	at->ended_ms = 0;
	at->seen = true;
	at->missed = false;
	return 0;
}

/* In doubt it is under the engine's own. */
static int note_one(struct under *u, struct store *s, const struct store_row *row,
		    const char *container, const char *path, bool seen)
{
	const struct row *old = find(u, row->key, container);
	struct verdict v = { .mode = MODE_OBSERVE, .began_ms = note_now_ms() };
	int r = container && container[0]
			? ask_notes(u, s, row, container, old ? old->ended_ms : 0, &v)
			: ask_applied(u, s, row, path, seen, &v);
	int put = put_row(u, row, container, path, &v);

	return put < 0 ? put : r;
}

/* --- what is told ------------------------------------------------------------------------ */

int under_started(struct under *u, struct store *s, const struct observed_start *e)
{
	struct store_row row = { 0 };
	int64_t id;
	int r = store_workload_id(s, e->key, &id);

	if (r == 0)
		r = store_find(s, e->key, &row, NULL);
	if (r != 0)
		return r == -ENOENT ? 0 : r;
	r = strcmp(row.key, e->key) ? aliases_add(&u->alias, e->key, row.key) : 0;
	if (r == 0)
		r = note_one(u, s, &row, e->container, e->cgroup, true);
	store_row_done(&row);
	return r;
}

/* It stays until a look: its cgroup may have more processes, and there may be denials to come. */
void under_ended(struct under *u, const struct observed_exit *e)
{
	struct row *row = e->entrypoint ? find(u, e->key, e->container) : NULL;

	/* the end of an earlier life is told after the start of this one */
	if (row && row->container[0] && e->at_ms >= row->began_ms)
		row->ended_ms = e->at_ms;
}

/* --- looking ----------------------------------------------------------------------------- */

static int look_at_aliases(struct under *u, struct store *s, const struct store_running *i)
{
	char **alias = NULL;
	size_t cnt = 0;
	int r = store_aliases(s, i->workload, &alias, &cnt);

	for (size_t n = 0; n < cnt; n++) {
		if (r == 0)
			r = aliases_add(&u->alias, alias[n], i->key);
		free(alias[n]);
	}
	free(alias);
	return r;
}

static int look_at(struct under *u, struct store *s, const struct store_running *i)
{
	struct store_row row = { 0 };
	struct row *known;
	int r = look_at_aliases(u, s, i);

	known = r == 0 ? find(u, i->key, i->container) : NULL;
	if (known)
		known->seen = true;
	if (r < 0 || known)
		return r;
	r = store_find(s, i->key, &row, NULL);
	if (r == 0)
		r = note_one(u, s, &row, i->container, i->path, false);
	store_row_done(&row);
	return r == -ENOENT ? 0 : r;
}

/* What two looks missed is gone. */
static void drop_unseen(struct under *u)
{
	struct row *r, *next;

	HASH_ITER(hh, u->row, r, next)
	{
		if (!r->seen && r->missed) {
			drop_row(u, r);
			continue;
		}
		if (!r->seen && !r->ended_ms)
			r->ended_ms = note_now_ms();
		r->missed = !r->seen;
	}
}

int under_look(struct under *u, struct store *s)
{
	struct store_running *list = NULL;
	size_t cnt = 0;
	int r = store_running(s, &list, &cnt), one;

	if (r < 0)
		return r;
	for (struct row *row = u->row; row; row = row->hh.next)
		row->seen = false;
	for (size_t i = 0; i < cnt; i++) {
		one = look_at(u, s, &list[i]);
		r = r < 0 ? r : one;
	}
	store_running_free(list, cnt);
	drop_unseen(u);
	return r;
}

/* --- asking ------------------------------------------------------------------------------ */

/* A start that isn't told yet has its note already. */
static unsigned notes_changes(struct under *u)
{
	_free_ char *path = text_format("%s/started", u->state);
	struct stat now = { 0 };

	if (!path || stat(path, &now) < 0)
		return u->changes;
	if (now.st_ino != u->notes.st_ino || now.st_size != u->notes.st_size ||
	    now.st_mtim.tv_sec != u->notes.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != u->notes.st_mtim.tv_nsec)
		u->changes++;
	u->notes = now;
	return u->changes;
}

/* A start is noted before it happens, and told a drain after its first calls. */
static void catch_up(struct under *u, const char *key, struct row *row)
{
	struct verdict v = { 0 };
	unsigned changes = notes_changes(u);

	if (row->asked == changes)
		return;
	row->asked = changes;
	if (ask_note(u, key, row->container, row->began_ms + 1, &v) < 0)
		return;
	row->mode = v.mode;
	row->generation = v.generation;
	row->began_ms = v.began_ms;
	if (row->ended_ms < v.began_ms)
		row->ended_ms = 0;
}

int under_find(struct under *u, const char *key, const char *container, struct under_row *ret)
{
	struct row *row = find(u, key, container);
	struct verdict v = { 0 };

	if (row && row->container[0])
		catch_up(u, key, row);
	if (row)
		v = (struct verdict){ row->mode, row->generation, row->began_ms };
	else if (!container || !container[0] || ask_note(u, key, container, 0, &v) < 0)
		return -ENOENT;
	*ret = (struct under_row){
		.key = key,
		.container = container,
		.mode = v.mode,
		.generation = v.generation,
		.began_ms = v.began_ms,
	};
	return 0;
}

static bool is_filtered(const struct row *r)
{
	return r->mode == MODE_ENFORCE || r->mode == MODE_PROBATION;
}

static bool runs_free(const struct under *u, const struct row *r)
{
	if (is_filtered(r))
		return false;
	return !r->ended_ms || !r->path || under_is_populated(u->mount, r->path);
}

bool under_all_filtered(const struct under *u)
{
	bool any = false;

	for (const struct row *row = u->row; row; row = row->hh.next) {
		if (runs_free(u, row))
			return false;
		any |= !row->ended_ms;
	}
	return any;
}

int under_each_free(const struct under *u, int (*fn)(const char *key, void *arg), void *arg)
{
	int r = 0;

	for (const struct row *row = u->row; row && r == 0; row = row->hh.next)
		if (runs_free(u, row))
			r = fn(row->key, arg);
	return r;
}
