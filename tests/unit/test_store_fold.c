/* SPDX-License-Identifier: Apache-2.0 */
/* Units of days long past become one a day: what is lost is the time of day. */
#include "store_fixture.h"

#define DAY   86400
#define TODAY ((int64_t)NOW / DAY * DAY)

static struct store_pruned prune(int64_t gone_before, int64_t fold_before)
{
	const struct store_prune what = { gone_before, fold_before };
	struct store_pruned pruned = { 77, 77 };

	assert_stored(store_prune(st, &what, NULL, NULL, &pruned));
	return pruned;
}

#define DAYS	  4
#define WORKLOADS 3

static unsigned next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 11);
}

static struct sysset some_calls(void)
{
	struct sysset s = { 0 };

	for (int n = 0; n < 5; n++)
		sysset_add(&s, next_random() % 70);
	return s;
}

/* The daemon's drains of a unit: of most instances, in any order, some of the unit before. */
static void show_unit(const int64_t *instance, size_t cnt, int64_t before, int64_t unit,
		      int64_t now)
{
	for (size_t n = 0; n < cnt; n++) {
		if (next_random() % 3 == 0)
			continue;
		add_calls(instance[n], unit, next_random() % 2 ? TAMIS_WORKLOAD : TAMIS_SETUP,
			  some_calls(), now);
		if (before && next_random() % 3 == 0)
			add_calls(instance[n], before, TAMIS_WORKLOAD, some_calls(), now);
	}
}

static void show_days(void)
{
	static const char *const labels[] = { NULL, NULL, NULL, NULL, "before", "test" };
	int64_t instance[2 * WORKLOADS], unit = 0, id;

	for (int day = 0; day < DAYS; day++) {
		for (int n = 0; n < 40; n++) {
			int64_t now = TODAY - (DAYS - day) * DAY + n * 2000, before = unit;

			if (n % 20 == 0) { /* each day has instances of its own, too */
				for (int w = 0; w < 2 * WORKLOADS; w++) {
					char key[16];

					snprintf(key, sizeof(key), "w%d", w / 2);
					id = add_workload(key, NULL);
					snprintf(key, sizeof(key), "%d/%d", w, w % 2 ? 0 : day);
					instance[w] = add_instance(key, id, now + 100);
				}
			}
			assert_stored(store_unit_begin(st, now, labels[next_random() % 6], &unit));
			show_unit(instance, 2 * WORKLOADS, before, unit, now + 300);
		}
	}
}

/* All that a reader can see. */
struct view {
	struct store_row *rows;
	size_t cnt;
	struct learned learned[WORKLOADS];
	struct policy_origin *o[WORKLOADS];
	size_t o_cnt[WORKLOADS];
};

static void look(struct view *v)
{
	assert_stored(store_list(st, &v->rows, &v->cnt));
	assert_int_equal(v->cnt, WORKLOADS);
	for (size_t n = 0; n < WORKLOADS; n++) {
		assert_stored(store_learned(st, v->rows[n].id, &v->learned[n]));
		assert_stored(store_origins(st, v->rows[n].id, &v->o[n], &v->o_cnt[n]));
		assert_true(v->o_cnt[n] > 50);
	}
}

static void view_done(struct view *v)
{
	for (size_t n = 0; n < v->cnt; n++) {
		store_row_done(&v->rows[n]);
		store_origins_free(v->o[n], v->o_cnt[n]);
	}
	free(v->rows);
}

static void assert_same_call(const struct policy_origin *a, const struct policy_origin *b,
			     int64_t folded_before)
{
	assert_int_equal(a->abi, b->abi);
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->stage, b->stage);
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->replicas, b->replicas);
	if (a->last >= folded_before)
		assert_int_equal(a->last, b->last);
	assert_int_equal(a->last / DAY, b->last / DAY);
	assert_true(b->last >= a->last);
}

static void assert_same_view(const struct view *a, const struct view *b, int64_t folded_before)
{
	for (size_t n = 0; n < WORKLOADS; n++) {
		assert_memory_equal(&a->rows[n].evidence, &b->rows[n].evidence,
				    sizeof(a->rows[n].evidence));
		assert_int_equal(a->rows[n].replicas, b->rows[n].replicas);
		assert_memory_equal(&a->learned[n], &b->learned[n], sizeof(a->learned[n]));
		assert_int_equal(a->o_cnt[n], b->o_cnt[n]);
		for (size_t c = 0; c < a->o_cnt[n]; c++)
			assert_same_call(&a->o[n][c], &b->o[n][c], folded_before);
	}
}

/* Units are folded before these, one after the other; units are left, by day and label. */
static const struct {
	int64_t before[4];
} folds[] = {
	{ { TODAY } },
	{ { TODAY + DAY } },
	{ { TODAY - DAY, TODAY } },
	{ { TODAY - DAY - 30000, TODAY - DAY - 20000, TODAY } },
	{ { TODAY - 2 * DAY + 1, TODAY - 2 * DAY + 40001, TODAY - DAY, TODAY } },
};

