/* SPDX-License-Identifier: Apache-2.0 */
/* What runs. */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

void store_running_free(struct store_running *i, size_t cnt)
{
	for (size_t n = 0; n < cnt; n++) {
		free(i[n].key);
		free(i[n].engine);
		free(i[n].container);
		free(i[n].path);
	}
	free(i);
}

static int read_running(sqlite3_stmt *stmt, struct store_running *i)
{
	int r = store_column_text(stmt, 1, &i->key);

	i->workload = sqlite3_column_int64(stmt, 0);
	if (r == 0)
		r = store_column_text(stmt, 2, &i->engine);
	if (r == 0)
		r = store_column_text(stmt, 3, &i->container);
	if (r == 0)
		r = store_column_text(stmt, 4, &i->path);
	return r == 0 && !i->key ? -EUCLEAN : r;
}

/* Grows by one, which is empty. */
static int grow(struct store_running **list, size_t cnt)
{
	struct store_running *more = reallocarray(*list, cnt + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[cnt] = (struct store_running){ 0 };
	return 0;
}

int store_running(struct store *s, struct store_running **ret, size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct store_running *list = NULL;
	size_t cnt = 0;
	int r = store_query(s, SQL_INSTANCE_RUNNING_ALL, &stmt, "");

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		r = grow(&list, cnt);
		if (r == 0)
			r = read_running(stmt, &list[cnt++]);
	}
	if (r < 0) {
		store_running_free(list, cnt);
		return r;
	}
	*ret = list;
	*ret_cnt = cnt;
	return 0;
}
