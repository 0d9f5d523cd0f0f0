/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of the store. */
#include "policy/store_internal.h"

/* What was counted of an instance before its workload was forgotten counts no more, and none of
 * its starts. That it was not observed whole is one gap, until a later instance was. */
#define ROW_COLUMNS                                                                            \
	"SELECT w.id, w.key, w.owner, w.engine, w.name, w.image, w.image_digest, w.namespace," \
	" w.why_not, w.units, count(i.id) FILTER (WHERE i.source IS NULL),"                    \
	" count(DISTINCT ifnull(i.container, i.id)) FILTER (WHERE i.source IS NULL),"          \
	" w.running > 0,"                                                                      \
	" sum(iif(b.instance IS NULL, i.starts, 0)),"                                          \
	" min(i.first) FILTER (WHERE i.source IS NULL), max(i.last),"                          \
	" sum(i.lost_range - ifnull(b.lost_range, 0)),"                                        \
	" sum(i.lost_full - ifnull(b.lost_full, 0)),"                                          \
	" sum(i.lost_ring - ifnull(b.lost_ring, 0)),"                                          \
	" sum(i.lost_task - ifnull(b.lost_task, 0)),"                                          \
	" sum(i.lost_gaps - ifnull(b.lost_gaps, 0)), sum(i.leaves - ifnull(b.leaves, 0)),"     \
	" sum(CASE WHEN b.instance IS NULL THEN 0 ELSE NOT EXISTS (SELECT 1 FROM instance n"   \
	" WHERE n.workload = w.id AND n.id > i.id AND n.starts > 0"                            \
	" AND n.id NOT IN (SELECT instance FROM baseline)) END),"                              \
	" w.opted_out, p.mode, p.generation, g.state"                                          \
	" FROM workload w LEFT JOIN instance i ON i.workload = w.id"                           \
	" LEFT JOIN baseline b ON b.instance = i.id"                                           \
	" LEFT JOIN applied p ON p.workload = w.id"                                            \
	" LEFT JOIN generation g ON g.workload = w.id AND g.number = p.generation"

/* The observations of the instance `i`, with the units `u` they are of. */
#define ITS_OBSERVATIONS                                    \
	" CROSS JOIN unit u CROSS JOIN observation o WHERE" \
	" u.id BETWEEN i.first_unit AND i.last_unit"        \
	" AND o.unit = u.id AND o.instance = i.id"

/* Those before ?1 that may be folded: the daemon writes to the newest two. A run's units are never
 * folded while the run is kept; those of runs that are gone are apart from what the daemon sampled. */
#define OLD_UNITS                                                                        \
	" FROM unit WHERE began < ?1 AND (mine = 0 OR (mine IS NULL AND id < (SELECT id" \
	" FROM unit WHERE mine IS NULL ORDER BY id DESC LIMIT 1 OFFSET 1)))"

/* Forgotten while it ran, gone, and not a call since. */
#define IS_FORGOTTEN "NOT running AND last IS NULL AND id IN (SELECT instance FROM baseline)"

