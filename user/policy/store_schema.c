/* SPDX-License-Identifier: Apache-2.0 */
/* The schema, its versions, and whether a file has one of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/store_internal.h"

/* The smallest page that SQLite knows. */
#define PAGE_MIN 512

/*
 * migrations[v] makes version v+1 of version v. Observations are keyed by unit first: a
 * drain appends to a few pages, whatever the number of workloads. `learned` is their union
 * by workload; `call` has one row for each member of it (first seen, and by whom; last seen
 * is read from the observations).
 */
static const char *const migrations[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;"
	"CREATE TABLE workload (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
	" engine TEXT, name TEXT, image TEXT, image_digest TEXT, first INTEGER NOT NULL,"
	" units INTEGER NOT NULL DEFAULT 0, last_unit INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE instance (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" instance TEXT NOT NULL UNIQUE,"
	" workload INTEGER NOT NULL REFERENCES workload (id) ON DELETE CASCADE,"
	" container TEXT, path TEXT, running INTEGER NOT NULL, starts INTEGER NOT NULL,"
	" lost_range INTEGER NOT NULL, lost_full INTEGER NOT NULL, lost_ring INTEGER NOT NULL,"
	" lost_task INTEGER NOT NULL, lost_gaps INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER, gone INTEGER,"
	" first_unit INTEGER, last_unit INTEGER) STRICT;"
	"CREATE INDEX instance_workload ON instance (workload);"
	"CREATE INDEX instance_running ON instance (id) WHERE running;"
	"CREATE TABLE unit (id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT NULL,"
	" label TEXT) STRICT;"
	"CREATE TABLE observation (unit INTEGER NOT NULL, instance INTEGER NOT NULL"
	" REFERENCES instance (id) ON DELETE CASCADE, stage INTEGER NOT NULL,"
	" abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (unit, instance, stage, abi)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE learned (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, stage INTEGER NOT NULL, abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (workload, stage, abi)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE call (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, stage INTEGER NOT NULL, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" first INTEGER NOT NULL, instance INTEGER, pid INTEGER, comm TEXT, exe TEXT,"
	" PRIMARY KEY (workload, stage, abi, nr)) STRICT, WITHOUT ROWID;",

	/* `owner` is who can make up such keys, `named` says that a person gave the name, `folded`
	 * counts the units that went when they were folded into another, `running` the instances
	 * that run. */
	"ALTER TABLE workload ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE workload ADD COLUMN namespace TEXT;"
	"ALTER TABLE workload ADD COLUMN why_not TEXT;"
	"ALTER TABLE workload ADD COLUMN named INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE workload ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;"
	"UPDATE workload SET owner = ifnull(engine, '');"
	"ALTER TABLE workload ADD COLUMN running INTEGER NOT NULL DEFAULT 0;"
	"UPDATE workload SET running ="
	" (SELECT count(*) FROM instance i WHERE i.workload = workload.id AND i.running);"
	"CREATE INDEX workload_owner ON workload (owner, running, last_unit);"
	"CREATE TRIGGER instance_comes AFTER INSERT ON instance WHEN new.running BEGIN"
	" UPDATE workload SET running = running + 1 WHERE id = new.workload; END;"
	"CREATE TRIGGER instance_goes AFTER DELETE ON instance WHEN old.running BEGIN"
	" UPDATE workload SET running = running - 1 WHERE id = old.workload; END;"
	"CREATE TRIGGER instance_changes AFTER UPDATE OF running, workload ON instance"
	" WHEN old.running <> new.running OR old.workload <> new.workload BEGIN"
	" UPDATE workload SET running = running - old.running WHERE id = old.workload;"
	" UPDATE workload SET running = running + new.running WHERE id = new.workload; END;"
	"ALTER TABLE instance ADD COLUMN pod TEXT;"
	"ALTER TABLE instance ADD COLUMN leaves INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN leave_comm TEXT;"
	"ALTER TABLE instance ADD COLUMN leave_path TEXT;"
	"DROP INDEX instance_running;"
	"CREATE INDEX instance_running ON instance (workload) WHERE running;"
	/* Without the reference: an instance that goes would have all of them read. Who takes out
	 * instances takes out their sets before, by unit. */
	"CREATE TABLE observed (unit INTEGER NOT NULL, instance INTEGER NOT NULL,"
	" stage INTEGER NOT NULL, abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (unit, instance, stage, abi)) STRICT, WITHOUT ROWID;"
	"INSERT INTO observed SELECT unit, instance, stage, abi, calls FROM observation;"
	"DROP TABLE observation;"
	"ALTER TABLE observed RENAME TO observation;"
	"CREATE TABLE alias (key TEXT PRIMARY KEY,"
	" workload INTEGER NOT NULL REFERENCES workload (id) ON DELETE CASCADE)"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX alias_workload ON alias (workload);"
	"CREATE TABLE inner (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, label TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY (workload, label)) STRICT, WITHOUT ROWID;"
	/* Calls of an instance that were forgotten when `unit` was the newest. */
	"CREATE TABLE forgotten (instance INTEGER NOT NULL REFERENCES instance (id)"
	" ON DELETE CASCADE, stage INTEGER NOT NULL, abi INTEGER NOT NULL, unit INTEGER NOT NULL,"
	" calls BLOB NOT NULL, PRIMARY KEY (instance, stage, abi, unit)) STRICT, WITHOUT ROWID;"
	/* What was counted of an instance when its workload was forgotten while it ran. */
	"CREATE TABLE baseline (instance INTEGER PRIMARY KEY REFERENCES instance (id)"
	" ON DELETE CASCADE, lost_range INTEGER NOT NULL, lost_full INTEGER NOT NULL,"
	" lost_ring INTEGER NOT NULL, lost_task INTEGER NOT NULL, lost_gaps INTEGER NOT NULL,"
	" leaves INTEGER NOT NULL) STRICT;",

	/* What is enforced. A generation is never changed but for its state; `applied` has a row
	 * for what isn't in observe; images are those that a workload was seen with. */
	"ALTER TABLE workload ADD COLUMN opted_out INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE generation (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, number INTEGER NOT NULL, created INTEGER NOT NULL, maker TEXT,"
	" digest TEXT NOT NULL, descendants INTEGER NOT NULL, state INTEGER NOT NULL,"
	" failed TEXT, starts INTEGER NOT NULL, since INTEGER NOT NULL, last INTEGER NOT NULL,"
	" units INTEGER NOT NULL, lost_range INTEGER NOT NULL, lost_full INTEGER NOT NULL,"
	" lost_ring INTEGER NOT NULL, lost_task INTEGER NOT NULL, lost_gaps INTEGER NOT NULL,"
	" leaves INTEGER NOT NULL, PRIMARY KEY (workload, number)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE generation_set (workload INTEGER NOT NULL, number INTEGER NOT NULL,"
	" stage INTEGER NOT NULL, abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (workload, number, stage, abi), FOREIGN KEY (workload, number)"
	" REFERENCES generation (workload, number) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE generation_denied (workload INTEGER NOT NULL, number INTEGER NOT NULL,"
	" abi INTEGER NOT NULL, calls BLOB NOT NULL,"
	" PRIMARY KEY (workload, number, abi), FOREIGN KEY (workload, number)"
	" REFERENCES generation (workload, number) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE generation_image (workload INTEGER NOT NULL, number INTEGER NOT NULL,"
	" digest TEXT NOT NULL, PRIMARY KEY (workload, number, digest),"
	" FOREIGN KEY (workload, number) REFERENCES generation (workload, number)"
	" ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE applied (workload INTEGER PRIMARY KEY REFERENCES workload (id)"
	" ON DELETE CASCADE, mode INTEGER NOT NULL, generation INTEGER NOT NULL, good INTEGER,"
	" replace INTEGER NOT NULL, unconfined INTEGER NOT NULL,"
	" keep_new_image INTEGER NOT NULL, since INTEGER NOT NULL,"
	" FOREIGN KEY (workload, generation) REFERENCES generation (workload, number),"
	" FOREIGN KEY (workload, good) REFERENCES generation (workload, number)) STRICT;"
	"CREATE TABLE verdict (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" verdict INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (workload, abi, nr))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE image (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, digest TEXT NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY (workload, digest)) STRICT, WITHOUT ROWID;"
	"INSERT INTO image SELECT id, image_digest, first FROM workload"
	" WHERE image_digest IS NOT NULL;",

	/* What was refused, and who decides on it. An oracle's row is all the state it has;
	 * oracle_loop has a row for each loop of the last hours. `source` is set of an instance
	 * that stands for calls learned otherwise than by the sensor; `forgot` is the newest unit
	 * when the workload was forgotten while it ran. */
	"ALTER TABLE instance ADD COLUMN source TEXT;"
	"ALTER TABLE workload ADD COLUMN forgot INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE applied ADD COLUMN rule INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE denial (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, kind INTEGER NOT NULL, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" generation INTEGER NOT NULL, pid INTEGER, comm TEXT, exe TEXT, count INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (workload, kind, abi, nr))"
	" STRICT, WITHOUT ROWID;"
	/* What of the kernel's counts is in there already: they go on while no daemon runs. */
	"CREATE TABLE counted (boot TEXT NOT NULL, cgroup INTEGER NOT NULL, abi INTEGER NOT NULL,"
	" nr INTEGER NOT NULL, first_ms INTEGER NOT NULL, count INTEGER NOT NULL,"
	" PRIMARY KEY (cgroup, abi, nr, boot)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE oracle (workload INTEGER PRIMARY KEY REFERENCES workload (id)"
	" ON DELETE CASCADE, production TEXT NOT NULL, hardened TEXT NOT NULL,"
	" is_image INTEGER NOT NULL, replay TEXT, window_s INTEGER NOT NULL,"
	" bootstrap INTEGER NOT NULL, by_rule INTEGER NOT NULL, per_hour INTEGER NOT NULL,"
	" state INTEGER NOT NULL, since INTEGER NOT NULL, deadline INTEGER NOT NULL,"
	" tries INTEGER NOT NULL, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" loops INTEGER NOT NULL, learned INTEGER NOT NULL, rejected INTEGER NOT NULL,"
	" saved INTEGER NOT NULL, failures INTEGER NOT NULL, began INTEGER NOT NULL, why TEXT)"
	" STRICT;"
	"CREATE TABLE oracle_call (workload INTEGER NOT NULL REFERENCES workload (id)"
	" ON DELETE CASCADE, abi INTEGER NOT NULL, nr INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, at INTEGER NOT NULL, loop INTEGER NOT NULL, report TEXT,"
	" PRIMARY KEY (workload, abi, nr)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE oracle_loop (id INTEGER PRIMARY KEY AUTOINCREMENT, workload INTEGER NOT NULL"
	" REFERENCES workload (id) ON DELETE CASCADE, began INTEGER NOT NULL) STRICT;"
	"CREATE INDEX oracle_loop_workload ON oracle_loop (workload, began);",

	/* Mining runs and how complete things are. `mine` of a unit: the run it was sampled by, 0 when
	 * that is gone, NULL when it never was one's; `mined` of an instance: a run started it; `errno` and `mined` of a verdict are those of
	 * store_verdict_mined; `eperm` are the denied calls that get EPERM, NULL: none. */
	"CREATE TABLE mine (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" workload INTEGER REFERENCES workload (id) ON DELETE CASCADE, began INTEGER NOT NULL,"
	" ended INTEGER NOT NULL, state INTEGER NOT NULL, generation INTEGER NOT NULL,"
	" minimised INTEGER NOT NULL, target TEXT NOT NULL, tests TEXT, why TEXT) STRICT;"
	"CREATE INDEX mine_workload ON mine (workload);"
	"ALTER TABLE unit ADD COLUMN mine INTEGER;"
	"ALTER TABLE unit ADD COLUMN outcome INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX unit_mine ON unit (mine) WHERE mine IS NOT NULL;"
	"CREATE TRIGGER mine_goes AFTER DELETE ON mine BEGIN"
	" UPDATE unit SET mine = 0, label = NULL, outcome = 0 WHERE mine = old.id; END;"
	"CREATE TABLE minimised (mine INTEGER NOT NULL REFERENCES mine (id) ON DELETE CASCADE,"
	" abi INTEGER NOT NULL, nr INTEGER NOT NULL, state INTEGER NOT NULL,"
	" errno INTEGER NOT NULL, why TEXT, PRIMARY KEY (mine, abi, nr)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE coverage (workload INTEGER PRIMARY KEY REFERENCES workload (id)"
	" ON DELETE CASCADE, at INTEGER NOT NULL, units INTEGER NOT NULL, known INTEGER NOT NULL,"
	" coverage REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,"
	" next_hour REAL NOT NULL) STRICT;"
	"ALTER TABLE instance ADD COLUMN mined INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE verdict ADD COLUMN errno INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE verdict ADD COLUMN mined INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE generation_denied ADD COLUMN eperm BLOB;",

	/* When nobody watched, by an hour or a day; `slept` in ms. */
	("CREATE TABLE nap (began INTEGER PRIMARY KEY, ended INTEGER NOT NULL,"
	 " slept INTEGER NOT NULL) STRICT;"),
};