static void fold_as(size_t which)
{
	struct view before = { 0 }, after = { 0 };
	uint64_t folded = 0;
	int64_t units = ask_db("SELECT count(*) FROM unit");

	look(&before);
	IN_TRANSACTION
	{
		for (int n = 0; n < 4 && folds[which].before[n]; n++)
			folded += prune(0, folds[which].before[n]).units;
	}
	look(&after);
	assert_same_view(&before, &after, INT64_MAX);
	assert_int_equal(units - ask_db("SELECT count(*) FROM unit"), folded);
	/* The newest two are of today as well, and stay. */
	assert_int_equal(ask_db("SELECT count(*) - count(DISTINCT (began / 86400) || ifnull(label, "
				"'-')) FROM"
				" unit WHERE id < (SELECT max(id) - 1 FROM unit)"),
			 0);
	assert_int_equal(ask_db("SELECT max(id) - 1 IN (SELECT id FROM unit) FROM unit"), 1);
	assert_int_equal(broken_rule(), 0);
	view_done(&before);
	view_done(&after);
}

static void folding_changes_times_of_day_only(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(folds); n++) {
		IN_TRANSACTION show_days();
		fold_as(n);
		(void)drop_dir(NULL);
		assert_int_equal(open_store(NULL), 0);
	}
}

static void later_units_are_left_as_they_are(void **state)
{
	struct view before = { 0 }, after = { 0 };
	int64_t cut = TODAY - DAY - 30000;

	IN_TRANSACTION show_days();
	look(&before);
	IN_TRANSACTION assert_true(prune(0, cut).units > 50);
	look(&after);
	assert_same_view(&before, &after, cut);
	view_done(&before);
	view_done(&after);
}

static void nothing_to_do_writes_nothing(void **state)
{
	uint64_t before;

	IN_TRANSACTION
	{
		show_days();
		assert_true(prune(0, TODAY).units > 0);
	}
	before = log_written();
	IN_TRANSACTION
	{
		struct store_pruned p = prune(TODAY - 9 * DAY, TODAY);

		assert_int_equal(p.workloads, 0);
		assert_int_equal(p.units, 0);
	}
	assert_int_equal(log_written(), before);
}

/* Four units, the clock set back after the first; the daemon may still write the last two. */
static void the_newest_two_are_left(void **state)
{
	static const int64_t began[] = { TODAY + 500, TODAY + 100, TODAY + 200, TODAY + 300 };
	struct policy_origin *o = NULL;
	int64_t unit[ARRAY_SIZE(began)], w, i;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		i = add_instance("i", w = add_workload("k", NULL), TODAY);
		for (size_t n = 0; n < ARRAY_SIZE(began); n++) {
			unit[n] = add_unit(began[n]);
			add_calls(i, unit[n], TAMIS_WORKLOAD, SET((int)n), NOW);
		}
		for (int n = 0; n < 2; n++)
			assert_int_equal(prune(0, TODAY + DAY).units, n == 0);
	}
	assert_int_equal(ask_db("SELECT group_concat(id, '') FROM unit"), 234);
	assert_int_equal(ask_db("SELECT count(*) FROM observation WHERE unit = 3"), 1);
	assert_stored(store_origins(st, w, &o, &cnt));
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 0)->last, TODAY + 500);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 1)->last, TODAY + 500);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 1)->first, TODAY + 100);
	assert_int_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 2)->last, TODAY + 200);
	store_origins_free(o, cnt);
	assert_int_equal(broken_rule(), 0);
}

static int64_t first_of(int64_t workload, uint32_t nr)
{
	struct policy_origin *o = NULL;
	size_t cnt = 0;
	int64_t first;

	assert_stored(store_origins(st, workload, &o, &cnt));
	first = origin_of(o, cnt, TAMIS_WORKLOAD, nr)->first;
	store_origins_free(o, cnt);
	return first;
}

/* One unit, two instances: the one that was there later is drained first. A day on, units don't
 * tell any more; nor where the instance goes whose engine named it so late. */
static void firsts_and_counts_outlive_units_and_moves(void **state)
{
	int64_t a, b, old, new, u[3];
	struct store_row row;

	IN_TRANSACTION
	{
		old = add_workload("cgroup/x", NULL);
		for (int n = 0; n < 3; n++)
			u[n] = add_unit(TODAY - DAY + 60 * n);
		a = add_instance("a", old, TODAY - DAY + 20);
		b = add_instance("b", old, TODAY - DAY + 10);
		add_calls(a, u[0], TAMIS_WORKLOAD, SET(1), NOW);
		add_calls(b, u[0], TAMIS_WORKLOAD, SET(1), NOW);
		add_calls(b, u[1], TAMIS_WORKLOAD, SET(1, 2), NOW);
		for (int n = 0; n < 2; n++)
			(void)add_unit(NOW + n);
		assert_int_equal(prune(0, TODAY).units, 2);
		assert_int_equal(first_of(old, 1), TODAY - DAY + 10);
		assert_int_equal(first_of(old, 2), TODAY - DAY + 60);
		new = add_workload("podman/x", "x");
		assert_int_equal(add_instance("a", new, NOW), a);
		assert_int_equal(add_instance("b", new, NOW), b);
	}
	assert_int_equal(count_workloads(), 1);
	assert_int_equal(first_of(new, 1), TODAY - DAY + 10);
	assert_int_equal(first_of(new, 2), TODAY - DAY + 60);
	row = row_of("podman/x");
	assert_int_equal(row.evidence.units, 2);
	store_row_done(&row);
	assert_int_equal(broken_rule(), 0);
}

