/* SPDX-License-Identifier: Apache-2.0 */
/* list as a command: what it prints of a real store, how it fails. */
#include <ctype.h>

#include "shown_fixture.h"

/* How many holes there are changes with the data. */
static void hide_score(char *text)
{
	for (size_t i = 1; text[i]; i++) {
		if (text[i] != '/')
			continue;
		for (size_t j = i - 1; j && isdigit((unsigned char)text[j]); j--)
			text[j] = '#';
		while (isdigit((unsigned char)text[i + 1]))
			text[++i] = '#';
	}
}

static void list_shows_every_workload(void **state)
{
	static const struct store_coverage c = {
		.at = NOW, .units = 9, .is_known = true, .coverage = .99999, .low = .9, .high = 1
	};
	_free_ char *out = NULL;

	fill();
	IN_TRANSACTION
	{
		struct store_row row = row_of("podman/redis");

		assert_stored(store_coverage_set(st, row.id, &c));
		store_row_done(&row);
	}
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	out = printed_text();
	hide_score(out);
	assert_string_equal(
		out, "ENGINE  WORKLOAD       IMAGE  STATE"
		     "                                       MODE     "
		     "CALLS  COVERAGE  SCORE  STARTS  FIRST                 LAST\n"
		     "podman  cgroup/a\\x0ab  -      gone, partial"
		     "                               observe  "
		     "0      -         ##/##  0       -                     -\n"
		     "podman  redis          -      running, partial, unenforceable, 1 "
		     "pending  observe  "
		     "4      99.9%     ##/##  0       2023-11-14 22:13:19Z  2023-11-14 22:13:20Z\n"
		     "podman  redis-2        -      gone, partial"
		     "                               observe  "
		     "0      -         ##/##  0       -                     -\n");
}

static void list_shows_what_was_decided(void **state)
{
	_free_ char *out = NULL;

	decide();
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	out = printed_text();
	assert_non_null(strstr(out, "unenforceable, 2 pending  enforce 1 trial  7 "));
	assert_non_null(strstr(out, "gone, partial, opted out  "));
}

/* Rows of list, one word a row: its second column. */
static void check_listed(const char *want)
{
	_free_ char *out = printed_text();
	char *save = NULL, got[256] = "";

	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char word[64] = "";

		assert_int_equal(sscanf(line, "%*s %63s", word), 1);
		strcat(strcat(got, word), " ");
	}
	assert_string_equal(got, want);
}

static void list_chooses(void **state)
{
	fill();
	IN_TRANSACTION
	{
		const struct store_workload w = { .key = "docker/x", .engine = "docker" };
		int64_t id;

		assert_stored(store_workload(st, &w, NOW, &id));
	}
	assert_int_equal(RUN(cmd_list, "--running", "--state", "DIR"), EXIT_OK);
	check_listed("WORKLOAD redis ");
	assert_int_equal(RUN(cmd_list, "--engine", "docker", "--state", "DIR"), EXIT_OK);
	check_listed("WORKLOAD docker/x ");
	assert_int_equal(RUN(cmd_list, "--engine", "dock", "--state", "DIR"), EXIT_OK);
	check_listed("WORKLOAD ");
	assert_int_equal(RUN(cmd_list, "--engine", "docker", "--running", "--state", "DIR"), 0);
	check_listed("WORKLOAD ");
}

static void check_names(const char *want)
{
	json_t *json = json_load_file(out_path, 0, NULL), *names = json_array(), *row;
	_free_ char *got = NULL;
	size_t i;

	json_array_foreach(json_object_get(json, "workloads"), i, row)
	{
		json_array_append(names, json_object_get(row, "name"));
	}
	got = json_dumps(names, JSON_COMPACT);
	json_decref(json);
	json_decref(names);
	assert_string_equal(got, want);
}

/* A name that several have is said by none: what is shown can be typed. */
static void list_tells_namesakes_apart(void **state)
{
	IN_TRANSACTION
	{
		(void)add_workload("podman/redis", "redis");
		(void)add_workload("podman/web", "web");
		(void)add_workload("podman/~1000/redis", "redis");
		(void)add_workload("redis", NULL);
	}
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	check_listed("WORKLOAD podman/redis web podman/~1000/redis redis ");
	assert_int_equal(RUN(cmd_list, "--json", "--state", "DIR"), EXIT_OK);
	check_names("[\"redis\",\"web\",\"redis\",null]");
}

static void list_json_can_be_read(void **state)
{
	json_t *json, *workloads;

	fill();
	assert_int_equal(RUN(cmd_list, "--json", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	workloads = json_object_get(json, "workloads");
	assert_int_equal(json_integer_value(json_object_get(json, "version")), 1);
	assert_int_equal(json_array_size(workloads), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(workloads, 0), "key")),
			    "cgroup/a\nb");
	json_decref(json);
}

static const struct failure failures[] = {
	{ &cmd_list, { "x" }, EXIT_USAGE, "\"x\"" },
	{ &cmd_list, { "--state" }, EXIT_USAGE, "\"--state\" needs" },
	{ &cmd_list, { "-z" }, EXIT_USAGE, "\"-z\"" },
	{ &cmd_list, { "--json=yes" }, EXIT_USAGE, "\"--json=yes\"" },
	{ &cmd_list, { "--state", "/nonexistent" }, EXIT_FAIL, "/nonexistent/tamis.db" },
};

static void failures_are_one_line(void **state)
{
	fill();
	check_failures(failures, ARRAY_SIZE(failures));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_shows_every_workload),
		TEST(list_shows_what_was_decided),
		TEST(list_chooses),
		TEST(list_tells_namesakes_apart),
		TEST(list_json_can_be_read),
		TEST(failures_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
