/* SPDX-License-Identifier: Apache-2.0 */
/* How far the kernel's counts of refused calls are in the store. */
#include <errno.h>
#include <string.h>

#include "policy/denials.h"
#include "policy/store_internal.h"

static int read_counted(struct store *s, sqlite3_stmt *stmt, struct store_counted *ret)
{
	struct store_counted c = { .cgroup = (uint64_t)sqlite3_column_int64(stmt, 0),
				   .first_ms = store_column_u64(stmt, 3),
				   .count = store_column_u64(stmt, 4) };
	int64_t nr = 0;
	int r = store_column_abi(s, stmt, 1, &c.abi);

	if (r == 0)
		r = store_column_upto(s, stmt, 2, TAMIS_CALLS, &nr);
	c.nr = (uint32_t)nr;
	if (r == 0)
		*ret = c;
	return r;
}

int store_counted(struct store *s, const char *boot, struct store_counted **ret, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	_free_ struct store_counted *list = NULL;
	size_t cnt = 0, room = 0;
	int r = store_query(s, SQL_COUNTED_ALL, &stmt, "s", boot);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		struct store_counted *more = list;

		if (cnt == room)
			more = reallocarray(list, room = room * 2 + 64, sizeof(*list));
		if (!more)
			return -ENOMEM;
		list = more;
		r = read_counted(s, stmt, &list[cnt]);
		cnt += r == 0;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	*ret_cnt = cnt;
	return 0;
}

int store_counted_set(struct store *s, const char *boot, const struct store_counted *c)
{
	int r = store_need_transaction(s);

	if (r == 0)
		r = store_run(s, SQL_COUNTED_DEL_OTHERS, "s", boot);
	return r < 0 ? r
		     : store_run(s, SQL_COUNTED_SET, "siiiii", boot, (int64_t)c->cgroup,
				 (int64_t)c->abi, (int64_t)c->nr, store_int(c->first_ms),
				 store_int(c->count));
}

int store_counted_remove(struct store *s, const char *boot, const struct store_counted *c)
{
	int r = store_need_transaction(s);

	return r < 0 ? r
		     : store_run(s, SQL_COUNTED_DEL, "siii", boot, (int64_t)c->cgroup,
				 (int64_t)c->abi, (int64_t)c->nr);
}
