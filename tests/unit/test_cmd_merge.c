/* SPDX-License-Identifier: Apache-2.0 */
/* merge as a command: whose keys mean whom, and what it is called. */
#include "cmd_fixture.h"
#include "policy/generations.h"
#include "unit/skip.h"

static void fill(void)
{
	IN_TRANSACTION
	{
		int64_t unit = add_unit(NOW), a = add_workload("podman/one", "one");
		int64_t b = add_workload("podman/~1000/two", "two");

		(void)add_workload("docker/three", "three");
		add_calls(add_instance("i", a, NOW), unit, TAMIS_WORKLOAD, SET(0, 1), NOW);
		add_calls(add_instance("j", b, NOW), unit, TAMIS_WORKLOAD, SET(1, 2), NOW);
	}
}

/* Whoever the daemon sees under that key from now on. */
static int64_t id_of_key(const char *key)
{
	const struct store_workload w = { .key = key, .engine = "podman" };
	int64_t id;

	IN_TRANSACTION assert_stored(store_workload(st, &w, NOW + 1, &id));
	return id;
}

static void into_the_first(void **state)
{
	struct store_row row;

	fill();
	assert_int_equal(RUN(cmd_merge, "one", "two", "three", "--state", "DIR"), EXIT_OK);
	check_said("merged podman/~1000/two, docker/three into podman/one\n");
	assert_int_equal(count_workloads(), 1);
	row = row_of("podman/one");
	assert_int_equal(row.calls, 3);
	assert_int_equal(row.id, id_of_key("podman/~1000/two"));
	assert_int_equal(row.id, id_of_key("docker/three"));
	assert_int_equal(count_workloads(), 1);
	store_row_done(&row);
}

static void apply(const char *name, enum policy_mode mode)
{
	_generation_ struct generation g = { .created = NOW };
	struct store_applied a = { .mode = mode, .since = NOW };
	struct store_row row = row_of(name);

	IN_TRANSACTION
	{
		assert_stored(store_generation_add(st, row.id, &g));
		a.generation = g.number;
		assert_stored(store_applied_set(st, row.id, &a));
	}
	store_row_done(&row);
}

/* Not by the way: somebody has to say so. */
static void what_is_applied_to_the_others_is_released_first(void **state)
{
	static const struct failure refused[] = {
		{ &cmd_merge,
		  { "one", "three", "two", "--state", "DIR" },
		  1,
		  "podman/~1000/two: generation 1 is applied; 'tamis release podman/~1000/two'" },
	};

	fill();
	apply("two", MODE_SHADOW);
	check_failures(refused, ARRAY_SIZE(refused));
	assert_int_equal(count_workloads(), 3);
}

static void assert_file(const char *key, bool is_there)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/applied/%s.json", state_dir, key);
	if ((access(path, F_OK) == 0) != is_there)
		fail_msg("%s", path);
}

/* Starts know their own keys only. */
static void what_is_applied_to_the_first_is_to_all(void **state)
{
	need_root(); /* files of others are not believed */
	fill();
	apply("one", MODE_ENFORCE);
	assert_int_equal(RUN(cmd_merge, "one", "two", "-o", "both", "--state", "DIR", "--config",
			     "/dev/null"),
			 EXIT_OK);
	check_said("merged podman/~1000/two into podman/one, now podman/both; its generation 1 is "
		   "applied to all of them\n");
	assert_file("podman/one", true);
	assert_file("podman/~1000/two", true);
	assert_file("podman/both", true);
	assert_file("docker/three", false);
}

/* ... or to none: the place for the files is somebody else's. */
static void what_can_not_be_put_in_place_changes_nothing(void **state)
{
	static const struct failure refused[] = {
		{ &cmd_merge,
		  { "one", "two", "--state", "DIR", "--config", "/dev/null" },
		  1,
		  "nothing was changed: " },
	};
	char path[128];

	fill();
	apply("one", MODE_ENFORCE);
	snprintf(path, sizeof(path), "%s/applied", state_dir);
	assert_int_equal(symlink("/tmp", path), 0);
	check_failures(refused, ARRAY_SIZE(refused));
	assert_int_equal(count_workloads(), 3);
	assert_int_equal(access("/tmp/podman/one.json", F_OK), -1);
}

