/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of what was refused, who decides on it, and what others than the sensor learned. */
#include "policy/store_internal.h"

/* Who did it is of the later row, if that knows; counts add up to the largest number at most. */
#define LATER                   \
	"excluded.last >= last" \
	" AND coalesce(excluded.pid, excluded.comm, excluded.exe) IS NOT NULL"
#define ADD_DENIAL                                                                        \
	" ON CONFLICT DO UPDATE SET"                                                      \
	" count = iif(count > 9223372036854775807 - excluded.count, 9223372036854775807," \
	" count + excluded.count),"                                                       \
	" generation = iif(excluded.last >= last AND excluded.generation > 0,"            \
	" excluded.generation, generation),"                                              \
	" pid = iif(" LATER ", excluded.pid, pid),"                                       \
	" comm = iif(" LATER ", excluded.comm, comm),"                                    \
	" exe = iif(" LATER ", excluded.exe, exe),"                                       \
	" first = min(first, excluded.first), last = max(last, excluded.last)"

#define ORACLE_COLUMNS                                                                    \
	"workload, production, hardened, is_image, replay, window_s, bootstrap, by_rule," \
	" per_hour, state, since, deadline, tries, abi, nr, loops, learned, rejected,"    \
	" saved, failures, began, why"

static const char *const sql[SQL_MAX] = {
	[SQL_SOURCE_GET] = "SELECT id FROM instance WHERE workload = ?1 AND source = ?2"
			   " ORDER BY id LIMIT 1",
	[SQL_SOURCE_ADD] =
		"INSERT INTO instance (instance, workload, running, starts, lost_range, lost_full,"
		" lost_ring, lost_task, lost_gaps, leaves, first, gone, source)"
		" VALUES ('source/' || ?2 || '/' || ?1, ?1, 0, 0, 0, 0, 0, 0, 0, 0, ?3, NULL, ?2)",
	/* Whose unit a moment is in, and whether the workload was forgotten in it or later. A clock
	 * that was set back is in no unit: the newest. What mining samples is only what it saw. */
	[SQL_SOURCE_UNIT] =
		"SELECT u.id, u.id <= w.forgot FROM workload w, unit u WHERE w.id = ?1 AND u.id ="
		" coalesce((SELECT id FROM unit WHERE began <= ?2 AND mine IS NULL ORDER BY id DESC"
		" LIMIT 1), (SELECT id FROM unit WHERE mine IS NULL ORDER BY id DESC LIMIT 1),"
		" (SELECT max(id) FROM unit))",

	[SQL_DENIAL_HAS] = "SELECT 1 FROM denial"
			   " WHERE workload = ?1 AND kind = ?2 AND abi = ?3 AND nr = ?4",
	[SQL_DENIAL_ADD] =
		"INSERT INTO denial (workload, kind, abi, nr, generation, pid, comm, exe, count,"
		" first, last) VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8, ?9, ?10, "
		"?11)" ADD_DENIAL,
	[SQL_DENIAL_TRIM] =
		"DELETE FROM denial WHERE workload = ?1 AND (kind, abi, nr) IN (SELECT kind, abi,"
		" nr FROM denial WHERE workload = ?1 ORDER BY last DESC, kind, abi, nr"
		" LIMIT -1 OFFSET ?2)",
	[SQL_DENIAL_ALL] =
		"SELECT d.workload, d.kind, d.abi, d.nr, d.generation, d.pid, d.comm, d.exe,"
		" d.count, d.first, d.last, w.key FROM denial d JOIN workload w ON w.id = "
		"d.workload"
		" WHERE ?1 = 0 OR d.workload = ?1"
		" ORDER BY d.last, w.key, d.kind, d.abi, d.nr",
	[SQL_DENIAL_ASKED] =
		"SELECT d.abi, d.nr FROM denial d WHERE d.workload = ?1 AND d.kind = ?2"
		" AND d.nr < ?3 AND NOT EXISTS (SELECT 1 FROM verdict v"
		" WHERE v.workload = d.workload AND v.abi = d.abi AND v.nr = d.nr)",
	[SQL_DENIAL_SUM] = "SELECT count, first, last FROM denial"
			   " WHERE workload = ?1 AND kind = ?2 AND abi = ?3 AND nr = ?4",
	[SQL_DENIAL_DEL_ALL] = "DELETE FROM denial WHERE workload = ?1",

	[SQL_COUNTED_SET] =
		"INSERT OR REPLACE INTO counted (boot, cgroup, abi, nr, first_ms, count)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_COUNTED_DEL] = "DELETE FROM counted WHERE boot = ?1 AND cgroup = ?2 AND abi = ?3"
			    " AND nr = ?4",
	[SQL_COUNTED_DEL_OTHERS] = "DELETE FROM counted WHERE boot <> ?1",
	[SQL_COUNTED_ALL] = "SELECT cgroup, abi, nr, first_ms, count FROM counted WHERE boot = ?1",

	[SQL_ORACLE_SET] =
		"INSERT OR REPLACE INTO oracle (" ORACLE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		" ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
	[SQL_ORACLE_GET] = "SELECT " ORACLE_COLUMNS " FROM oracle WHERE workload = ?1",
	[SQL_ORACLE_ALL] = "SELECT " ORACLE_COLUMNS " FROM oracle ORDER BY workload",
	[SQL_ORACLE_DEL] = "DELETE FROM oracle WHERE workload = ?1",
	[SQL_ORACLE_AT_WORK] = "SELECT 1 FROM oracle WHERE workload = ?1 AND state NOT IN (?2, ?3)",
	[SQL_ORACLE_CALL_SET] =
		"INSERT INTO oracle_call (workload, abi, nr, rejected, at, loop, report)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE"
		" SET rejected = ?4, at = ?5, loop = ?6, report = ?7 WHERE ?4 OR NOT rejected",
	[SQL_ORACLE_CALL_ALL] = "SELECT abi, nr, rejected, at, loop, report FROM oracle_call"
				" WHERE workload = ?1 ORDER BY abi, nr",
	[SQL_ORACLE_CALL_ALLOWED] = "DELETE FROM oracle_call WHERE workload = ?1 AND abi = ?2"
				    " AND nr = ?3 AND rejected",
	[SQL_ORACLE_CALL_DEL_ALL] = "DELETE FROM oracle_call WHERE workload = ?1",
	[SQL_ORACLE_LOOP_ADD] = "INSERT INTO oracle_loop (workload, began) VALUES (?1, ?2)",
	[SQL_ORACLE_LOOP_TRIM] = "DELETE FROM oracle_loop WHERE workload = ?1"
				 " AND (began < ?2 - 7200 OR began > ?2 + 7200)",
	[SQL_ORACLE_LOOP_COUNT] =
		"SELECT count(*) FROM oracle_loop WHERE workload = ?1 AND began >= ?2",
	[SQL_ORACLE_LOOP_DEL_ALL] = "DELETE FROM oracle_loop WHERE workload = ?1",

	/* ?1: into, ?2: from. */
	[SQL_MERGE_DENIALS] =
		"INSERT INTO denial (workload, kind, abi, nr, generation, pid, comm, exe, count,"
		" first, last) SELECT ?1, kind, abi, nr, 0, pid, comm, exe, count, first, last"
		" FROM denial WHERE workload = ?2" ADD_DENIAL,
	[SQL_MERGE_ORACLE_CALLS] =
		"INSERT OR IGNORE INTO oracle_call (workload, abi, nr, rejected, at, loop, report)"
		" SELECT ?1, abi, nr, rejected, at, loop, report FROM oracle_call"
		" WHERE workload = ?2",
};

const char *store_sql_denial(enum store_sql id)
{
	return sql[id];
}
