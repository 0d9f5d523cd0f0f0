/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations: written once, row by row, and read back whole. What is read must have the digest it
 * was given when it was made.
 */
#include <errno.h>
#include <string.h>

#include "policy/generations.h"
#include "policy/store_internal.h"

/* --- in ---------------------------------------------------------------------------------- */

static int64_t as_int(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* 1: there is one. */
static int get_newest(struct store *s, int64_t workload, const char *digest, uint32_t *ret_number,
		      bool *ret_same)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	const char *text;
	int64_t number = 0;
	int r = store_query(s, SQL_GENERATION_NEWEST, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r <= 0)
		return r;
	r = store_column_upto(s, stmt, 0, UINT32_MAX - 1, &number);
	if (r < 0)
		return r;
	text = (const char *)sqlite3_column_text(stmt, 1);
	*ret_number = (uint32_t)number;
	*ret_same = text && strcmp(text, digest) == 0;
	return 1;
}

static int add_row(struct store *s, int64_t workload, const struct generation *g)
{
	const struct evidence *e = &g->evidence;

	return store_run(s, SQL_GENERATION_ADD, "iiissiisiiiiiiiiii", workload, (int64_t)g->number,
			 g->created, g->maker, g->digest, (int64_t)g->descendants,
			 (int64_t)g->state, g->failed, as_int(e->starts), e->since, e->last,
			 as_int(e->units), as_int(e->lost_range), as_int(e->lost_full),
			 as_int(e->lost_ring), as_int(e->lost_task), as_int(e->lost_gaps),
			 as_int(e->leaves));
}

static int add_sets(struct store *s, int64_t workload, const struct generation *g)
{
	int r = 0;

	for (int i = 0; r == 0 && i < TAMIS_STAGE_MAX * TAMIS_ABI_MAX; i++) {
		int stage = i / TAMIS_ABI_MAX, abi = i % TAMIS_ABI_MAX;
		const struct sysset *set = &g->learned.set[stage][abi];

		if (!sysset_is_empty(set))
			r = store_run(s, SQL_GENERATION_ADD_SET, "iiiib", workload,
				      (int64_t)g->number, (int64_t)stage, (int64_t)abi, set);
	}
	for (int abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *eperm = &g->denied_eperm[abi];

		if (!sysset_is_empty(&g->denied[abi]))
			r = store_run(s, SQL_GENERATION_ADD_DENIED, "iiibb", workload,
				      (int64_t)g->number, (int64_t)abi, &g->denied[abi],
				      sysset_is_empty(eperm) ? NULL : eperm);
	}
	return r;
}

static int add_images(struct store *s, int64_t workload, const struct generation *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->image_cnt; i++)
		r = store_run(s, SQL_GENERATION_ADD_IMAGE, "iis", workload, (int64_t)g->number,
			      g->image[i]);
	return r;
}

static int add_whole(struct store *s, int64_t workload, const struct generation *g)
{
	int r = add_row(s, workload, g);

	if (r == 0)
		r = add_sets(s, workload, g);
	return r < 0 ? r : add_images(s, workload, g);
}

/* A start with an image that a generation doesn't know isn't put under it. */
static int knows_images(struct store *s, int64_t workload, uint32_t number,
			const struct generation *g, bool *ret)
{
	_generation_ struct generation old = { 0 };
	int r = store_generation_get(s, workload, number, &old);

	if (r < 0)
		return r;
	*ret = true;
	for (size_t i = 0; i < g->image_cnt; i++)
		*ret &= generation_has_image(&old, g->image[i]);
	return 0;
}

int store_generation_add(struct store *s, int64_t workload, struct generation *g)
{
	uint32_t newest = 0;
	bool same = false;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)g->state >= GENERATION_STATE_MAX || g->image_cnt > GENERATION_IMAGES_MAX)
		return store_fail(s, -EINVAL,
				  "a generation of an unknown state, or of too many "
				  "images");
	r = generation_digest(g);
	if (r == 0)
		r = get_newest(s, workload, g->digest, &newest, &same);
	if (r >= 0 && same)
		r = knows_images(s, workload, newest, g, &same);
	if (r < 0)
		return r;
	g->number = same ? newest : newest + 1;
	return same ? 1 : add_whole(s, workload, g);
}

int store_generation_state(struct store *s, int64_t workload, uint32_t number,
			   enum generation_state state, const char *failed)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)state >= GENERATION_STATE_MAX || (failed && state != GENERATION_FAILED))
		return store_fail(s, -EINVAL, "a generation's state out of range");
	r = store_run(s, SQL_GENERATION_STATE, "iiis", workload, (int64_t)number, (int64_t)state,
		      failed);
	if (r == 0 && sqlite3_changes(s->db) == 0)
		return store_fail(s, -ENOENT, "no such generation");
	return r;
}

/* --- out --------------------------------------------------------------------------------- */

static int read_texts(struct store *s, sqlite3_stmt *stmt, struct generation *g)
{
	const char *digest = (const char *)sqlite3_column_text(stmt, 2);
	int64_t state = 0;
	int r = store_column_upto(s, stmt, 4, GENERATION_STATE_MAX - 1, &state);

	if (r < 0)
		return r;
	if (!digest || strlen(digest) >= sizeof(g->digest))
		return store_fail(s, -EUCLEAN, "a generation's digest is too long");
	memcpy(g->digest, digest, strlen(digest) + 1);
	r = store_column_text(stmt, 1, &g->maker);
	if (r == 0)
		r = store_column_text(stmt, 5, &g->failed);
	g->state = (enum generation_state)state;
	return r;
}

