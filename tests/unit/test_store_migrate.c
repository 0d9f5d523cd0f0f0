/* SPDX-License-Identifier: Apache-2.0 */
/* A store that an older version left: all of it is there afterwards, or it is as it was. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/file.h"
#include "policy/denials.h"
#include "store_fixture.h"
#include "store_versions.h"
#include "unit/skip.h"

#define STORE_NOW 5 /* the version that they become */

static void run_sql(const char *text)
{
	char *error = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What a test begins with, and what must be there after it. */
static const struct old {
	const char *schema, *content, *more;
	int version;
	int64_t calls;
	size_t workloads;
	void (*check)(void);
} * old;

static int make_old(const struct old *o)
{
	int r = make_dir(NULL);

	old = o;
	if (r == 0) {
		run_sql(o->schema);
		run_sql(o->content);
		if (o->more)
			run_sql(o->more);
	}
	return r;
}

/* The rows of a query, every value in SQL's own words. */
static void dump(FILE *f, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int c = 0; c < sqlite3_column_count(stmt); c++) {
			const char *text = (const char *)sqlite3_column_blob(stmt, c);
			int len = sqlite3_column_bytes(stmt, c);

			fprintf(f, "%d:", sqlite3_column_type(stmt, c));
			for (int i = 0; i < len; i++)
				fprintf(f, "%02x", (unsigned char)text[i]);
			fputc(' ', f);
		}
		fputc('\n', f);
	}
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What only readers of the daemon's own kind see, row by row. */
static const char *const all_rows[] = {
	"SELECT count(*) * 1000000 + sum(id * units) FROM workload WHERE last_unit > 0",
	"SELECT sum(id * workload) + sum(first_unit) + sum(last_unit) FROM instance",
	"SELECT count(*) * 1000000 + sum(unit * instance) FROM observation",
	"SELECT count(*) + sum(instr(hex(calls), '02')) FROM observation",
	"SELECT count(*) * 1000 + sum(began) FROM unit",
	"SELECT count(*) FROM call WHERE pid IS NOT NULL AND length(exe) > 3",
	"SELECT count(*) FROM learned",
	"SELECT count(*) FROM unit WHERE label = 'before'",
};

static void assert_migrated(void)
{
	char *units = NULL;
	struct store_row row = row_of("redis");

	assert_string_equal(row.key, "podman/redis");
	assert_string_equal(row.owner, "podman");
	assert_string_equal(row.engine, "podman");
	assert_null(row.image);
	assert_null(row.why_not);
	assert_null(row.leave_comm);
	assert_string_equal(row.container, "abc");
	assert_true(row.running);
	assert_int_equal(row.evidence.starts, 3);
	assert_int_equal(row.evidence.units, 3);
	assert_int_equal(row.evidence.since, NOW);
	assert_int_equal(row.evidence.last, NOW + 130);
	assert_int_equal(row.evidence.lost_range, 1);
	assert_int_equal(row.evidence.lost_gaps, 5);
	assert_int_equal(row.evidence.leaves, 0);
	assert_int_equal(row.replicas, 2);
	assert_int_equal(row.calls, 3);
	store_row_done(&row);
	assert_stored(store_meta_get(st, "units", &units));
	assert_string_equal(units, "boot 7 3 2");
	free(units);
}

static void assert_migrated_origins(void)
{
	struct store_row row = row_of("redis");
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	assert_stored(store_origins(st, row.id, &o, &cnt));
	store_row_done(&row);
	assert_int_equal(cnt, 3);
	assert_string_equal(o[0].comm, "comm");
	assert_string_equal(o[0].replica, "abc");
	assert_int_equal(o[0].last, NOW + 120);
	assert_int_equal(o[1].nr, 2);
	assert_int_equal(o[1].first, NOW + 60);
	assert_string_equal(o[2].exe, "/bin/sh");
	store_origins_free(o, cnt);
	/* ... and not only because the unit is still there. */
	assert_int_equal(ask_db("SELECT first FROM call WHERE workload = 201 AND nr = 2"),
			 NOW + 60);
}