/* New drains go on: they merge with the folded past as with any other. */
static void writing_goes_on_after_folding(void **state)
{
	struct store_row row;
	uint64_t units;
	int64_t w, i;

	IN_TRANSACTION
	{
		show_days();
		(void)prune(0, TODAY);
	}
	row = row_of("w0");
	units = row.evidence.units;
	w = row.id;
	store_row_done(&row);
	IN_TRANSACTION
	{
		i = add_instance("0/0", w, NOW);
		add_calls(i, add_unit(NOW), TAMIS_WORKLOAD, SET(1, 2), NOW + 1);
		add_calls(i, add_unit(NOW + 60), TAMIS_WORKLOAD, SET(500), NOW + 61);
	}
	row = row_of("w0");
	assert_int_equal(row.evidence.units, units + 2);
	store_row_done(&row);
	assert_int_equal(broken_rule(), 0);
}

/* a was seen in 3 units of a day, b in 2 of them and another one: 4, of which 3 are known. */
static void merging_after_folding_counts_no_unit_twice(void **state)
{
	static const struct {
		bool a, b;
	} in[] = { { true, true }, { true, true }, { true, false }, { false, true } };
	struct store_row row;
	int64_t a, b, ia, ib;

	IN_TRANSACTION
	{
		ia = add_instance("ia", a = add_workload("a", NULL), 1);
		ib = add_instance("ib", b = add_workload("b", NULL), 1);
		for (size_t n = 0; n < ARRAY_SIZE(in); n++) {
			int64_t u = add_unit(TODAY - DAY + (int64_t)n * 60);

			if (in[n].a)
				add_calls(ia, u, TAMIS_WORKLOAD, SET(1), NOW);
			if (in[n].b)
				add_calls(ib, u, TAMIS_WORKLOAD, SET(2), NOW);
		}
		for (int n = 0; n < 2; n++)
			add_calls(ia, add_unit(NOW + n), TAMIS_WORKLOAD, SET(1), NOW);
		assert_int_equal(prune(0, TODAY).units, 3);
		assert_stored(store_merge(st, a, &b, 1));
	}
	row = row_of("a");
	assert_int_equal(row.evidence.units, 3 + 2);
	store_row_done(&row);
	assert_int_equal(broken_rule(), 0);
}

/* As many as a thousand workloads make in hours; each of its sets is that of call 7. */
static void add_many_sets(int64_t *ret_sets)
{
	static const char add[] =
		"INSERT INTO instance (instance, workload, running, starts, lost_range, lost_full,"
		" lost_ring, lost_task, lost_gaps, first, last, first_unit, last_unit)"
		" WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 700)"
		" SELECT 'i' || n, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 500 FROM n;"
		"INSERT INTO unit (began) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL"
		" SELECT n + 1 FROM n WHERE n < 499) SELECT 1699900000 + n * 60 FROM n;"
		"INSERT OR IGNORE INTO observation SELECT u.id, i.id, 2, 0, l.calls"
		" FROM unit u, instance i, learned l;"
		"UPDATE workload SET units = 500, last_unit = 500;"
		"UPDATE instance SET last_unit = 500";
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, add, NULL, NULL, NULL), SQLITE_OK);
	*ret_sets = sqlite3_total_changes(db);
	sqlite3_close(db);
}

static void a_daemon_folds_in_steps(void **state)
{
	struct store_pruned all, first, second;
	struct store_row row;
	int64_t sets;

	IN_TRANSACTION add_calls(add_instance("first", add_workload("k", NULL), 1),
				 add_unit(1699900000), TAMIS_WORKLOAD, SET(7), NOW);
	add_many_sets(&sets);
	assert_true(sets > 350000);
	store_close(st);
	assert_int_equal(store_open(state_dir, STORE_EDIT, &st), 0);
	all = prune(0, NOW);
	store_rollback(st);
	store_close(st);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	IN_TRANSACTION first = prune(0, NOW);
	IN_TRANSACTION second = prune(0, NOW);
	IN_TRANSACTION assert_int_equal(prune(0, NOW).units, 0);
	assert_true(first.units > 0 && first.units < all.units);
	assert_int_equal(first.units + second.units, all.units);
	row = row_of("k");
	assert_int_equal(row.evidence.units, 500);
	assert_int_equal(row.calls, 1);
	store_row_done(&row);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(folding_changes_times_of_day_only),
		TEST(later_units_are_left_as_they_are),
		TEST(nothing_to_do_writes_nothing),
		TEST(the_newest_two_are_left),
		TEST(firsts_and_counts_outlive_units_and_moves),
		TEST(writing_goes_on_after_folding),
		TEST(merging_after_folding_counts_no_unit_twice),
		TEST(a_daemon_folds_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