_Static_assert(ARRAY_SIZE(migrations) == STORE_VERSION, "one step a version");

/* The first column of the only row. */
static int ask_int(struct store *s, const char *text, int *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &stmt, NULL);
	int r;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	r = rc == SQLITE_ROW ? 0 : store_fail_sqlite(s, rc);
	if (r == 0)
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return r;
}

/* SQLite reads what is missing of the last page as zeros, and takes a file that is shorter than
 * any page for a new one. A log beside it may still have to complete the file. */
static int check_size(struct store *s)
{
	struct stat st;
	int page = 0, r = ask_int(s, "PRAGMA page_size", &page);

	if (r < 0)
		return r;
	if (stat(s->path, &st) < 0)
		return store_fail(s, -errno, "%s", strerror(errno));
	if (st.st_size % (page > 0 ? page : PAGE_MIN) == 0)
		return 0;
	if (st.st_size >= PAGE_MIN && store_has_log(s))
		return 0;
	return store_fail(s, -EUCLEAN, "not a usable store (truncated)");
}

struct header {
	int application_id, version, tables;
};

/* As of one moment: another process may be making the store right now. */
static int read_header(struct store *s, struct header *ret)
{
	int r = store_exec(s, "SAVEPOINT header");

	if (r < 0)
		return r;
	r = ask_int(s, "PRAGMA application_id", &ret->application_id);
	if (r == 0)
		r = ask_int(s, "PRAGMA user_version", &ret->version);
	if (r == 0)
		r = ask_int(s, "SELECT count(*) FROM sqlite_schema", &ret->tables);
	if (r == 0)
		r = check_size(s);
	(void)sqlite3_exec(s->db, "RELEASE header", NULL, NULL, NULL);
	return r;
}

