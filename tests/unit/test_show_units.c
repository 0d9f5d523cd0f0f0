/* SPDX-License-Identifier: Apache-2.0 */
/* show --by unit as a command: which test, and which epoch, was the first or only one to make a call. */
#include <jansson.h>

#include "cmd_fixture.h"
#include "policy/mines.h"

enum { READ = 0, WRITE = 1, FSYNC = 74, RENAME = 82 };

static void test_unit(int64_t run, int64_t instance, const char *name, enum matrix_outcome outcome,
		      struct sysset calls)
{
	int64_t unit;

	assert_stored(store_mine_unit(st, run, NOW, name, &unit));
	add_calls(instance, unit, TAMIS_WORKLOAD, calls, NOW);
	if (outcome)
		assert_stored(store_mine_outcome(st, unit, outcome));
}

/* Three tests of a run, and three epochs of a daemon. */
static void fill(bool mined)
{
	struct store_mine run = { .began = NOW, .target = (char *)"an\nimage" };

	IN_TRANSACTION
	{
		int64_t w = add_workload("podman/web", "web"), i = add_instance("i", w, NOW);

		for (int e = 0; e < 3; e++) {
			int64_t unit = add_unit(NOW + 60 * e);

			add_calls(i, unit, TAMIS_WORKLOAD, e == 1 ? SET(READ, FSYNC) : SET(READ),
				  NOW + 60 * e);
			add_calls(i, unit, TAMIS_SETUP, SET(165), NOW + 60 * e);
		}
		if (mined) {
			assert_stored(store_mine_add(st, &run, &run.id));
			run.workload = w;
			assert_stored(store_mine_set(st, &run));
			test_unit(run.id, i, "start", MATRIX_NONE, SET(READ));
			test_unit(run.id, i, "save\x1b[1m", MATRIX_PASS, SET(READ, FSYNC, RENAME));
			test_unit(run.id, i, "write", MATRIX_FAIL, SET(READ, WRITE, RENAME));
		}
	}
}

static void epochs_are_known_by_their_time(void **state)
{
	_free_ char *out = NULL;

	fill(false);
	assert_int_equal(RUN(cmd_show, "web", "--by", "unit", "--state", "DIR"), EXIT_OK);
	out = printed_text();
	assert_string_equal(out, "3 epochs of the daemon\n"
				 "ABI     CALL   UNITS  ONLY  FIRST IN              OUTCOME\n"
				 "x86_64  read   3/3    -     2023-11-14 22:13:20Z  -\n"
				 "x86_64  fsync  1/3    only  2023-11-14 22:14:20Z  -\n");
}

static void tests_are_apart_from_epochs(void **state)
{
	_free_ char *out = NULL;

	fill(true);
	assert_int_equal(RUN(cmd_show, "web", "--by", "unit", "--state", "DIR"), EXIT_OK);
	out = printed_text();
	assert_string_equal(out, "3 units of mining an\\x0aimage at 2023-11-14 22:13:20Z\n"
				 "ABI     CALL    UNITS  ONLY  FIRST IN     OUTCOME\n"
				 "x86_64  read    3/3    -     start        -\n"
				 "x86_64  fsync   1/3    only  save\\x1b[1m  pass\n"
				 "x86_64  rename  2/3    -     save\\x1b[1m  pass\n"
				 "x86_64  write   1/3    only  write        fail\n"
				 "\n"
				 "3 epochs of the daemon\n"
				 "ABI     CALL   UNITS  ONLY  FIRST IN              OUTCOME\n"
				 "x86_64  read   3/3    -     2023-11-14 22:13:20Z  -\n"
				 "x86_64  fsync  1/3    only  2023-11-14 22:14:20Z  -\n");
}

static void check_json(const json_t *value, const char *want)
{
	_free_ char *got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void json_has_all_keys(void **state)
{
	json_t *json, *tests, *epochs;

	fill(true);
	assert_int_equal(RUN(cmd_show, "web", "--by", "unit", "--json", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	check_json(json_object_get(json, "version"), "1");
	check_json(json_object_get(json, "key"), "\"podman/web\"");
	check_json(json_object_get(json, "name"), "\"web\"");
	tests = json_array_get(json_object_get(json, "groups"), 0);
	epochs = json_array_get(json_object_get(json, "groups"), 1);
	check_json(json_object_get(tests, "of"), "\"tests\"");
	check_json(json_object_get(tests, "target"), "\"an\\nimage\"");
	check_json(json_object_get(tests, "began"), "1700000000");
	check_json(json_array_get(json_object_get(tests, "units"), 1),
		   "{\"label\":\"save\\u001B[1m\",\"began\":1700000000,\"outcome\":\"pass\","
		   "\"calls\":3,\"grown\":3}");
	check_json(json_array_get(json_object_get(tests, "calls"), 2),
		   "{\"abi\":\"x86_64\",\"nr\":82,\"name\":\"rename\",\"units\":2,\"first\":1,"
		   "\"only\":false,\"by\":[1,2]}");
	check_json(json_object_get(epochs, "of"), "\"epochs\"");
	check_json(json_object_get(epochs, "target"), "null");
	check_json(json_array_get(json_object_get(epochs, "units"), 1),
		   "{\"label\":null,\"began\":1700000060,\"outcome\":\"none\",\"calls\":2,"
		   "\"grown\":2}");
	check_json(json_array_get(json_object_get(epochs, "calls"), 1),
		   "{\"abi\":\"x86_64\",\"nr\":74,\"name\":\"fsync\",\"units\":1,\"first\":1,"
		   "\"only\":true,\"by\":null}");
	json_decref(json);
}

static void nothing_seen_is_said(void **state)
{
	IN_TRANSACTION(void) add_workload("podman/web", "web");
	assert_int_equal(RUN(cmd_show, "web", "--by", "unit", "--state", "DIR"), EXIT_OK);
	check_said("0 epochs of the daemon\nno call was seen\n");
}

static void other_ways_are_refused(void **state)
{
	static const struct failure rows[] = {
		{ &cmd_show, { "web", "--by", "test", "--state", "DIR" }, EXIT_USAGE, "--by test" },
		{ &cmd_show, { "none", "--by", "unit", "--state", "DIR" }, EXIT_FAIL, "none" },
	};

	fill(false);
	check_failures(rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(epochs_are_known_by_their_time),
		TEST(tests_are_apart_from_epochs),
		TEST(json_has_all_keys),
		TEST(nothing_seen_is_said),
		TEST(other_ways_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
