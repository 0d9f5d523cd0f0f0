/* SPDX-License-Identifier: Apache-2.0 */
/* Oracles, what they said, and how often they were asked. */
#include <errno.h>
#include <string.h>

#include "policy/oracles.h"
#include "policy/store_internal.h"

static const char *const states[] = {
	[ORACLE_WATCH] = "watching",
	[ORACLE_STOP] = "stopping production",
	[ORACLE_TWIN] = "starting twin",
	[ORACLE_WINDOW] = "watching twin",
	[ORACLE_UNTWIN] = "stopping twin",
	[ORACLE_JUDGE] = "judging",
	[ORACLE_START] = "starting production",
	[ORACLE_REST] = "resting",
};
_Static_assert(ARRAY_SIZE(states) == ORACLE_STATE_MAX, "a name for each state");

const char *oracle_state_name(enum oracle_state s)
{
	return (unsigned)s < ORACLE_STATE_MAX ? states[s] : "?";
}

void store_oracle_done(struct store_oracle *o)
{
	free(o->production);
	free(o->hardened);
	free(o->replay);
	free(o->why);
	memset(o, 0, sizeof(*o));
}

static bool in_range(const struct store_oracle *o)
{
	return o->production && o->hardened && (unsigned)o->state < ORACLE_STATE_MAX &&
	       (unsigned)o->abi < TAMIS_ABI_MAX && o->nr <= TAMIS_CALLS;
}

int store_oracle_set(struct store *s, const struct store_oracle *o)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (!in_range(o))
		return store_fail(s, -EINVAL, "an oracle without a twin, or out of range");
	return store_run(s, SQL_ORACLE_SET, "issisiiiiiiiiiiiiiiiis", o->workload, o->production,
			 o->hardened, (int64_t)o->is_image, o->replay, (int64_t)o->window_s,
			 (int64_t)o->bootstrap, (int64_t)o->by_rule, (int64_t)o->per_hour,
			 (int64_t)o->state, o->since, o->deadline, (int64_t)o->tries,
			 (int64_t)o->abi, (int64_t)o->nr, (int64_t)o->loops, (int64_t)o->learned,
			 (int64_t)o->rejected, (int64_t)o->saved, (int64_t)o->failures, o->began,
			 o->why);
}

/* --- reading ----------------------------------------------------------------------------- */

static int read_texts(struct store *s, sqlite3_stmt *stmt, struct store_oracle *o)
{
	int r = store_column_text(stmt, 1, &o->production);

	if (r == 0)
		r = store_column_text(stmt, 2, &o->hardened);
	if (r == 0)
		r = store_column_text(stmt, 4, &o->replay);
	if (r == 0)
		r = store_column_text(stmt, 21, &o->why);
	if (r == 0 && (!o->production || !o->hardened))
		r = store_fail(s, -EUCLEAN, "an oracle without a twin");
	return r;
}

static int read_counts(struct store *s, sqlite3_stmt *stmt, struct store_oracle *o)
{
	const struct {
		int col;
		uint32_t *to;
	} count[] = {
		{ 5, &o->window_s }, { 8, &o->per_hour },  { 12, &o->tries }, { 15, &o->loops },
		{ 16, &o->learned }, { 17, &o->rejected }, { 18, &o->saved }, { 19, &o->failures },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(count); i++) {
		int64_t value = 0;

		r = store_column_upto(s, stmt, count[i].col, UINT32_MAX, &value);
		*count[i].to = (uint32_t)value;
	}
	return r;
}

static int read_state(struct store *s, sqlite3_stmt *stmt, struct store_oracle *o)
{
	int64_t state = 0, nr = 0;
	int r = store_column_upto(s, stmt, 9, ORACLE_STATE_MAX - 1, &state);

	if (r == 0)
		r = store_column_abi(s, stmt, 13, &o->abi);
	if (r == 0)
		r = store_column_upto(s, stmt, 14, TAMIS_CALLS, &nr);
	o->state = (enum oracle_state)state;
	o->nr = (uint32_t)nr;
	o->workload = sqlite3_column_int64(stmt, 0);
	o->is_image = sqlite3_column_int(stmt, 3) != 0;
	o->bootstrap = sqlite3_column_int(stmt, 6) != 0;
	o->by_rule = sqlite3_column_int(stmt, 7) != 0;
	o->since = sqlite3_column_int64(stmt, 10);
	o->deadline = sqlite3_column_int64(stmt, 11);
	o->began = sqlite3_column_int64(stmt, 20);
	return r;
}

