/* SPDX-License-Identifier: Apache-2.0 */
/* prune as a command: how long is long, and that a dry run is one. */
#include <time.h>

#include "cmd_fixture.h"

#define DAY 86400

/* A workload of one call, last seen `days` ago. */
static void add_old(const char *key, int days, bool running)
{
	int64_t then = time(NULL) - (int64_t)days * DAY, unit = add_unit(then), i;
	const struct store_instance one = { .instance = key,
					    .workload = add_workload(key, NULL),
					    .path = "/x",
					    .running = running };

	assert_stored(store_instance(st, &one, then, &i));
	add_calls(i, unit, TAMIS_WORKLOAD, SET(1), then);
}

static void fill(void)
{
	IN_TRANSACTION
	{
		add_old("podman/older", 100, false);
		add_old("podman/old", 31, false);
		add_old("podman/runs", 31, true);
		add_old("podman/new", 0, false);
	}
}

static void by_default_a_month(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_prune, "--fold-after", "never", "--state", "DIR"), EXIT_OK);
	check_said("podman/old\npodman/older\n2 workloads and 0 sampling units went\n");
	assert_int_equal(count_workloads(), 2);
}

static void as_long_as_is_said(void **state)
{
	fill();
	assert_int_equal(
		RUN(cmd_prune, "--gone-for", "8w", "--fold-after", "never", "--state", "DIR"), 0);
	check_said("podman/older\n1 workload and 0 sampling units went\n");
	assert_int_equal(
		RUN(cmd_prune, "--gone-for", "0s", "--fold-after", "never", "--state", "DIR"), 0);
	check_said("podman/new\npodman/old\n2 workloads and 0 sampling units went\n");
	assert_int_equal(count_workloads(), 1); /* the one that runs */
}

static void never_is_never(void **state)
{
	fill();
	assert_int_equal(
		RUN(cmd_prune, "--gone-for", "never", "--fold-after", "never", "--state", "DIR"),
		0);
	check_said("0 workloads and 0 sampling units went\n");
	assert_int_equal(count_workloads(), 4);
}

static void a_dry_run_changes_nothing(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_prune, "--dry-run", "--fold-after", "never", "--state", "DIR"),
			 EXIT_OK);
	check_said("podman/old\npodman/older\n2 workloads and 0 sampling units would go\n");
	assert_int_equal(count_workloads(), 4);
}

static void old_units_become_days(void **state)
{
	IN_TRANSACTION
	{
		int64_t i = add_instance("i", add_workload("podman/x", NULL), NOW), unit = 0;

		/* NOW is 22:13: the third is the next day's; the last two stay in any case */
		for (int n = 0; n < 5; n++) {
			unit = add_unit(NOW + (int64_t)n * 3600);
			add_calls(i, unit, TAMIS_WORKLOAD, SET(1), NOW);
		}
	}
	assert_int_equal(RUN(cmd_prune, "--gone-for", "never", "--state", "DIR"), EXIT_OK);
	check_said("0 workloads and 1 sampling unit went\n");
}

static void json_can_be_read(void **state)
{
	_free_ char *out = NULL;

	fill();
	assert_int_equal(
		RUN(cmd_prune, "--json", "--dry-run", "--fold-after", "never", "--state", "DIR"),
		EXIT_OK);
	out = printed_text();
	assert_string_equal(out, "{\n  \"version\": 1,\n  \"dry_run\": true,\n"
				 "  \"workloads\": [\n    \"podman/old\",\n"
				 "    \"podman/older\"\n  ],\n  \"units\": 0\n}\n");
}

static const struct failure failures[] = {
	{ &cmd_prune, { "x", "--state", "DIR" }, 2, "\"x\"" },
	{ &cmd_prune, { "--gone-for", "30", "--state", "DIR" }, 2, "\"30\"" },
	{ &cmd_prune, { "--gone-for", "", "--state", "DIR" }, 2, "\"\"" },
	{ &cmd_prune, { "--gone-for", "-3d", "--state", "DIR" }, 2, "\"-3d\"" },
	{ &cmd_prune, { "--fold-after", "a\nweek", "--state", "DIR" }, 2, "a\\x0aweek" },
	{ &cmd_prune, { "--fold-after", "999999999w", "--state", "DIR" }, 2, "999999999w" },
	{ &cmd_prune, { "--fold-after" }, 2, "\"--fold-after\" needs" },
	{ &cmd_prune, { "--dry-run", "--state", "/nonexistent" }, 1, "/nonexistent/tamis.db" },
	{ &cmd_prune, { "--forever" }, 2, "\"--forever\"" },
};

static void failures_are_one_line(void **state)
{
	fill();
	check_failures(failures, ARRAY_SIZE(failures));
	assert_int_equal(count_workloads(), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_default_a_month),    TEST(as_long_as_is_said),
		TEST(never_is_never),	     TEST(a_dry_run_changes_nothing),
		TEST(old_units_become_days), TEST(json_can_be_read),
		TEST(failures_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
