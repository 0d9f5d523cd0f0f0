/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of calls in SQL: what changes many of them at once is one statement. */
#include <string.h>

#include "policy/store_internal.h"

/* Sets are stored as they are in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "call sets are little-endian words");

/* 0 when the value is no set: the statement fails, and with it the transaction. */
static int take(sqlite3_context *ctx, sqlite3_value *value, struct sysset *ret)
{
	const void *blob = sqlite3_value_blob(value);

	if (!blob || sqlite3_value_bytes(value) != (int)sizeof(*ret)) {
		sqlite3_result_error(ctx, "a set of calls of a wrong size", -1);
		return 0;
	}
	memcpy(ret, blob, sizeof(*ret));
	return 1;
}

static void give(sqlite3_context *ctx, const struct sysset *set)
{
	sqlite3_result_blob(ctx, set, sizeof(*set), SQLITE_TRANSIENT);
}

static void sets_or(sqlite3_context *ctx, int cnt, sqlite3_value **arg)
{
	struct sysset a, b;

	if (!take(ctx, arg[0], &a) || !take(ctx, arg[1], &b))
		return;
	sysset_merge(&a, &b);
	give(ctx, &a);
}

static void sets_without(sqlite3_context *ctx, int cnt, sqlite3_value **arg)
{
	struct sysset a, b;

	if (!take(ctx, arg[0], &a) || !take(ctx, arg[1], &b))
		return;
	sysset_remove(&a, &b);
	give(ctx, &a);
}

static void sets_has(sqlite3_context *ctx, int cnt, sqlite3_value **arg)
{
	int64_t nr = sqlite3_value_int64(arg[1]);
	struct sysset a;

	if (take(ctx, arg[0], &a))
		sqlite3_result_int(ctx,
				   nr >= 0 && nr < TAMIS_CALLS && sysset_has(&a, (unsigned)nr));
}

static const struct {
	const char *name;
	void (*fn)(sqlite3_context *ctx, int cnt, sqlite3_value **arg);
} functions[] = {
	{ "sets_or", sets_or },
	{ "sets_without", sets_without },
	{ "sets_has", sets_has },
};

int store_add_functions(struct store *s)
{
	/* Not for views and triggers, which a file from elsewhere could bring along. */
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(functions); i++)
		rc = sqlite3_create_function_v2(s->db, functions[i].name, 2, flags, NULL,
						functions[i].fn, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : store_fail_sqlite(s, rc);
}
