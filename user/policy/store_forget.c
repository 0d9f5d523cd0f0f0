/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgetting. The kernel's maps and the daemon still know what is forgotten here, so each
 * instance that may be written again gets a mask of it (table `forgotten`), with the newest
 * unit of that moment: calls of this unit, or of one before, are not taken again.
 *
 * Calls of which nobody knows the unit (store_calls_before) are not taken at all. Nothing is
 * lost by it: only the daemon begins units in the kernel, and the kernel keeps the calls of the
 * current unit and the one before apart. So whatever was called after the forgetting, in a unit
 * that wasn't drained yet, is there with its unit and comes by store_calls.
 */
#include <errno.h>
#include <string.h>

#include "policy/store_internal.h"

/* 1: the workload is there. */
static int has_row(struct store *s, enum store_sql which, int64_t id)
{
	_stmt_ sqlite3_stmt *stmt = NULL;
	int r = store_query(s, which, &stmt, "i", id);

	return r < 0 ? r : store_step(s, stmt);
}

/* -ENOENT when no stage has it. */
static int find_call(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr)
{
	struct learned l;
	int r = store_learned(s, workload, &l);

	for (int stage = 0; r == 0 && stage < TAMIS_STAGE_MAX; stage++) {
		if (sysset_has(&l.set[stage][abi], nr))
			return 0;
	}
	return r < 0 ? r : store_fail(s, -ENOENT, "the call was never seen");
}

static int mask(struct store *s, int64_t workload, enum tamis_abi abi, const struct sysset *calls)
{
	int r = 0;

	for (int64_t stage = 0; r == 0 && stage < TAMIS_STAGE_MAX; stage++)
		r = store_run(s, SQL_FORGOTTEN_ADD, "iiib", workload, stage, (int64_t)abi, calls);
	return r;
}

int store_forget_call(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr)
{
	static const struct sysset none;
	struct sysset call = { 0 };
	int r = store_need_transaction(s);

	if (r < 0)
		return r;
	if ((unsigned)abi >= TAMIS_ABI_MAX || nr >= TAMIS_CALLS)
		return store_fail(s, -EINVAL, "a call out of range");
	sysset_add(&call, nr);
	r = find_call(s, workload, abi, nr);
	if (r == 0)
		r = mask(s, workload, abi, &call);
	if (r == 0)
		r = store_run(s, SQL_OBSERVATION_WITHOUT, "iibi", workload, (int64_t)abi, &call,
			      (int64_t)nr);
	if (r == 0)
		r = store_run(s, SQL_OBSERVATION_DEL_EMPTY, "iib", workload, (int64_t)abi, &none);
	if (r == 0)
		r = store_run(s, SQL_LEARNED_WITHOUT, "iib", workload, (int64_t)abi, &call);
	if (r == 0)
		r = store_run(s, SQL_CALL_DEL, "iii", workload, (int64_t)abi, (int64_t)nr);
	if (r == 0)
		r = store_run(s, SQL_COVERAGE_DEL, "i", workload);
	return r < 0 ? r : store_run(s, SQL_INSTANCE_UNITS, "i", workload);
}

static int run_each(struct store *s, const enum store_sql *which, size_t cnt, int64_t workload)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cnt; i++)
		r = store_run(s, which[i], "i", workload);
	return r;
}

int store_drop_workload(struct store *s, int64_t workload)
{
	/* What else belongs to it goes with the row itself. */
	static const enum store_sql steps[] = { SQL_OBSERVATION_DEL, SQL_WORKLOAD_DEL };

	return run_each(s, steps, ARRAY_SIZE(steps), workload);
}

static int mask_all(struct store *s, int64_t workload)
{
	struct sysset all;
	int r = 0;

	memset(&all, 0xff, sizeof(all));
	for (int abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		r = mask(s, workload, abi, &all);
	return r;
}

/* It runs: the workload and its running instances stay, as if they had shown nothing yet. */
static int empty_workload(struct store *s, int64_t workload)
{
	static const enum store_sql steps[] = {
		SQL_OBSERVATION_DEL, SQL_INSTANCE_DEL_GONE,   SQL_LEARNED_DEL_ALL,
		SQL_CALL_DEL_ALL,    SQL_INNER_DEL_ALL,	      SQL_ALIAS_DEL_ALL,
		SQL_VERDICT_DEL_ALL, SQL_IMAGE_DEL_OTHERS,    SQL_GENERATION_DEL_ALL,
		SQL_DENIAL_DEL_ALL,  SQL_ORACLE_CALL_DEL_ALL, SQL_ORACLE_LOOP_DEL_ALL,
		SQL_MINE_DEL_ALL,    SQL_COVERAGE_DEL,	      SQL_INSTANCE_BASELINE,
		SQL_INSTANCE_RESET,  SQL_WORKLOAD_RESET,
	};
	int r = run_each(s, steps, ARRAY_SIZE(steps), workload);

	return r < 0 ? r : mask_all(s, workload);
}

/* Starts find its file, so somebody has to take that away before; an oracle may be about to bring
 * production back. */
static int check_released(struct store *s, int64_t workload)
{
	int r = has_row(s, SQL_APPLIED_GET, workload);

	if (r > 0)
		return store_fail(s, -EBUSY, "a generation of it is applied");
	if (r == 0)
		r = has_row(s, SQL_ORACLE_GET, workload);
	return r > 0 ? store_fail(s, -EBUSY, "an oracle decides on its calls") : r;
}

int store_forget(struct store *s, int64_t workload, bool *ret_running)
{
	bool running;
	int r = store_need_transaction(s);

	if (r == 0)
		r = has_row(s, SQL_WORKLOAD_KEY, workload);
	if (r == 0)
		return store_fail(s, -ENOENT, "no such workload");
	if (r > 0)
		r = check_released(s, workload);
	if (r == 0)
		r = has_row(s, SQL_WORKLOAD_RUNNING, workload);
	if (r < 0)
		return r;
	running = r > 0;
	r = running ? empty_workload(s, workload) : store_drop_workload(s, workload);
	if (r == 0)
		*ret_running = running;
	return r;
}

int store_drop_forgotten(struct store *s)
{
	int r = store_run(s, SQL_WORKLOAD_DEL_FORGOTTEN, "");

	return r < 0 ? r : store_run(s, SQL_INSTANCE_DEL_FORGOTTEN, "");
}
