/* SPDX-License-Identifier: Apache-2.0 */
/* oracle as a command: what can't have one, what is shown, how one ends. */
#include "applying_fixture.h"

#include <jansson.h>

#include "policy/oracles.h"

#define ORACLE(...) RUN(cmd_oracle, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)

static struct store_oracle made(int64_t workload, enum oracle_state state)
{
	return (struct store_oracle){
		.workload = workload,
		.production = (char *)"container:web",
		.hardened = (char *)"web-asan",
		.is_image = true,
		.window_s = 15,
		.per_hour = 60,
		.state = state,
		.nr = TAMIS_CALLS,
		.loops = 3,
		.learned = 2,
		.rejected = 1,
		.began = NOW,
		.why = (char *)"a \x1b[31mred report",
	};
}

static int64_t with_oracle(enum oracle_state state)
{
	static const struct store_oracle_call calls[] = {
		{ .abi = MACHINE, .nr = FUTEX, .loop = 1, .at = NOW },
		{ .abi = MACHINE,
		  .nr = PTRACE,
		  .loop = 2,
		  .at = NOW,
		  .rejected = true,
		  .report = (char *)"ERROR: \x1b[31mAddressSanitizer" },
	};
	int64_t id = learn(SET(READ));
	struct store_oracle o = made(id, state);

	IN_TRANSACTION
	{
		assert_stored(store_oracle_set(st, &o));
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			assert_stored(store_oracle_call(st, id, &calls[i]));
	}
	return id;
}

static bool has_oracle(int64_t workload)
{
	_oracle_ struct store_oracle o = { 0 };

	return store_oracle_get(st, workload, &o) == 0;
}

static void lines_that_make_no_sense(void **state)
{
	static const char *const rows[][4] = {
		{ "--stop" },
		{ "--hardened", "x" },
		{ "web", "--replay", "x" },
		{ "web", "--bootstrap" },
		{ "web", "--container", "x" },
		{ "web", "--hardened", "" },
		{ "web", "--window", "15" },
		{ "web", "--window", "2h" },
		{ "web", "--per-hour", "0" },
		{ "web", "more" },
		{ "web", "--hardened=x", "--stop" },
		{ "web", "--hardened=x", "--json" },
	};

	learn(SET(READ));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (ORACLE(rows[i][0], rows[i][1], rows[i][2], rows[i][3]) != EXIT_USAGE)
			fail_msg("row %zu", i);
}

/* Before podman is asked. */
static void who_can_have_none(void **state)
{
	static const struct {
		const char *key, *engine, *option, *value, *why;
	} rows[] = {
		{ "docker/db", "docker", "--per-hour", "1", "none of docker" },
		{ "kubernetes/a/b/c", "kubernetes", "--per-hour", "1", "none of kubernetes" },
		{ "podman/~1000/mine", "podman", "--per-hour", "1", "what a user runs" },
		{ "podman/img/sh", "podman", "--per-hour", "1", "--container NAME says it" },
		{ "podman/tamis-oracle-x", "podman", "--per-hour", "1", "it is a twin itself" },
		{ "podman/unit", "podman", "--unit", "x", "none of systemd's" },
		{ "systemd/s.service", "systemd", "--per-hour", "1", "its program's whole path" },
		{ "systemd/sshd.service", "systemd", "--per-hour", "1", "sshd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t id = learn_as(rows[i].key, rows[i].engine, SET(READ), 1);

		assert_int_equal(
			ORACLE(rows[i].key, "--hardened", "x", rows[i].option, rows[i].value),
			EXIT_FAIL);
		assert_complained(rows[i].why);
		assert_false(has_oracle(id));
		assert_int_equal(applied_to(id).mode, MODE_OBSERVE);
	}
	assert_int_equal(ORACLE("nobody", "--hardened", "x"), EXIT_FAIL);
	assert_complained("nobody");
}

static void not_in_the_middle_of_a_loop(void **state)
{
	int64_t id = with_oracle(ORACLE_WINDOW);

	assert_int_equal(ORACLE("web", "--hardened", "x", "--container", "no-such-container"),
			 EXIT_FAIL);
	assert_complained("a loop is under way");
	assert_true(has_oracle(id));
	assert_int_equal(applied_to(id).mode, MODE_OBSERVE);
}

static void shown_to_people(void **state)
{
	with_oracle(ORACLE_REST);
	assert_int_equal(ORACLE("web"), EXIT_OK);
	assert_printed("state:     resting");
	assert_printed("hardened:  web-asan");
	assert_printed("3 loops");
	assert_printed("futex   learned   1");
	assert_printed("ptrace  rejected  2");
	/* whoever wrote that line doesn't colour ours */
	assert_printed("ERROR: \\x1b[31mAddressSanitizer");
	assert_printed("a \\x1b[31mred report");
	assert_int_equal(RUN(cmd_oracle, "--state", "DIR"), EXIT_OK);
	assert_printed("podman/web  resting");
	learn_as("podman/other", "podman", SET(READ), 1);
	assert_int_equal(ORACLE("other"), EXIT_FAIL);
	assert_complained("podman/other has no oracle");
}

static void shown_to_scripts(void **state)
{
	_free_ char *text = NULL;
	json_t *json, *one;

	with_oracle(ORACLE_WATCH);
	assert_int_equal(ORACLE("web", "--json"), EXIT_OK);
	text = printed_text();
	json = json_loads(text, 0, NULL);
	one = json_array_get(json_object_get(json, "oracles"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "state")), "watching");
	assert_int_equal(json_integer_value(json_object_get(one, "loops")), 3);
	assert_int_equal(json_array_size(json_object_get(one, "calls")), 2);
	assert_true(json_is_null(json_object_get(one, "call")));
	json_decref(json);
	free(TAKE_PTR(text));
	/* none is an empty list */
	learn_as("podman/other", "podman", SET(READ), 1);
	assert_int_equal(ORACLE("other", "--json"), EXIT_OK);
	assert_printed("\"oracles\": []");
}

static void its_end(void **state)
{
	int64_t id = with_oracle(ORACLE_WATCH);
	_oracle_ struct store_oracle o = { 0 };

	assert_int_equal(ORACLE("web", "--stop"), EXIT_OK);
	assert_printed("its oracle is gone");
	assert_false(has_oracle(id));
	assert_int_equal(ORACLE("web", "--stop"), EXIT_FAIL);
	assert_complained("has no oracle");
	/* production is stopped: the daemon ends it */
	with_oracle(ORACLE_WINDOW);
	assert_int_equal(ORACLE("web", "--stop"), EXIT_OK);
	assert_printed("ends when production is back");
	assert_stored(store_oracle_get(st, id, &o));
	assert_int_equal(o.per_hour, 0);
}

static void a_rules_is_a_rules(void **state)
{
	int64_t id = learn(SET(READ));
	struct store_oracle o = made(id, ORACLE_WATCH);

	o.by_rule = true;
	IN_TRANSACTION
	{
		assert_stored(store_oracle_set(st, &o));
	}
	assert_int_equal(ORACLE("web", "--stop"), EXIT_FAIL);
	assert_complained("by a rule of the configuration");
	assert_true(has_oracle(id));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_files, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_that_make_no_sense),
		TEST(who_can_have_none),
		TEST(not_in_the_middle_of_a_loop),
		TEST(shown_to_people),
		TEST(shown_to_scripts),
		TEST(its_end),
		TEST(a_rules_is_a_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
