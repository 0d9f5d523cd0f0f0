/* SPDX-License-Identifier: Apache-2.0 */
/* Other names of a workload: of the containers inside of it, and keys that mean it too. */
#include <errno.h>
#include <string.h>

#include "policy/generations.h"
#include "policy/store_internal.h"

int store_inner(struct store *s, int64_t workload, const char *label, int64_t now)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	r = store_run(s, SQL_INNER_ADD, "isi", workload, label, now);
	if (r < 0 || sqlite3_changes(s->db) == 0)
		return r;
	return store_run(s, SQL_INNER_TRIM, "isi", workload, label, (int64_t)STORE_INNER_MAX);
}

struct texts {
	char **text;
	size_t cnt, room;
};

static void texts_done(struct texts *t)
{
	for (size_t i = 0; i < t->cnt; i++)
		free(t->text[i]);
	free(t->text);
}

static int add_text(struct texts *t, sqlite3_stmt *stmt)
{
	size_t room = t->room ? t->room * 2 : 16;
	char **more;
	int r;

	if (t->cnt == t->room) {
		more = reallocarray(t->text, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->text = more;
		t->room = room;
	}
	r = store_column_text(stmt, 0, &t->text[t->cnt]);
	if (r == 0 && !t->text[t->cnt])
		return -EUCLEAN;
	t->cnt += r == 0;
	return r;
}

int store_texts(struct store *s, enum store_sql which, int64_t workload, char ***ret,
		size_t *ret_cnt)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct texts texts = { 0 };
	int r = store_query(s, which, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = add_text(&texts, stmt);
	if (r < 0) {
		texts_done(&texts);
		return r;
	}
	*ret = texts.text;
	*ret_cnt = texts.cnt;
	return 0;
}

int store_inner_list(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt)
{
	return store_texts(s, SQL_INNER_ALL, workload, ret, ret_cnt);
}

int store_aliases(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt)
{
	return store_texts(s, SQL_ALIAS_ALL, workload, ret, ret_cnt);
}

int store_workload_id(struct store *s, const char *key, int64_t *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_FIND_KEY, &stmt, "s", key);

	if (r == 0)
		r = store_step(s, stmt);
	if (r == 0)
		return store_fail(s, -ENOENT, "no workload is called that");
	if (r < 0)
		return r;
	*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}
