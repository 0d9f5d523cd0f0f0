/* SPDX-License-Identifier: Apache-2.0 */
/* What a person said of a workload's calls, and what mining found of them. */
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

/* 1: a person said something of it. */
static int has_word(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_VERDICT_PERSON, &stmt, "iii", workload, (int64_t)abi,
			    (int64_t)nr);

	return r < 0 ? r : store_step(s, stmt);
}

int store_verdict_mined(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr,
			uint32_t errno_ret, int64_t now)
{
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)abi >= TAMIS_ABI_MAX || nr >= TAMIS_CALLS ||
	    (errno_ret != ENOSYS && errno_ret != EPERM))
		return store_fail(s, -EINVAL, "mining's verdict of an unknown call or errno");
	r = has_word(s, workload, abi, nr);
	return r ? r
		 : store_run(s, SQL_VERDICT_MINED, "iiiiii", workload, (int64_t)abi, (int64_t)nr,
			     (int64_t)VERDICT_DENY, (int64_t)errno_ret, now);
}

static int add_verdict(struct store *s, enum store_verdict v, bool mined, int64_t errno_ret,
		       struct verdicts *into, enum tamis_abi abi, unsigned nr)
{
	if (v == VERDICT_NONE || (v == VERDICT_ALLOW && (mined || errno_ret)))
		return store_fail(s, -EUCLEAN, "a verdict that says nothing");
	sysset_add(v == VERDICT_ALLOW ? &into->allowed[abi] : &into->denied[abi], nr);
	if (mined)
		sysset_add(&into->mined[abi], nr);
	if (errno_ret == EPERM)
		sysset_add(&into->denied_eperm[abi], nr);
	return 0;
}

static int read_verdict(struct store *s, sqlite3_stmt *stmt, struct verdicts *into)
{
	enum tamis_abi abi = 0;
	int64_t nr = 0, v = 0, errno_ret = 0, mined = 0;
	int r = store_column_abi(s, stmt, 0, &abi);

	if (r == 0)
		r = store_column_upto(s, stmt, 1, TAMIS_CALLS - 1, &nr);
	if (r == 0)
		r = store_column_upto(s, stmt, 2, VERDICT_DENY, &v);
	if (r == 0)
		r = store_column_errno(s, stmt, 3, &errno_ret);
	if (r == 0)
		r = store_column_upto(s, stmt, 4, 1, &mined);
	return r < 0 ? r
		     : add_verdict(s, (enum store_verdict)v, mined != 0, errno_ret, into, abi,
				   (unsigned)nr);
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

int store_verdict_unmine(struct store *s, int64_t workload)
{
	int r = store_need_transaction(s);

	return r < 0 ? r : store_run(s, SQL_VERDICT_UNMINE, "i", workload);
}

/* --- what the tests were wrong about ----------------------------------------------------- */

/* When each was made last; 0: never. */
struct lasts {
	int64_t at[TAMIS_ABI_MAX][TAMIS_CALLS];
	size_t cnt; /* that were made */
};

static void add_lasts(struct lasts *l, enum tamis_abi abi, const struct sysset *calls,
		      const struct sysset *mined, int64_t time)
{
	for (int nr = sysset_next(calls, 0); nr >= 0; nr = sysset_next(calls, (unsigned)nr + 1)) {
		int64_t *at = &l->at[abi][nr];

		if (!sysset_has(&mined[abi], (unsigned)nr))
			continue;
		l->cnt += *at == 0;
		if (*at < time)
			*at = time;
	}
}

static int read_lasts(struct store *s, int64_t workload, const struct sysset *mined,
		      struct lasts *into)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, SQL_VERDICT_MADE, &stmt, "iii", workload, (int64_t)TAMIS_WORKLOAD,
			    (int64_t)TAMIS_SESSION);

	while (r == 0 && (r = store_step(s, stmt)) > 0) {
		enum tamis_abi abi = 0;
		struct sysset calls;
		int64_t time = sqlite3_column_int64(stmt, 2);

		r = store_column_abi(s, stmt, 0, &abi);
		if (r == 0)
			r = store_column_set(s, stmt, 1, &calls);
		if (r == 0)
			add_lasts(into, abi, &calls, mined, time > 0 ? time : 1);
	}
	return r;
}

static bool any(const struct sysset *sets)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_is_empty(&sets[abi]))
			return true;
	return false;
}

int store_made_after_all(struct store *s, int64_t workload, const struct sysset *mined,
			 struct store_made **ret, size_t *ret_cnt)
{
	_free_ struct lasts *lasts = calloc(1, sizeof(*lasts));
	struct store_made *made;
	size_t cnt = 0;
	int r = lasts ? 0 : -ENOMEM;

	/* Most workloads never were minimised, and this reads all that they did. */
	if (r == 0 && any(mined))
		r = read_lasts(s, workload, mined, lasts);
	if (r < 0)
		return r;
	made = calloc(lasts->cnt + 1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
			if (lasts->at[abi][nr])
				made[cnt++] = (struct store_made){ abi, nr, lasts->at[abi][nr] };
	*ret = made;
	*ret_cnt = cnt;
	return 0;
}
