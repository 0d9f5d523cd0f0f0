/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads: what a refresh changes, and how many an owner may have. */
#include <errno.h>

#include "store_fixture.h"

static int64_t add_of(const char *owner, const char *engine, unsigned n)
{
	struct store_workload w = { .owner = owner, .engine = engine };
	char key[32];
	int64_t id = 0;

	snprintf(key, sizeof(key), "%s/%u", owner ? owner : engine, n);
	w.key = key;
	assert_stored(store_workload(st, &w, NOW, &id));
	return id;
}

/* With an instance; `unit` 0: never made a call. */
static int64_t add_seen(const char *owner, unsigned n, int64_t unit, bool running)
{
	int64_t w = add_of(owner, "e", n), i;
	char key[32];

	snprintf(key, sizeof(key), "%s/%u", owner, n);
	i = add_instance(key, w, NOW);
	if (unit)
		add_calls(i, unit, TAMIS_WORKLOAD, SET(1), NOW);
	if (!running)
		end_instance(key, w, NOW + 1);
	return w;
}

static int64_t count_of(const char *owner)
{
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int64_t found = 0;

	assert_stored(store_list(st, &rows, &cnt));
	for (size_t n = 0; n < cnt; n++) {
		found += strcmp(rows[n].owner, owner) == 0;
		store_row_done(&rows[n]);
	}
	free(rows);
	return found;
}

static bool has(const char *owner, unsigned n)
{
	char key[32];

	snprintf(key, sizeof(key), "%s/%u", owner, n);
	return is_listed(key);
}

/* Number 0 runs, the others are gone; number 1 was never seen, 2 last, the rest in unit 1. */
static void the_one_seen_longest_ago_makes_room(void **state)
{
	static const unsigned go[] = { 1, 3, 4, 5 };

	IN_TRANSACTION
	{
		int64_t u1 = add_unit(NOW), u2 = add_unit(NOW + 60);

		(void)add_seen("other", 1, u1, false);
		for (unsigned n = 0; n < STORE_OWNER_MAX; n++)
			(void)add_seen("me", n, n == 1 ? 0 : n == 2 ? u2 : u1, n == 0);
		assert_int_equal(count_of("me"), STORE_OWNER_MAX);
		for (unsigned n = 0; n < ARRAY_SIZE(go); n++) {
			assert_true(has("me", go[n]));
			(void)add_seen("me", STORE_OWNER_MAX + n, u2, false);
			assert_false(has("me", go[n]));
			assert_true(has("me", STORE_OWNER_MAX + n));
		}
		assert_int_equal(count_of("me"), STORE_OWNER_MAX);
		assert_true(has("me", 0) && has("me", 2) && has("other", 1));
	}
	assert_int_equal(broken_rule(), 0);
}

static void those_that_run_stay(void **state)
{
	IN_TRANSACTION
	{
		int64_t u = add_unit(NOW);

		for (unsigned n = 0; n < STORE_OWNER_MAX + 20; n++)
			(void)add_seen("me", n, u, true);
		assert_int_equal(count_of("me"), STORE_OWNER_MAX + 20);
		/* When they go, the owner comes down to what it may have. */
		assert_stored(store_instances_gone(st, NULL, 0, NOW + 2));
		for (unsigned n = 0; n < 25; n++)
			(void)add_seen("me", 5000 + n, u, true);
		assert_int_equal(count_of("me"), STORE_OWNER_MAX);
		assert_false(has("me", 0));
		assert_true(has("me", 5024));
	}
	assert_int_equal(broken_rule(), 0);
}

/* Who has no owner shares with the others of its engine. */
static void without_an_owner_the_engine_counts(void **state)
{
	struct store_row row;

	IN_TRANSACTION
	{
		for (unsigned n = 0; n < STORE_OWNER_MAX + 5; n++)
			(void)add_of(NULL, "docker", n);
		for (unsigned n = 0; n < 5; n++)
			(void)add_of("docker/~1000", "docker", n);
	}
	assert_int_equal(count_of("docker"), STORE_OWNER_MAX);
	assert_int_equal(count_of("docker/~1000"), 5);
	row = row_of("docker/1004");
	assert_string_equal(row.owner, "docker");
	store_row_done(&row);
}

