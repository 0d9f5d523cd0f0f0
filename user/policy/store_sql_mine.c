/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of what people and mining said of calls, of mining runs, and of completeness. */
#include "policy/store_internal.h"

/* The observations of the workload ?1 from unit ?2 on, of two stages, ?3 and ?4. */
#define IN_UNITS                                                            \
	" FROM instance i CROSS JOIN unit u CROSS JOIN observation o WHERE" \
	" i.workload = ?1 AND u.id BETWEEN max(i.first_unit, ?2) AND"       \
	" i.last_unit AND o.unit = u.id AND o.instance = i.id AND o.stage IN (?3, ?4)"

#define MINE_COLUMNS \
	"id, ifnull(workload, 0), began, ended, state, generation, minimised, target, tests, why"

static const char *const sql[SQL_MAX] = {
	[SQL_VERDICT_SET] =
		"INSERT INTO verdict (workload, abi, nr, verdict, since)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET verdict = ?4, since = ?5,"
		" errno = 0, mined = 0 WHERE verdict <> ?4 OR mined",
	[SQL_VERDICT_MINED] =
		"INSERT INTO verdict (workload, abi, nr, verdict, since, errno, mined)"
		" VALUES (?1, ?2, ?3, ?4, ?6, ?5, 1) ON CONFLICT DO UPDATE SET errno = ?5,"
		" since = ?6 WHERE mined AND errno <> ?5",
	[SQL_VERDICT_PERSON] = "SELECT 1 FROM verdict"
			       " WHERE workload = ?1 AND abi = ?2 AND nr = ?3 AND NOT mined",
	[SQL_VERDICT_UNMINE] = "DELETE FROM verdict WHERE workload = ?1 AND mined",
	/* In the daemon's units, by what no run started. */
	[SQL_VERDICT_MADE] =
		"SELECT o.abi, o.calls, max(i.first, u.began) FROM instance i CROSS JOIN unit u"
		" CROSS JOIN observation o WHERE i.workload = ?1 AND NOT i.mined AND u.id BETWEEN"
		" i.first_unit AND i.last_unit AND u.mine IS NULL AND o.unit = u.id"
		" AND o.instance = i.id AND o.stage IN (?2, ?3)",
	[SQL_VERDICT_DEL] = "DELETE FROM verdict WHERE workload = ?1 AND abi = ?2 AND nr = ?3",
	[SQL_VERDICT_DEL_ALL] = "DELETE FROM verdict WHERE workload = ?1",
	[SQL_VERDICT_ALL] = "SELECT abi, nr, verdict, errno, mined FROM verdict"
			    " WHERE workload = ?1",
	/* ?1: into, ?2: from. A person's word is more than what mining found. */
	[SQL_MERGE_VERDICTS] =
		"INSERT INTO verdict (workload, abi, nr, verdict, since, errno, mined)"
		" SELECT ?1, abi, nr, verdict, since, errno, mined FROM verdict WHERE workload = ?2"
		" ON CONFLICT DO UPDATE SET verdict = excluded.verdict, since = excluded.since,"
		" errno = excluded.errno, mined = 0 WHERE mined AND NOT excluded.mined",
	[SQL_MERGE_MINES] = "UPDATE mine SET workload = ?1 WHERE workload = ?2",

	[SQL_MINE_ADD] = "INSERT INTO mine (began, ended, state, generation, minimised, target,"
			 " tests) VALUES (?1, 0, 0, 0, 0, ?2, ?3)",
	[SQL_MINE_SET] = "UPDATE mine SET workload = nullif(?2, 0), ended = ?3, state = ?4,"
			 " generation = ?5, minimised = ?6, why = ?7 WHERE id = ?1",
	/* A unit that was mined in its place runs on when the run is over. Times are seconds: what made
	 * its last call before the run's first unit isn't the run's. */
	[SQL_MINE_INSTANCES] =
		"UPDATE instance SET mined = 1 WHERE NOT mined AND workload = ?1 AND first >="
		" (SELECT began FROM mine WHERE id = ?2) AND (last_unit IS NULL OR last_unit >="
		" (SELECT min(id) FROM unit WHERE mine = ?2)) AND (?3 = 0 OR (first <= ?3 AND NOT "
		"running))",
	[SQL_MINE_LAST] = "SELECT " MINE_COLUMNS " FROM mine WHERE workload = ?1"
			  " ORDER BY id DESC LIMIT 1",
	/* Where minimising went on last. */
	[SQL_MINE_MINIMISED] =
		"SELECT " MINE_COLUMNS " FROM mine WHERE workload = ?1 AND tests = ?2 AND EXISTS"
		" (SELECT 1 FROM minimised WHERE minimised.mine = mine.id) ORDER BY id DESC LIMIT "
		"1",
	[SQL_MINE_DEL_ALL] = "DELETE FROM mine WHERE workload = ?1",
	/* A workload's newest stays, and its newest that came to its end. */
	[SQL_MINE_DEL_OLD] =
		"DELETE FROM mine WHERE began < ?1 AND (workload IS NULL OR (EXISTS (SELECT 1"
		" FROM mine m WHERE m.workload = mine.workload AND m.id > mine.id)"
		" AND (state <> ?2 OR EXISTS (SELECT 1 FROM mine m WHERE"
		" m.workload = mine.workload AND m.id > mine.id AND m.state = ?2))))",
	[SQL_MINE_UNIT_ADD] = "INSERT INTO unit (began, label, mine) SELECT ?1, ?2, id FROM mine"
			      " WHERE id = ?3",
	[SQL_MINE_OUTCOME] = "UPDATE unit SET outcome = ?2 WHERE id = ?1 AND mine > 0",
	[SQL_MINIMISED_SET] = "INSERT INTO minimised (mine, abi, nr, state, errno, why)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE"
			      " SET state = ?4, errno = ?5, why = ?6",
	[SQL_MINIMISED_ALL] = "SELECT abi, nr, state, errno, why FROM minimised WHERE mine = ?1"
			      " ORDER BY abi, nr",

	[SQL_MATRIX_NTH] = "SELECT id FROM unit WHERE mine IS NULL ORDER BY id DESC"
			   " LIMIT 1 OFFSET ?1",
	[SQL_MATRIX_UNITS] = "SELECT u.id, u.began, u.label, u.outcome FROM (SELECT DISTINCT"
			     " u.id AS id" IN_UNITS " AND u.mine IS NULL"
			     " ORDER BY 1 DESC LIMIT ?5) d JOIN unit u ON u.id = d.id"
			     " ORDER BY u.id",
	[SQL_MATRIX_MINE_UNITS] =
		"SELECT * FROM (SELECT id, began, label, outcome FROM unit WHERE mine = ?1"
		" ORDER BY id DESC LIMIT ?2) ORDER BY id",
	[SQL_MATRIX_SETS] = "SELECT u.id, o.abi, o.calls" IN_UNITS " AND u.id <= ?5"
			    " AND u.mine IS nullif(?6, 0)",

	[SQL_COVERAGE_SET] = "INSERT INTO coverage (workload, at, units, known, coverage, low,"
			     " high, next_hour) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
			     " ON CONFLICT DO UPDATE SET at = ?2, units = ?3, known = ?4,"
			     " coverage = ?5, low = ?6, high = ?7, next_hour = ?8",
	[SQL_COVERAGE_GET] = "SELECT at, units, known, coverage, low, high, next_hour"
			     " FROM coverage WHERE workload = ?1",
	[SQL_COVERAGE_DEL] = "DELETE FROM coverage WHERE workload = ?1",

	[SQL_NAP_ADD] =
		"INSERT INTO nap (began, ended, slept) VALUES (ifnull((SELECT max(began) FROM nap"
		" WHERE began / 3600 = ?1 / 3600 AND began <= ?1), ?1), ?2, ?3)"
		" ON CONFLICT DO UPDATE SET ended = max(ended, excluded.ended),"
		" slept = slept + excluded.slept",
	[SQL_NAP_FOLD] = "INSERT INTO nap (began, ended, slept) SELECT min(began), max(ended),"
			 " sum(slept) FROM nap WHERE began < ?1 GROUP BY began / 86400"
			 " HAVING count(*) > 1 ON CONFLICT DO UPDATE SET ended = excluded.ended,"
			 " slept = excluded.slept",
	[SQL_NAP_DEL_FOLDED] =
		"DELETE FROM nap WHERE began < ?1 AND began > (SELECT min(first.began)"
		" FROM nap first WHERE first.began / 86400 = nap.began / 86400)",
	[SQL_NAP_ALL] = "SELECT began, ended, slept FROM nap ORDER BY began",
	[SQL_LIFE_ALL] = "SELECT first, iif(running, ?2, coalesce(gone, last, first)) FROM instance"
			 " WHERE workload = ?1 AND source IS NULL ORDER BY first",
};

const char *store_sql_mine(enum store_sql id)
{
	return sql[id];
}