static const char *const sql[SQL_MAX] = {
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_DATA_VERSION] = "PRAGMA data_version",

	[SQL_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
			 " ON CONFLICT DO UPDATE SET value = ?2 WHERE value IS NOT ?2",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",

	/* The second column: nothing would change. Unknown (NULL) never replaces known, nor an
	 * engine's name one that a person gave; but why_not is known to be nothing. */
	[SQL_WORKLOAD_GET] =
		"SELECT id, ifnull(?2, owner) IS owner AND ifnull(?3, engine) IS engine"
		" AND (named OR ifnull(?4, name) IS name)"
		" AND ifnull(?5, image) IS image"
		" AND ifnull(?6, image_digest) IS image_digest"
		" AND ifnull(?7, namespace) IS namespace AND ?8 IS why_not AND ?9 IS opted_out"
		" FROM workload WHERE key = ?1",
	[SQL_WORKLOAD_KEY] = "SELECT key FROM workload WHERE id = ?1",
	[SQL_WORKLOAD_NEXT] = "SELECT min(id) FROM workload WHERE id > ?1",
	[SQL_WORKLOAD_ADD] = "INSERT INTO workload (key, owner, engine, name, image, image_digest,"
			     " namespace, why_not, first, opted_out)"
			     " VALUES (?1, coalesce(?2, ?3, ''), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_WORKLOAD_SET] =
		"UPDATE workload SET owner = ifnull(?2, owner),"
		" engine = ifnull(?3, engine),"
		" name = iif(named, name, ifnull(?4, name)), image = ifnull(?5, image),"
		" image_digest = ifnull(?6, image_digest),"
		" namespace = ifnull(?7, namespace), why_not = ?8, opted_out = ?9 WHERE id = ?1",
	[SQL_WORKLOAD_UNIT] = "UPDATE workload SET units = units + 1,"
			      " last_unit = max(last_unit, ?2) WHERE id = ?1",
	[SQL_WORKLOAD_COUNT] =
		"SELECT count(*) FROM (SELECT 1 FROM workload"
		" WHERE owner = (SELECT owner FROM workload WHERE id = ?1) LIMIT ?2)",
	/* Last seen: the last unit with a call of it. */
	[SQL_WORKLOAD_OLDEST] = "SELECT id FROM workload WHERE owner ="
				" (SELECT owner FROM workload WHERE id = ?1) AND running = 0"
				" AND id <> ?1 AND id NOT IN (SELECT workload FROM applied)"
				" AND id NOT IN (SELECT workload FROM oracle)"
				" ORDER BY last_unit, id LIMIT 1",
	[SQL_WORKLOAD_GONE] =
		"SELECT w.id, w.key FROM workload w LEFT JOIN instance i ON i.workload = w.id"
		" WHERE w.running = 0 AND w.id NOT IN (SELECT workload FROM applied)"
		" AND w.id NOT IN (SELECT workload FROM oracle)"
		" GROUP BY w.id HAVING max(w.first, ifnull(max(i.first), 0),"
		" ifnull(max(i.last), 0), ifnull(max(i.gone), 0)) < ?1 ORDER BY w.key",
	[SQL_WORKLOAD_RUNNING] = "SELECT 1 FROM workload WHERE id = ?1 AND running > 0",
	[SQL_WORKLOAD_RENAME] = "UPDATE workload SET key = ?2, name = ifnull(?3, name),"
				" named = named OR ?3 IS NOT NULL WHERE id = ?1",
	[SQL_WORKLOAD_RESET] = "UPDATE workload SET units = 0, folded = 0, last_unit = 0,"
			       " named = 0, forgot = ifnull((SELECT max(id) FROM unit), 0)"
			       " WHERE id = ?1",
	[SQL_WORKLOAD_DEL] = "DELETE FROM workload WHERE id = ?1",
	/* Not one that a person made or named. */
	[SQL_WORKLOAD_DEL_EMPTY] = "DELETE FROM workload WHERE id = ?1 AND NOT named"
				   " AND NOT EXISTS (SELECT 1 FROM instance WHERE workload = ?1)"
				   " AND NOT EXISTS (SELECT 1 FROM alias WHERE workload = ?1)"
				   " AND id NOT IN (SELECT workload FROM applied)"
				   " AND id NOT IN (SELECT workload FROM oracle)",
	[SQL_WORKLOAD_DEL_FORGOTTEN] =
		"DELETE FROM workload WHERE id IN (SELECT workload FROM instance"
		" WHERE " IS_FORGOTTEN ") AND NOT EXISTS (SELECT 1 FROM instance i"
		" WHERE i.workload = workload.id AND NOT (" IS_FORGOTTEN "))"
		" AND id NOT IN (SELECT workload FROM applied)"
		" AND id NOT IN (SELECT workload FROM oracle)"
		" AND id NOT IN (SELECT workload FROM verdict)",

	[SQL_ALIAS_GET] = "SELECT a.workload, w.key FROM alias a, workload w"
			  " WHERE a.key = ?1 AND w.id = a.workload",
	[SQL_ALIAS_ADD] = "INSERT INTO alias (key, workload) VALUES (?1, ?2)",
	[SQL_ALIAS_DEL] = "DELETE FROM alias WHERE key = ?1",
	[SQL_ALIAS_DEL_ALL] = "DELETE FROM alias WHERE workload = ?1",
	[SQL_ALIAS_ALL] = "SELECT key FROM alias WHERE workload = ?1 ORDER BY key",

	/* Last seen is true to the minute: who is seen all the time isn't written all the time. */
	[SQL_INNER_ADD] = "INSERT INTO inner (workload, label, first, last)"
			  " VALUES (?1, ?2, ?3, ?3)"
			  " ON CONFLICT DO UPDATE SET last = ?3 WHERE last + 60 <= ?3",
	[SQL_INNER_TRIM] = "DELETE FROM inner WHERE workload = ?1 AND label IN (SELECT label"
			   " FROM inner WHERE workload = ?1 ORDER BY last DESC, label <> ?2, label"
			   " LIMIT -1 OFFSET ?3)",
	[SQL_INNER_DEL_ALL] = "DELETE FROM inner WHERE workload = ?1",
	[SQL_INNER_ALL] = "SELECT label FROM inner WHERE workload = ?1 ORDER BY label",

	/* The newest are those that were a workload's image last, its present one first. */
	[SQL_IMAGE_ADD] = "INSERT INTO image (workload, digest, last) VALUES (?1, ?2, ?3)"
			  " ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
	[SQL_IMAGE_TRIM] =
		"DELETE FROM image WHERE workload = ?1 AND digest IN (SELECT digest FROM image"
		" WHERE workload = ?1 ORDER BY digest"
		" IS (SELECT image_digest FROM workload WHERE id = ?1) DESC, last DESC, digest"
		" LIMIT -1 OFFSET ?2)",
	[SQL_IMAGE_DEL_OTHERS] = "DELETE FROM image WHERE workload = ?1 AND digest"
				 " IS NOT (SELECT image_digest FROM workload WHERE id = ?1)",
	[SQL_IMAGE_ALL] = "SELECT digest FROM image WHERE workload = ?1 ORDER BY digest",

	[SQL_INSTANCE_GET] =
		"SELECT id, workload, workload = ?2 AND ifnull(?3, container) IS container"
		" AND ifnull(?4, pod) IS pod AND ifnull(?5, path) IS path AND running = ?6"
		" AND starts >= ?7 AND lost_range >= ?8 AND lost_full >= ?9 AND lost_ring >= ?10"
		" AND lost_task >= ?11 AND lost_gaps >= ?12 AND leaves >= ?13"
		" AND ifnull(?14, leave_comm) IS leave_comm"
		" AND ifnull(?15, leave_path) IS leave_path"
		" FROM instance WHERE instance = ?1",
	[SQL_INSTANCE_ADD] =
		"INSERT INTO instance (instance, workload, container, pod, path, running, starts,"
		" lost_range, lost_full, lost_ring, lost_task, lost_gaps, leaves, leave_comm,"
		" leave_path, first, gone)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" iif(?6, NULL, ?16))",
	[SQL_INSTANCE_SET] = "UPDATE instance SET workload = ?2, container = ifnull(?3, container),"
			     " pod = ifnull(?4, pod), path = ifnull(?5, path), running = ?6,"
			     " starts = max(starts, ?7), lost_range = max(lost_range, ?8),"
			     " lost_full = max(lost_full, ?9), lost_ring = max(lost_ring, ?10),"
			     " lost_task = max(lost_task, ?11), lost_gaps = max(lost_gaps, ?12),"
			     " leaves = max(leaves, ?13), leave_comm = ifnull(?14, leave_comm),"
			     " leave_path = ifnull(?15, leave_path),"
			     " gone = iif(?6, NULL, ifnull(gone, ?16)) WHERE id = ?1",
	[SQL_INSTANCE_SEEN] = "UPDATE instance SET last = max(ifnull(last, ?2), ?2),"
			      " first_unit = min(ifnull(first_unit, ?3), ?3),"
			      " last_unit = max(ifnull(last_unit, ?3), ?3) WHERE id = ?1",
	[SQL_INSTANCE_RUNNING] = "SELECT id FROM instance WHERE running",
	[SQL_INSTANCE_RUNNING_ALL] =
		"SELECT i.workload, w.key, w.engine, i.container, i.path FROM instance i"
		" JOIN workload w ON w.id = i.workload WHERE i.running ORDER BY i.id",
	[SQL_INSTANCE_GONE] = "UPDATE instance SET running = 0, gone = ?2 WHERE id = ?1",
	[SQL_INSTANCE_GAP] = "UPDATE instance SET lost_gaps = lost_gaps + 1 WHERE instance = ?1",
	/* When its calls of that unit were made: in the unit, and not before it was there. */
	[SQL_INSTANCE_IN_UNIT] = "SELECT i.workload, w.last_unit, max(i.first, u.began)"
				 " FROM instance i, workload w, unit u"
				 " WHERE i.id = ?1 AND w.id = i.workload AND u.id = ?2",
	[SQL_INSTANCE_SETS] = "SELECT o.stage, o.abi, o.calls, max(i.first, u.began)"
			      " FROM instance i" ITS_OBSERVATIONS " AND i.id = ?1",
	/* Anew; units inside of folded ones are known by their number only. */
	[SQL_INSTANCE_UNITS] =
		"UPDATE workload SET (units, last_unit) = (SELECT count(DISTINCT o.unit)"
		" + workload.folded, ifnull(max(o.unit), 0)"
		" FROM instance i" ITS_OBSERVATIONS " AND i.workload = ?1) WHERE id = ?1",
	[SQL_INSTANCE_ALL] =
		"SELECT id, container, first, first_unit, last_unit, dense_rank() OVER (ORDER BY"
		" container IS NULL, container, iif(container IS NULL, id, 0)), source IS NOT NULL"
		" FROM instance WHERE workload = ?1 AND first_unit <= last_unit"
		" ORDER BY first_unit, id",
	[SQL_INSTANCE_LAST] = "SELECT pod, container FROM instance WHERE workload = ?1"
			      " AND source IS NULL ORDER BY last DESC, id DESC LIMIT 1",
	[SQL_INSTANCE_LEFT] = "SELECT i.leave_comm, i.leave_path FROM instance i"
			      " LEFT JOIN baseline b ON b.instance = i.id WHERE i.workload = ?1"
			      " AND i.leaves > ifnull(b.leaves, 0) ORDER BY i.last DESC, i.id DESC"
			      " LIMIT 1",
	[SQL_INSTANCE_OTHER] = "SELECT 1 FROM instance WHERE workload = ?1 AND id <> ?2 LIMIT 1",
	[SQL_INSTANCE_RESET] = "UPDATE instance SET last = NULL, first_unit = NULL,"
			       " last_unit = NULL, leave_comm = NULL, leave_path = NULL,"
			       " first = max(first, ifnull((SELECT began FROM unit"
			       " ORDER BY id DESC LIMIT 1), first)) WHERE workload = ?1",
	[SQL_INSTANCE_BASELINE] =
		"INSERT OR REPLACE INTO baseline (instance, lost_range, lost_full, lost_ring,"
		" lost_task, lost_gaps, leaves) SELECT id, lost_range, lost_full, lost_ring,"
		" lost_task, lost_gaps, leaves FROM instance WHERE workload = ?1",
	[SQL_INSTANCE_DEL_GONE] = "DELETE FROM instance WHERE workload = ?1 AND NOT running",
	[SQL_INSTANCE_DEL_FORGOTTEN] = "DELETE FROM instance WHERE " IS_FORGOTTEN,

	[SQL_UNIT_ADD] = "INSERT INTO unit (began, label) VALUES (?1, ?2)",
	[SQL_UNIT_ALL] = "SELECT u.id, u.began FROM (SELECT min(first_unit) AS low,"
			 " max(last_unit) AS high FROM instance WHERE workload = ?1)"
			 " CROSS JOIN unit u WHERE u.id BETWEEN low AND high ORDER BY u.id",
	[SQL_UNIT_HAS_WORKLOAD] =
		"SELECT 1 FROM instance i CROSS JOIN observation o WHERE i.workload = ?1"
		" AND o.unit = ?2 AND o.instance = i.id LIMIT 1",

	[SQL_OBSERVATION_GET] = "SELECT calls FROM observation"
				" WHERE unit = ?1 AND instance = ?2 AND stage = ?3 AND abi = ?4",
	[SQL_OBSERVATION_ALL] = "SELECT stage, abi, calls FROM observation"
				" WHERE unit = ?1 AND instance = ?2",
	[SQL_OBSERVATION_SET] = "INSERT INTO observation (unit, instance, stage, abi, calls)"
				" VALUES (?1, ?2, ?3, ?4, ?5)"
				" ON CONFLICT DO UPDATE SET calls = ?5",
	[SQL_OBSERVATION_DEL] = "DELETE FROM observation WHERE (unit, instance) IN"
				" (SELECT u.id, i.id FROM instance i CROSS JOIN unit u"
				" WHERE i.workload = ?1"
				" AND u.id BETWEEN i.first_unit AND i.last_unit)",
	[SQL_OBSERVATION_WITHOUT] =
		"UPDATE observation SET calls = sets_without(calls, ?3)"
		" WHERE (unit, instance) IN (SELECT u.id, i.id FROM instance i CROSS JOIN unit u"
		" WHERE i.workload = ?1 AND u.id BETWEEN i.first_unit AND i.last_unit)"
		" AND abi = ?2 AND sets_has(calls, ?4)",
	[SQL_OBSERVATION_DEL_EMPTY] =
		"DELETE FROM observation"
		" WHERE (unit, instance) IN (SELECT u.id, i.id FROM instance i CROSS JOIN unit u"
		" WHERE i.workload = ?1 AND u.id BETWEEN i.first_unit AND i.last_unit)"
		" AND abi = ?2 AND calls = ?3",

	/* Of those that run, and those that the daemon, just begun, takes for gone. */
	[SQL_FORGOTTEN_ADD] =
		"INSERT INTO forgotten (instance, stage, abi, unit, calls) SELECT id, ?2, ?3,"
		" ifnull((SELECT max(id) FROM unit), 0), ?4 FROM instance WHERE workload = ?1"
		" AND (running OR source IS NOT NULL OR gone >= (SELECT began FROM unit ORDER BY "
		"id DESC LIMIT 1))"
		" ON CONFLICT DO UPDATE SET calls = sets_or(calls, excluded.calls)",
	[SQL_FORGOTTEN_GET] = "SELECT calls FROM forgotten"
			      " WHERE instance = ?1 AND stage = ?2 AND abi = ?3 AND unit >= ?4",

	[SQL_LEARNED_GET] = "SELECT calls FROM learned"
			    " WHERE workload = ?1 AND stage = ?2 AND abi = ?3",
	[SQL_LEARNED_SET] = "INSERT INTO learned (workload, stage, abi, calls)"
			    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET calls = ?4",
	[SQL_LEARNED_ALL] = "SELECT stage, abi, calls FROM learned WHERE workload = ?1",
	[SQL_LEARNED_WITHOUT] = "UPDATE learned SET calls = sets_without(calls, ?3)"
				" WHERE workload = ?1 AND abi = ?2",
	[SQL_LEARNED_DEL_ALL] = "DELETE FROM learned WHERE workload = ?1",

	[SQL_CALL_ADD] = "INSERT INTO call (workload, stage, abi, nr, first)"
			 " VALUES (?1, ?2, ?3, ?4, ?5)"
			 " ON CONFLICT DO UPDATE SET first = ?5 WHERE first > ?5",
	[SQL_CALL_LOWER] = "UPDATE call SET first = ?5 WHERE workload = ?1 AND stage = ?2"
			   " AND abi = ?3 AND first > ?5 AND sets_has(?4, nr)",
	/* The kernel says it once: of a call that was forgotten and made again, nobody knows. */
	[SQL_CALL_ORIGIN] =
		"INSERT INTO call (workload, stage, abi, nr, first, instance, pid, comm, exe)"
		" SELECT workload, ?2, ?3, ?4, ?5, ?1, ?6, ?7, ?8 FROM instance"
		" WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM forgotten WHERE instance = ?1"
		" AND stage = ?2 AND abi = ?3 AND sets_has(calls, ?4))"
		" ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
		" instance = ?1, pid = ?6, comm = ?7, exe = ?8 WHERE instance IS NULL",
	[SQL_CALL_COPY] =
		"INSERT OR IGNORE INTO call (workload, stage, abi, nr, first, instance, pid,"
		" comm, exe) SELECT ?1, stage, abi, nr, first, instance, pid, comm, exe FROM call"
		" WHERE workload = ?2 AND instance = ?3",
	[SQL_CALL_ALL] =
		"SELECT c.abi, c.nr, c.stage, c.first, c.pid, c.comm, c.exe, c.instance,"
		" i.container, i.source FROM call c LEFT JOIN instance i ON i.id = c.instance"
		" WHERE c.workload = ?1 ORDER BY c.abi, c.nr, c.stage",
	[SQL_CALL_DEL] = "DELETE FROM call WHERE workload = ?1 AND abi = ?2 AND nr = ?3",
	[SQL_CALL_DEL_ALL] = "DELETE FROM call WHERE workload = ?1",

	[SQL_GENERATION_NEWEST] = "SELECT number, digest FROM generation WHERE workload = ?1"
				  " ORDER BY number DESC LIMIT 1",
	[SQL_GENERATION_ADD] =
		"INSERT INTO generation (workload, number, created, maker, digest, descendants,"
		" state, failed, starts, since, last, units, lost_range, lost_full, lost_ring,"
		" lost_task, lost_gaps, leaves) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		" ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
	[SQL_GENERATION_ADD_SET] =
		"INSERT INTO generation_set (workload, number, stage, abi, calls)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_GENERATION_ADD_DENIED] = "INSERT INTO generation_denied (workload, number, abi, calls,"
				      " eperm) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_GENERATION_ADD_IMAGE] = "INSERT OR IGNORE INTO generation_image (workload, number,"
				     " digest) VALUES (?1, ?2, ?3)",
	[SQL_GENERATION_GET] =
		"SELECT created, maker, digest, descendants, state, failed, starts, since, last,"
		" units, lost_range, lost_full, lost_ring, lost_task, lost_gaps, leaves"
		" FROM generation WHERE workload = ?1 AND number = ?2",
	[SQL_GENERATION_SETS] = "SELECT stage, abi, calls FROM generation_set"
				" WHERE workload = ?1 AND number = ?2",
	[SQL_GENERATION_DENIED] = "SELECT abi, calls, eperm FROM generation_denied"
				  " WHERE workload = ?1 AND number = ?2",
	[SQL_GENERATION_IMAGES] = "SELECT digest FROM generation_image"
				  " WHERE workload = ?1 AND number = ?2 ORDER BY digest",
	[SQL_GENERATION_NUMBERS] = "SELECT number FROM generation WHERE workload = ?1"
				   " ORDER BY number",
	[SQL_GENERATION_STATE] = "UPDATE generation SET state = ?3, failed = ?4"
				 " WHERE workload = ?1 AND number = ?2",
	[SQL_GENERATION_DEL_ALL] = "DELETE FROM generation WHERE workload = ?1",

	/* 0 refers to nothing. */
	[SQL_APPLIED_SET] =
		"INSERT OR REPLACE INTO applied (workload, mode, generation, good, replace,"
		" unconfined, keep_new_image, since, rule)"
		" VALUES (?1, ?2, nullif(?3, 0), nullif(?4, 0), ?5, ?6, ?7, ?8, ?9)",
	[SQL_APPLIED_DEL] = "DELETE FROM applied WHERE workload = ?1",
	[SQL_APPLIED_GET] = "SELECT mode, generation, good, replace, unconfined, keep_new_image,"
			    " since, rule FROM applied WHERE workload = ?1",
	[SQL_APPLIED_ALL] = "SELECT workload FROM applied ORDER BY workload",

	/* ?1: into, ?2: from. */
	[SQL_MERGE_LEARNED] = "INSERT INTO learned (workload, stage, abi, calls)"
			      " SELECT ?1, stage, abi, calls FROM learned WHERE workload = ?2"
			      " ON CONFLICT DO UPDATE SET calls = sets_or(calls, excluded.calls)",
	/* Of two known origins the earlier one; then the earlier first. */
	[SQL_MERGE_CALLS] =
		"INSERT INTO call (workload, stage, abi, nr, first, instance, pid, comm, exe)"
		" SELECT ?1, stage, abi, nr, first, instance, pid, comm, exe FROM call"
		" WHERE workload = ?2 ON CONFLICT DO UPDATE SET instance = excluded.instance,"
		" pid = excluded.pid, comm = excluded.comm, exe = excluded.exe"
		" WHERE excluded.instance IS NOT NULL"
		" AND (instance IS NULL OR excluded.first < first)",
	[SQL_MERGE_FIRSTS] = "UPDATE call SET first = f.first FROM call f"
			     " WHERE call.workload = ?1 AND f.workload = ?2"
			     " AND f.stage = call.stage AND f.abi = call.abi"
			     " AND f.nr = call.nr AND f.first < call.first",
	[SQL_MERGE_INNER] = "INSERT INTO inner (workload, label, first, last)"
			    " SELECT ?1, label, first, last FROM inner WHERE workload = ?2"
			    " ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
			    " last = max(last, excluded.last)",
	[SQL_MERGE_IMAGES] = "INSERT INTO image (workload, digest, last)"
			     " SELECT ?1, digest, last FROM image WHERE workload = ?2"
			     " ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
	/* Which folded units they share nobody knows: no more are counted than one had. */
	[SQL_MERGE_WORKLOAD] = "UPDATE workload SET folded = max(workload.folded, f.folded),"
			       " first = min(workload.first, f.first)"
			       " FROM (SELECT folded, first FROM workload WHERE id = ?2) AS f"
			       " WHERE workload.id = ?1",
	[SQL_MERGE_TEXTS] =
		"UPDATE workload SET name = ifnull(workload.name, f.name),"
		" engine = ifnull(workload.engine, f.engine),"
		" image = ifnull(workload.image, f.image),"
		" image_digest = ifnull(workload.image_digest, f.image_digest),"
		" namespace = ifnull(workload.namespace, f.namespace),"
		" why_not = ifnull(workload.why_not, f.why_not),"
		" opted_out = max(workload.opted_out, f.opted_out)"
		" FROM (SELECT * FROM workload WHERE id = ?2) AS f WHERE workload.id = ?1",
	[SQL_MERGE_INSTANCES] = "UPDATE instance SET workload = ?1 WHERE workload = ?2",
	[SQL_MERGE_ALIASES] = "UPDATE alias SET workload = ?1 WHERE workload = ?2",

	[SQL_FOLD_GROUP] = "SELECT began / 86400, label, mine" OLD_UNITS
			   " GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY min(id) LIMIT 1",
	[SQL_FOLD_UNITS] = "SELECT id, began" OLD_UNITS " AND began / 86400 = ?2 AND label IS ?3"
			   " AND (mine IS NULL) = ?5 ORDER BY id LIMIT ?4",
	/* ?1: unit that goes, ?2: unit that takes its sets. Seen in both: counted twice before. */
	[SQL_FOLD_COUNT] =
		"UPDATE workload SET folded = folded + 1 WHERE id IN (SELECT i.workload"
		" FROM observation o JOIN instance i ON i.id = o.instance WHERE o.unit = ?1)"
		" AND id IN (SELECT i.workload"
		" FROM observation o JOIN instance i ON i.id = o.instance WHERE o.unit = ?2)",
	[SQL_FOLD_SETS] = "INSERT INTO observation (unit, instance, stage, abi, calls)"
			  " SELECT ?2, instance, stage, abi, calls FROM observation WHERE unit = ?1"
			  " ON CONFLICT DO UPDATE SET calls = sets_or(calls, excluded.calls)",
	[SQL_FOLD_DEL_SETS] = "DELETE FROM observation WHERE unit = ?1",
	[SQL_FOLD_DEL_UNIT] = "DELETE FROM unit WHERE id = ?1",
	/* The units that an instance was seen in are looked for between its first and last. */
	[SQL_FOLD_INSTANCES] =
		"UPDATE instance SET last_unit = max(last_unit, ?1),"
		" first_unit = (SELECT min(u.id) FROM unit u WHERE u.id >= instance.first_unit)"
		" WHERE id IN (SELECT instance FROM observation WHERE unit = ?1)",
	[SQL_FOLD_WORKLOADS] =
		"UPDATE workload SET last_unit = max(last_unit, ?1) WHERE id IN (SELECT i.workload"
		" FROM observation o JOIN instance i ON i.id = o.instance WHERE o.unit = ?1)"
		" AND last_unit < ?1",
	[SQL_FOLD_UNIT] = "UPDATE unit SET began = ?2 WHERE id = ?1 AND began < ?2",

	[SQL_FIND_KEY] = "SELECT id, key FROM workload WHERE key = ?1 UNION"
			 " SELECT w.id, w.key FROM alias a, workload w"
			 " WHERE a.key = ?1 AND w.id = a.workload",
	[SQL_FIND_NAME] = "SELECT id, key FROM workload WHERE name = ?1 ORDER BY key LIMIT 9",
	[SQL_FIND_PART] = "SELECT id, key FROM workload WHERE instr(key, ?1) > 0"
			  " OR instr(name, ?1) > 0 ORDER BY key LIMIT 9",
	[SQL_LIST] = ROW_COLUMNS " GROUP BY w.id ORDER BY w.key",
	[SQL_LIST_APPLIED] =
		ROW_COLUMNS " WHERE w.id IN (SELECT workload FROM applied WHERE mode = ?1)"
			    " GROUP BY w.id ORDER BY w.key",
	[SQL_LIST_ONE] = ROW_COLUMNS " WHERE w.id = ?1 GROUP BY w.id",
};

const char *store_sql_text(enum store_sql id)
{
	const char *text = sql[id] ? sql[id] : store_sql_denial(id);

	return text ? text : store_sql_mine(id);
}