static int read_oracle(struct store *s, sqlite3_stmt *stmt, struct store_oracle *ret)
{
	_oracle_ struct store_oracle o = { 0 };
	int r = read_texts(s, stmt, &o);

	if (r == 0)
		r = read_counts(s, stmt, &o);
	if (r == 0)
		r = read_state(s, stmt, &o);
	if (r < 0)
		return r;
	*ret = o;
	memset(&o, 0, sizeof(o));
	return 0;
}

int store_oracle_get(struct store *s, int64_t workload, struct store_oracle *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_ORACLE_GET, &stmt, "i", workload);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "no oracle decides on it");
	return r < 0 ? r : read_oracle(s, stmt, ret);
}

int store_oracle_remove(struct store *s, int64_t workload)
{
	int r = store_need_transaction(s);

	return r < 0 ? r : store_run(s, SQL_ORACLE_DEL, "i", workload);
}

int store_oracles(struct store *s, struct store_oracle **ret, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct store_oracle *list = NULL;
	size_t cnt = 0;
	int r = store_query(s, SQL_ORACLE_ALL, &stmt, "");

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_oracle *more = reallocarray(list, cnt + 1, sizeof(*list));

		r = more ? 0 : -ENOMEM;
		list = more ? more : list;
		if (r == 0)
			r = read_oracle(s, stmt, &list[cnt]);
		cnt += r == 0;
	}
	if (r < 0) {
		for (size_t i = 0; i < cnt; i++)
			store_oracle_done(&list[i]);
		free(list);
		return r;
	}
	*ret = list;
	*ret_cnt = cnt;
	return 0;
}

/* --- what it said ------------------------------------------------------------------------ */

int store_oracle_call(struct store *s, int64_t workload, const struct store_oracle_call *c)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)c->abi >= TAMIS_ABI_MAX || c->nr >= TAMIS_CALLS)
		return store_fail(s, -EINVAL, "an oracle's word of an unknown call");
	return store_run(s, SQL_ORACLE_CALL_SET, "iiiiiis", workload, (int64_t)c->abi,
			 (int64_t)c->nr, (int64_t)c->rejected, c->at, (int64_t)c->loop, c->report);
}

static int read_oracle_call(struct store *s, sqlite3_stmt *stmt, struct store_oracle_call *ret)
{
	struct store_oracle_call c = { .rejected = sqlite3_column_int(stmt, 2) != 0,
				       .at = sqlite3_column_int64(stmt, 3) };
	int64_t nr = 0, loop = 0;
	int r = store_column_abi(s, stmt, 0, &c.abi);

	if (r == 0)
		r = store_column_upto(s, stmt, 1, TAMIS_CALLS - 1, &nr);
	if (r == 0)
		r = store_column_upto(s, stmt, 4, UINT32_MAX, &loop);
	if (r == 0)
		r = store_column_text(stmt, 5, &c.report);
	if (r < 0)
		return r;
	c.nr = (uint32_t)nr;
	c.loop = (uint32_t)loop;
	*ret = c;
	return 0;
}

int store_oracle_calls(struct store *s, int64_t workload, struct store_oracle_call **ret,
		       size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct store_oracle_call *list = NULL;
	size_t cnt = 0;
	int r = store_query(s, SQL_ORACLE_CALL_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_oracle_call *more = reallocarray(list, cnt + 1, sizeof(*list));

		r = more ? 0 : -ENOMEM;
		list = more ? more : list;
		if (r == 0)
			r = read_oracle_call(s, stmt, &list[cnt]);
		cnt += r == 0;
	}
	if (r < 0) {
		for (size_t i = 0; i < cnt; i++)
			free(list[i].report);
		free(list);
		return r;
	}
	*ret = list;
	*ret_cnt = cnt;
	return 0;
}

/* --- how often --------------------------------------------------------------------------- */

int store_oracle_loops_since(struct store *s, int64_t workload, int64_t since, uint32_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t cnt = 0;
	int r = store_query(s, SQL_ORACLE_LOOP_COUNT, &stmt, "ii", workload, since);

	if (r == 0)
		r = store_step(s, stmt);
	if (r > 0)
		r = store_column_upto(s, stmt, 0, UINT32_MAX, &cnt);
	if (r == 0)
		*ret = (uint32_t)cnt;
	return r;
}

int store_oracle_loop_began(struct store *s, int64_t workload, int64_t now)
{
	int r = store_need_transaction(s);

	if (r == 0)
		r = store_run(s, SQL_ORACLE_LOOP_TRIM, "ii", workload, now);
	return r < 0 ? r : store_run(s, SQL_ORACLE_LOOP_ADD, "ii", workload, now);
}