static void nothing_is_lost(void **state)
{
	int64_t before[ARRAY_SIZE(all_rows)];

	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		before[n] = ask_db(all_rows[n]);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	for (size_t n = 0; n < ARRAY_SIZE(all_rows); n++)
		assert_int_equal(ask_db(all_rows[n]), before[n]);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_int_equal(count_workloads(), 201);
	assert_migrated();
	assert_migrated_origins();
	assert_int_equal(broken_rule(), 0);
}

/* The same tables, columns and indices as in a new store; and the recorded schema is what it was. */
static void a_migrated_store_is_as_a_new_one(void **state)
{
	static const char shape[] = "SELECT sum(length(sql)) * 1000 + count(*) FROM sqlite_schema";
	int64_t migrated;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	migrated = ask_db(shape);
	(void)drop_dir(NULL);
	assert_int_equal(open_store(NULL), 0);
	assert_int_equal(ask_db(shape), migrated);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
}

/* --- version 2 ---------------------------------------------------------------------------- */

#define WORKLOAD2                                                                     \
	"id, key, engine, name, image, image_digest, first, units, last_unit, owner," \
	" namespace, why_not, named, folded, running"
#define INSTANCE2                                                                          \
	"id, instance, workload, container, path, running, starts, lost_range, lost_full," \
	" lost_ring, lost_task, lost_gaps, first, last, gone, first_unit, last_unit, pod," \
	" leaves, leave_comm, leave_path"

/* Every table that version 2 had, whole: what was added to workloads, instances and units comes after. */
static void dump_version2(char **ret)
{
	static const char *const tables[] = { "meta",  "observation", "learned",   "call",
					      "alias", "inner",	      "forgotten", "baseline" };
	size_t len = 0;
	FILE *f = open_memstream(ret, &len);

	assert_non_null(f);
	dump(f, "SELECT " WORKLOAD2 " FROM workload ORDER BY id");
	dump(f, "SELECT " INSTANCE2 " FROM instance ORDER BY id");
	dump(f, "SELECT id, began, label FROM unit");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[i]);
		dump(f, sql);
	}
	assert_int_equal(fclose(f), 0);
}

static void assert_rows_of_version2(void)
{
	struct store_row row = row_of("podman/redis-old");
	char **image = NULL;
	size_t cnt = 0;

	assert_string_equal(row.key, "podman/redis");
	assert_false(row.opted_out);
	assert_int_equal(row.mode, MODE_OBSERVE);
	assert_int_equal(row.generation, 0);
	assert_int_equal(row.evidence.lost_gaps, 6);
	assert_int_equal(row.evidence.leaves, 2);
	assert_int_equal(row.evidence.units, 5);
	assert_stored(store_images(st, row.id, &image, &cnt));
	store_row_done(&row);
	assert_int_equal(cnt, 1);
	assert_string_equal(image[0], "sha256:aa");
	free_texts(image, cnt);
	assert_stored(store_images(st, 2, &image, &cnt));
	assert_int_equal(cnt, 0);
	free_texts(image, cnt);
}

static void nothing_of_version2_is_lost(void **state)
{
	_free_ char *before = NULL, *after = NULL;

	dump_version2(&before);
	assert_true(strlen(before) > 1500);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	dump_version2(&after);
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_rows_of_version2();
	assert_int_equal(broken_rule(), 0);
}

/* Enforcing begins with what was learned before. */
static void version2_gets_generations(void **state)
{
	_generation_ struct generation g = { .created = NOW }, back = { 0 };
	struct store_applied a = { .mode = MODE_ENFORCE, .generation = 1, .since = NOW };

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	assert_stored(store_learned(st, 1, &g.learned));
	IN_TRANSACTION
	{
		assert_int_equal(store_generation_add(st, 1, &g), 0);
		assert_stored(store_applied_set(st, 1, &a));
		assert_stored(store_verdict_set(st, 1, TAMIS_ABI_X86_64, 321, VERDICT_DENY, NOW));
	}
	assert_stored(store_generation_get(st, 1, 1, &back));
	assert_memory_equal(&back.learned, &g.learned, sizeof(g.learned));
	assert_int_equal(broken_rule(), 0);
}

/* --- version 3 ---------------------------------------------------------------------------- */

