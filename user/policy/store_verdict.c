/* SPDX-License-Identifier: Apache-2.0 */
/* What a person said of a workload's calls. */
#include <errno.h>
#include <string.h>

#include "policy/generations.h"
#include "policy/store_internal.h"

int store_verdict_set(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr,
		      enum store_verdict v, int64_t now)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)abi >= TAMIS_ABI_MAX || nr >= TAMIS_CALLS || (unsigned)v > VERDICT_DENY)
		return store_fail(s, -EINVAL, "a verdict of an unknown call");
	if (v == VERDICT_NONE)
		return store_run(s, SQL_VERDICT_DEL, "iii", workload, (int64_t)abi, (int64_t)nr);
	r = store_run(s, SQL_VERDICT_SET, "iiiii", workload, (int64_t)abi, (int64_t)nr, (int64_t)v,
		      now);
	return r < 0 || v == VERDICT_DENY ? r
					  : store_run(s, SQL_ORACLE_CALL_ALLOWED, "iii", workload,
						      (int64_t)abi, (int64_t)nr);
}

static int read_verdict(struct store *s, sqlite3_stmt *stmt, struct verdicts *into)
{
	enum tamis_abi abi = 0;
	int64_t nr = 0, v = 0;
	int r = store_column_abi(s, stmt, 0, &abi);

	if (r == 0)
		r = store_column_upto(s, stmt, 1, TAMIS_CALLS - 1, &nr);
	if (r == 0)
		r = store_column_upto(s, stmt, 2, VERDICT_DENY, &v);
	if (r == 0 && v == VERDICT_NONE)
		r = store_fail(s, -EUCLEAN, "a verdict that says nothing");
	if (r == 0)
		sysset_add(v == VERDICT_ALLOW ? &into->allowed[abi] : &into->denied[abi],
			   (unsigned)nr);
	return r;
}

int store_verdicts(struct store *s, int64_t workload, struct verdicts *ret)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	struct verdicts v = { 0 };
	int r = store_query(s, SQL_VERDICT_ALL, &stmt, "i", workload);

	while (r == 0 && (r = store_step(s, stmt)) > 0)
		r = read_verdict(s, stmt, &v);
	if (r < 0)
		return r;
	*ret = v;
	return 0;
}