static const struct {
	const char *into, *from, *name;
	const char *key, *shown; /* what comes of it */
} names[] = {
	{ "one", "two", "both", "podman/both", "both" },
	{ "two", "one", "both", "podman/~1000/both", "both" },
	{ "three", "one", "a b", "docker/a%20b", "a b" },
	{ "one", "two", "~7", "podman/%7E7", "~7" },
	{ "one", "two", "..", "podman/%2E%2E", ".." },
	{ "one", "two", "kubernetes/shop/web/nginx", "kubernetes/shop/web/nginx", "nginx" },
	{ "one", "two", "podman/~1000/x#%2F", "podman/~1000/x#%2F", "x#%2F" },
	{ "one", "two", "two", "podman/two", "two" },
	{ "one", "two", "one", "podman/one", "one" },
	{ "one", "two", "podman/~1000/two", "podman/~1000/two", "two" },
};

static void called_by_a_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct store_row row;
		int64_t id;

		assert_int_equal(i ? make_files(state) : 0, 0);
		fill();
		assert_int_equal(RUN(cmd_merge, names[i].into, names[i].from, "-o", names[i].name,
				     "--state", "DIR"),
				 EXIT_OK);
		row = row_of(names[i].key);
		assert_string_equal(row.key, names[i].key);
		assert_string_equal(row.name, names[i].shown);
		id = row.id;
		store_row_done(&row);
		assert_int_equal(count_workloads(), 2);
		assert_int_equal(id_of_key(names[i].into[0] == 'o' ? "podman/one" : names[i].key),
				 id);
		if (i + 1 < ARRAY_SIZE(names))
			assert_int_equal(drop_dir(state), 0);
	}
}

static void says_the_new_key(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_merge, "one", "two", "-o", "both", "--state", "DIR"), EXIT_OK);
	check_said("merged podman/~1000/two into podman/one, now podman/both\n");
}

static const struct failure failures[] = {
	{ &cmd_merge, { "one", "one", "--state", "DIR" }, 1, "\"one\" is podman/one" },
	{ &cmd_merge, { "one", "two", "podman/one", "--state", "DIR" }, 1, "is podman/one" },
	{ &cmd_merge, { "one", "nosuch", "--state", "DIR" }, 1, "\"nosuch\"" },
	{ &cmd_merge, { "podman", "three", "--state", "DIR" }, 1, "podman/one, podman/~1000/two" },
	{ &cmd_merge, { "one", "two", "-o", "docker/three", "--state", "DIR" }, 1, "docker/three" },
	{ &cmd_merge, { "one", "two", "-o", "", "--state", "DIR" }, 2, "\"\"" },
	{ &cmd_merge, { "one", "two", "-o", "/x", "--state", "DIR" }, 2, "\"/x\"" },
	{ &cmd_merge, { "one", "two", "-o", "x/", "--state", "DIR" }, 2, "\"x/\"" },
	{ &cmd_merge, { "one", "two", "-o", "x//y", "--state", "DIR" }, 2, "\"x//y\"" },
	{ &cmd_merge, { "one", "two", "-o", "x/../y", "--state", "DIR" }, 2, "\"x/../y\"" },
	{ &cmd_merge, { "one", "two", "-o", "x/y\nz", "--state", "DIR" }, 2, "x/y\\x0az" },
	{ &cmd_merge, { "one", "two", "-o", "x/y z", "--state", "DIR" }, 2, "\"x/y z\"" },
	{ &cmd_merge, { "one", "--state", "DIR" }, 2, "missing" },
	{ &cmd_merge, { "one", "two", "-o" }, 2, "\"-o\" needs" },
	{ &cmd_merge, { "one", "two", "--state", "/nonexistent" }, 1, "/nonexistent/tamis.db" },
};

static void failures_are_one_line(void **state)
{
	struct store_row row;

	fill();
	check_failures(failures, ARRAY_SIZE(failures));
	assert_int_equal(count_workloads(), 3);
	row = row_of("podman/one");
	assert_int_equal(row.calls, 2);
	store_row_done(&row);
}

static void a_name_is_no_longer_than_a_key(void **state)
{
	static char name[5000];

	fill();
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(RUN(cmd_merge, "one", "two", "-o", name, "--state", "DIR"), EXIT_USAGE);
	assert_int_equal(count_workloads(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(into_the_first),
		TEST(what_is_applied_to_the_others_is_released_first),
		TEST(what_is_applied_to_the_first_is_to_all),
		TEST(what_can_not_be_put_in_place_changes_nothing),
		TEST(called_by_a_name),
		TEST(says_the_new_key),
		TEST(failures_are_one_line),
		TEST(a_name_is_no_longer_than_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