/* What version 3 had besides; some tables got columns since. */
static void dump_version3(char **ret)
{
	static const char *const queries[] = {
		"SELECT opted_out, " WORKLOAD2 " FROM workload ORDER BY id",
		"SELECT " INSTANCE2 " FROM instance ORDER BY id",
		"SELECT workload, mode, generation, good, replace, unconfined, keep_new_image,"
		" since FROM applied",
		"SELECT * FROM generation",
		"SELECT * FROM generation_set",
		"SELECT workload, number, abi, calls FROM generation_denied",
		"SELECT * FROM generation_image",
		"SELECT workload, abi, nr, verdict, since FROM verdict",
		"SELECT * FROM image",
		"SELECT * FROM call",
		"SELECT * FROM observation",
	};
	size_t len = 0;
	FILE *f = open_memstream(ret, &len);

	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		dump(f, queries[i]);
	assert_int_equal(fclose(f), 0);
}

static void assert_rows_of_version3(void)
{
	struct store_row row = row_of("podman/redis");
	struct store_applied a = { 0 };
	struct verdicts v;

	assert_int_equal(row.mode, MODE_ENFORCE);
	assert_int_equal(row.generation, 2);
	assert_int_equal(row.replicas, 2);
	store_row_done(&row);
	assert_stored(store_applied_get(st, 1, &a));
	assert_int_equal(a.good, 1);
	assert_true(a.unconfined && a.keep_new_image && !a.replace && !a.probe_new_image);
	assert_int_equal(a.rule, PROBATION_LEARN);
	assert_int_equal(ask_db("SELECT state FROM generation WHERE failed = 'killed'"),
			 GENERATION_FAILED);
	assert_stored(store_verdicts(st, 1, &v));
	assert_true(sysset_has(&v.denied[0], 3) && sysset_has(&v.allowed[1], 1));
}

static void nothing_of_version3_is_lost(void **state)
{
	_free_ char *before = NULL, *after = NULL;

	dump_version3(&before);
	assert_true(strlen(before) > 2000);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	dump_version3(&after);
	assert_string_equal(after, before);
	assert_int_equal(ask_db("PRAGMA user_version"), STORE_NOW);
	assert_rows_of_version3();
	assert_int_equal(broken_rule(), 0);
}

/* What came with version 4, in a store that is older. */
static void version3_gets_denials(void **state)
{
	struct store_denial d = { .workload = 1,
				  .abi = TAMIS_ABI_X86_64,
				  .nr = 57,
				  .count = 1,
				  .first = NOW,
				  .last = NOW };
	struct store_applied a = { .mode = MODE_PROBATION, .generation = 2, .since = NOW };
	struct sysset calls = SET(57);
	bool is_new = false;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &d, &is_new));
		assert_stored(store_learn(st, 1, "keeper", TAMIS_ABI_X86_64, &calls, NULL, NOW));
		assert_stored(store_applied_set(st, 1, &a));
	}
	assert_true(is_new);
	assert_set(learned_in(1, TAMIS_WORKLOAD), SET(1, 2, 57));
	assert_stored(store_applied_get(st, 1, &a));
	assert_int_equal(a.mode, MODE_PROBATION);
	assert_int_equal(broken_rule(), 0);
}

/* -------------------------------------------------------------------------------------------- */

static void what_it_learns_goes_on(void **state)
{
	const struct store_prune fold = { .fold_before = NOW + 86400 };
	struct store_pruned pruned = { 0 };
	int64_t w;
	bool running;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION
	{
		w = add_workload("podman/redis", "redis");
		assert_int_equal(w, 201);
		assert_int_equal(add_instance("boot/a", w, NOW + 200), 201);
		add_calls(201, add_unit(NOW + 200), TAMIS_WORKLOAD, SET(3), NOW + 201);
		add_calls(201, add_unit(NOW + 260), TAMIS_WORKLOAD, SET(4), NOW + 261);
		assert_stored(store_prune(st, &fold, NULL, NULL, &pruned));
		assert_int_equal(pruned.units, 1); /* that of "before" is one of its own */
		assert_stored(store_forget(st, 7, &running));
	}
	assert_set(learned_in(w, TAMIS_WORKLOAD), SET(1, 2, 3, 4));
	assert_int_equal(count_workloads(), 200);
	assert_int_equal(broken_rule(), 0);
}