static void what_goes_takes_all_along(void **state)
{
	IN_TRANSACTION
	{
		int64_t u = add_unit(NOW), from = add_seen("me", 1, u, false);
		int64_t w = add_seen("me", 0, u, false);

		assert_stored(store_merge(st, w, &from, 1));
		assert_stored(store_inner(st, w, "docker/1", NOW));
		u = add_unit(NOW + 60);
		for (unsigned n = 0; n < STORE_OWNER_MAX; n++)
			(void)add_seen("me", 10 + n, u, true);
	}
	assert_false(is_listed("me/0"));
	assert_int_equal(ask_db("SELECT count(*) FROM alias"), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM inner"), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM observation"), STORE_OWNER_MAX);
	assert_int_equal(broken_rule(), 0);
}

/* --- refreshing -------------------------------------------------------------------------- */

static const struct {
	struct store_workload w;
	const char *owner, *namespace, *why_not;
} refreshes[] = {
	{ { .owner = "o", .namespace = "ns", .why_not = "why" }, "o", "ns", "why" },
	{ { 0 }, "o", "ns", NULL }, /* nothing speaks against it now */
	{ { .owner = "p", .namespace = "x" }, "p", "x", NULL },
	{ { .why_not = "again" }, "p", "x", "again" },
};

static void assert_text(const char *is, const char *expected)
{
	if (expected)
		assert_string_equal(is, expected);
	else
		assert_null(is);
}

static void unknown_leaves_what_is_known(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(refreshes); n++) {
		struct store_workload w = refreshes[n].w;
		struct store_row row;
		uint64_t before;
		int64_t id;

		w.key = "k";
		IN_TRANSACTION assert_stored(store_workload(st, &w, NOW, &id));
		before = log_written();
		IN_TRANSACTION assert_stored(store_workload(st, &w, NOW + 1, &id));
		assert_int_equal(log_written(), before);
		row = row_of("k");
		assert_text(row.owner, refreshes[n].owner);
		assert_text(row.namespace, refreshes[n].namespace);
		assert_text(row.why_not, refreshes[n].why_not);
		store_row_done(&row);
	}
}

/* The instance seen last speaks for the workload; of those that were left, the last too. */
static void an_instances_texts_are_shown(void **state)
{
	struct store_instance i = { .instance = "a",
				    .container = "ca",
				    .pod = "pa",
				    .running = true,
				    .lost = { .leaves = 3 },
				    .leave_comm = "sshd",
				    .leave_path = "/user.slice" };
	struct store_row row;
	int64_t a, b, u;
	uint64_t before;

	IN_TRANSACTION
	{
		u = add_unit(NOW);
		i.workload = add_workload("k", NULL);
		assert_stored(store_instance(st, &i, NOW, &a));
		add_calls(a, u, TAMIS_WORKLOAD, SET(1), NOW);
		i = (struct store_instance){
			.instance = "b", .workload = i.workload, .container = "cb", .running = true
		};
		assert_stored(store_instance(st, &i, NOW, &b));
		add_calls(b, u, TAMIS_WORKLOAD, SET(1), NOW + 5);
	}
	row = row_of("k");
	assert_string_equal(row.container, "cb");
	assert_null(row.pod);
	assert_string_equal(row.leave_comm, "sshd");
	assert_string_equal(row.leave_path, "/user.slice");
	assert_int_equal(row.evidence.leaves, 3);
	assert_false(evidence_is_partial(&(struct evidence){ .starts = 1, .leaves = 3 }));
	store_row_done(&row);
	before = log_written();
	i.lost.leaves = 0; /* totals: the larger one is kept */
	IN_TRANSACTION assert_stored(store_instance(st, &i, NOW + 9, &b));
	assert_int_equal(log_written(), before);
	i.lost.leaves = 4;
	i.leave_comm = "cron";
	IN_TRANSACTION assert_stored(store_instance(st, &i, NOW + 9, &b));
	row = row_of("k");
	assert_string_equal(row.leave_comm, "cron");
	assert_null(row.leave_path);
	assert_int_equal(row.evidence.leaves, 7);
	store_row_done(&row);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_one_seen_longest_ago_makes_room), TEST(those_that_run_stay),
		TEST(without_an_owner_the_engine_counts),  TEST(what_goes_takes_all_along),
		TEST(unknown_leaves_what_is_known),	   TEST(an_instances_texts_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