int store_version(struct store *s, int *ret)
{
	struct header h = { 0 };
	int r = read_header(s, &h);

	if (r < 0)
		return r;
	if (h.tables == 0 && h.application_id == 0 && h.version == 0) {
		*ret = 0;
		return 0;
	}
	if (h.application_id != (int)STORE_APPLICATION_ID || h.version < 1)
		return store_fail(s, -EUCLEAN, "a database, but not a store of tamis");
	if (h.version > STORE_VERSION)
		return store_fail(s, -EPROTO, "store version %d, this tamis knows up to %d",
				  h.version, STORE_VERSION);
	*ret = h.version;
	return 0;
}

static int migrate_steps(struct store *s)
{
	char pragmas[128];
	int version = 0, from, r = store_version(s, &version);

	from = version;
	for (; r == 0 && version < STORE_VERSION; version++)
		r = store_exec(s, migrations[version]);
	/* Version 1 left it to the observations when a call was first seen. */
	if (r == 0 && from == 1)
		r = store_lower_firsts(s);
	if (r < 0)
		return r;
	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 (int)STORE_APPLICATION_ID, STORE_VERSION);
	return store_exec(s, pragmas);
}

/* One transaction, the version read again inside: another process may be doing the same. */
int store_migrate(struct store *s)
{
	int r = store_begin(s);

	if (r < 0)
		return r;
	r = migrate_steps(s);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}