static void commands_leave_it_to_the_daemon(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_EDIT };
	_free_ char *before = NULL, *after = NULL;
	size_t before_len, after_len;

	assert_int_equal(file_read(db_path, 1 << 24, &before, &before_len), 0);
	for (size_t n = 0; n < ARRAY_SIZE(modes); n++) {
		assert_int_equal(store_open(state_dir, modes[n], &st), -EPROTO);
		assert_non_null(strstr(store_error(NULL), "'tamis daemon'"));
	}
	assert_int_equal(file_read(db_path, 1 << 24, &after, &after_len), 0);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
}

/* --- failing ----------------------------------------------------------------------------- */

/* A disk without room for it; then with. */
static int migrate_on_full_disk(const char *data, size_t len)
{
	char size[32];

	/* what readers of a log share takes 32 KiB of it */
	snprintf(size, sizeof(size), "size=%zu", len + (56 << 10));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tamis-test", state_dir, "tmpfs", 0, size) < 0)
		return 77;
	if (file_write_atomic(db_path, data, len, 0600) < 0)
		return 2;
	if (store_open(state_dir, STORE_WRITE, &st) != -ENOSPC)
		return 3;
	if (ask_db("PRAGMA user_version") != old->version ||
	    ask_db("SELECT count(*) FROM call") != old->calls)
		return 4;
	if (mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT, "size=16m") < 0)
		return 77;
	if (store_open(state_dir, STORE_WRITE, &st) < 0 || count_workloads() != old->workloads)
		return 5;
	return broken_rule();
}

static void full_disks_leave_it_as_it_was(void **state)
{
	_free_ char *data = NULL;
	size_t len;
	int status;
	pid_t pid;

	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(migrate_on_full_disk(data, len));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no file system of its own can be mounted here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void kills_leave_one_or_the_other(void **state)
{
	_free_ char *data = NULL;
	unsigned unchanged = 0;
	size_t len;

	assert_int_equal(file_read(db_path, 1 << 24, &data, &len), 0);
	for (int round = 0; round < 30; round++) {
		int status;
		pid_t pid;

		assert_int_equal(drop_dir(NULL), 0);
		assert_int_equal(make_dir(NULL), 0);
		assert_int_equal(file_write_atomic(db_path, data, len, 0600), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(store_open(state_dir, STORE_WRITE, &st) < 0);
		usleep((unsigned)round * 2500);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		unchanged += ask_db("PRAGMA user_version") == old->version;
		assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
		old->check();
		assert_int_equal(broken_rule(), 0);
	}
	print_message("30 kills, %u before the end\n", unchanged);
}

static void check_version1(void)
{
	assert_migrated();
	assert_migrated_origins();
}

static int make_version1(void **state)
{
	static const struct old version1 = { schema1, content1, NULL, 1, 203, 201, check_version1 };

	return make_old(&version1);
}

static int make_version2(void **state)
{
	static const struct old version2 = {
		schema2, content2, NULL, 2, 4, 3, assert_rows_of_version2
	};

	return make_old(&version2);
}

static int make_version3(void **state)
{
	static const struct old version3 = {
		schema3, content2, content3, 3, 4, 3, assert_rows_of_version3
	};

	return make_old(&version3);
}

#define TEST(f)	 cmocka_unit_test_setup_teardown(f, make_version1, drop_dir)
#define TEST2(f) cmocka_unit_test_setup_teardown(f, make_version2, drop_dir)
#define TEST3(f) cmocka_unit_test_setup_teardown(f, make_version3, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost),
		TEST2(nothing_of_version2_is_lost),
		TEST(a_migrated_store_is_as_a_new_one),
		TEST2(a_migrated_store_is_as_a_new_one),
		TEST3(a_migrated_store_is_as_a_new_one),
		TEST(what_it_learns_goes_on),
		TEST2(version2_gets_generations),
		TEST3(nothing_of_version3_is_lost),
		TEST3(version3_gets_denials),
		TEST(commands_leave_it_to_the_daemon),
		TEST2(commands_leave_it_to_the_daemon),
		TEST3(commands_leave_it_to_the_daemon),
		TEST(full_disks_leave_it_as_it_was),
		TEST2(full_disks_leave_it_as_it_was),
		TEST3(full_disks_leave_it_as_it_was),
		TEST(kills_leave_one_or_the_other),
		TEST2(kills_leave_one_or_the_other),
		TEST3(kills_leave_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
