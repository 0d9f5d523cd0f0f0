/* SPDX-License-Identifier: Apache-2.0 */
/* When nobody watched, and who ran meanwhile. */
#include <errno.h>

#include "policy/mines.h"
#include "policy/store_internal.h"

int store_nap_add(struct store *s, const struct nap *nap)
{
	int64_t old = nap->ended - STORE_NAP_FOLD_S;
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if (nap->began > nap->ended || nap->slept_ms < 0)
		return store_fail(s, -EINVAL, "a nap that ends before it begins");
	r = store_run(s, SQL_NAP_ADD, "iii", nap->began, nap->ended, nap->slept_ms);
	/* whole days alone: what is folded isn't folded into again */
	old -= old % 86400;
	if (r == 0)
		r = store_run(s, SQL_NAP_FOLD, "i", old);
	return r < 0 ? r : store_run(s, SQL_NAP_DEL_FOLDED, "i", old);
}

static int add_nap(struct store *s, sqlite3_stmt *stmt, struct naps *into)
{
	struct nap *more = reallocarray(into->nap, into->cnt + 1, sizeof(*more)), n;
	int r;

	if (!more)
		return -ENOMEM;
	into->nap = more;
	n = (struct nap){ .began = sqlite3_column_int64(stmt, 0),
			  .ended = sqlite3_column_int64(stmt, 1) };
	r = store_column_upto(s, stmt, 2, INT64_MAX, &n.slept_ms);
	more[into->cnt++] = n;
	return r;
}

int store_naps(struct store *s, struct naps *ret)
{
	_naps_ struct naps all = { 0 };
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_NAP_ALL, &stmt, "");

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_nap(s, stmt, &all);
	if (r < 0)
		return r;
	*ret = all;
	all = (struct naps){ 0 };
	return 0;
}

int store_lives(struct store *s, int64_t workload, int64_t now, struct store_life **ret,
		size_t *ret_cnt)
{
	_free_ struct store_life *all = NULL;
	_stmt_ sqlite3_stmt *stmt = NULL;
	size_t cnt = 0;
	int r = store_query(s, SQL_LIFE_ALL, &stmt, "ii", workload, now);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_life *more = reallocarray(all, cnt + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		all = more;
		more[cnt++] = (struct store_life){ sqlite3_column_int64(stmt, 0),
						   sqlite3_column_int64(stmt, 1) };
		r = 0;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(all);
	*ret_cnt = cnt;
	return 0;
}