/* 1 when it is there. */
static int read_whole_row(struct store *s, int64_t workload, struct generation *g)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct evidence *e = &g->evidence;
	uint64_t *const counts[] = { &e->units,	    &e->lost_range, &e->lost_full, &e->lost_ring,
				     &e->lost_task, &e->lost_gaps,  &e->leaves };
	int r = store_query(s, SQL_GENERATION_GET, &stmt, "ii", workload, (int64_t)g->number);

	if (r == 0)
		r = store_step(s, stmt);
	if (r <= 0)
		return r;
	g->created = sqlite3_column_int64(stmt, 0);
	g->descendants = sqlite3_column_int(stmt, 3) != 0;
	e->starts = store_column_u64(stmt, 6);
	e->since = sqlite3_column_int64(stmt, 7);
	e->last = sqlite3_column_int64(stmt, 8);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		*counts[i] = store_column_u64(stmt, (int)i + 9);
	r = read_texts(s, stmt, g);
	return r < 0 ? r : 1;
}

static int read_sets(struct store *s, int64_t workload, struct generation *g)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_GENERATION_SETS, &stmt, "ii", workload, (int64_t)g->number);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		enum tamis_stage stage = 0;
		enum tamis_abi abi = 0;

		r = store_column_stage(s, stmt, 0, &stage);
		if (r == 0)
			r = store_column_abi(s, stmt, 1, &abi);
		if (r == 0)
			r = store_column_set(s, stmt, 2, &g->learned.set[stage][abi]);
	}
	return r;
}

static int read_denied(struct store *s, int64_t workload, struct generation *g)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_GENERATION_DENIED, &stmt, "ii", workload, (int64_t)g->number);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		enum tamis_abi abi = 0;

		r = store_column_abi(s, stmt, 0, &abi);
		if (r == 0)
			r = store_column_set(s, stmt, 1, &g->denied[abi]);
		if (r == 0 && sqlite3_column_type(stmt, 2) != SQLITE_NULL)
			r = store_column_set(s, stmt, 2, &g->denied_eperm[abi]);
	}
	return r;
}

static int read_images(struct store *s, int64_t workload, struct generation *g)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_GENERATION_IMAGES, &stmt, "ii", workload, (int64_t)g->number);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		const char *digest = (const char *)sqlite3_column_text(stmt, 0);

		r = digest ? generation_add_image(g, digest) : -EUCLEAN;
		if (r == -E2BIG || r == -EUCLEAN)
			r = store_fail(s, -EUCLEAN, "a generation of too many images");
	}
	return r;
}

/* Whether it is what was made. */
static int check_digest(struct store *s, struct generation *g)
{
	char digest[GENERATION_DIGEST_MAX];
	int r;

	memcpy(digest, g->digest, sizeof(digest));
	r = generation_digest(g);
	if (r == 0 && strcmp(digest, g->digest) != 0)
		return store_fail(s, -EUCLEAN, "generation %u isn't what was made", g->number);
	return r;
}

static int read_generation(struct store *s, int64_t workload, struct generation *g)
{
	int r = read_whole_row(s, workload, g);

	if (r == 0)
		return store_fail(s, -ENOENT, "no such generation");
	if (r > 0)
		r = read_sets(s, workload, g);
	if (r == 0)
		r = read_denied(s, workload, g);
	if (r == 0)
		r = read_images(s, workload, g);
	return r < 0 ? r : check_digest(s, g);
}

int store_generation_get(struct store *s, int64_t workload, uint32_t number, struct generation *ret)
{
	_generation_ struct generation g = { .number = number };
	int r = read_generation(s, workload, &g);

	if (r < 0)
		return r;
	generation_done(ret);
	*ret = g;
	g = (struct generation){ 0 };
	return 0;
}

/* --- all of them ------------------------------------------------------------------------- */

struct numbers {
	uint32_t *number;
	size_t cnt, room;
};

static int add_number(struct store *s, sqlite3_stmt *stmt, struct numbers *n)
{
	size_t room = n->room ? n->room * 2 : 16;
	uint32_t *more;
	int64_t number = 0;
	int r = store_column_upto(s, stmt, 0, UINT32_MAX, &number);

	if (r < 0)
		return r;
	if (n->cnt == n->room) {
		more = reallocarray(n->number, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		n->number = more;
		n->room = room;
	}
	n->number[n->cnt++] = (uint32_t)number;
	return 0;
}

static int read_numbers(struct store *s, int64_t workload, struct numbers *n)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_GENERATION_NUMBERS, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_number(s, stmt, n);
	return r;
}

int store_generations(struct store *s, int64_t workload, struct generation **ret, size_t *ret_cnt)
{
	struct numbers n = { 0 };
	struct generation *all = NULL;
	size_t cnt = 0;
	int r = read_numbers(s, workload, &n);

	if (r == 0 && !(all = calloc(n.cnt + 1, sizeof(*all))))
		r = -ENOMEM;
	for (; r == 0 && cnt < n.cnt; cnt++)
		r = store_generation_get(s, workload, n.number[cnt], &all[cnt]);
	free(n.number);
	if (r == 0) {
		*ret = all;
		*ret_cnt = cnt;
		return 0;
	}
	while (cnt)
		generation_done(&all[--cnt]);
	free(all);
	return r;
}
