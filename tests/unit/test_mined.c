/* SPDX-License-Identifier: Apache-2.0 */
/* What mining denied, as every command tells of it. */
#include <jansson.h>

#include "applying_fixture.h"
#include "cli/mined.h"
#include "policy/mines.h"

static int64_t web;

/* Mined, and minimised by three calls; one more a person denied. */
static void fill(void)
{
	struct store_mine m = { .began = NOW, .target = "web" };
	int64_t instance, unit;

	web = learn_as("podman/web", "podman", SET(READ), 1);
	IN_TRANSACTION
	{
		assert_stored(store_mine_add(st, &m, &m.id));
		assert_stored(store_mine_unit(st, m.id, NOW, "t1", &unit));
		instance = add_instance("twin", web, NOW);
		add_calls(instance, unit, TAMIS_WORKLOAD, SET(READ, DUP, FLOCK, MOUNT, GETTID),
			  NOW);
		m.workload = web;
		m.state = STORE_MINE_DONE;
		m.ended = NOW + 30;
		assert_stored(store_mine_set(st, &m));
		assert_stored(store_verdict_mined(st, web, MACHINE, DUP, ENOSYS, NOW));
		assert_stored(store_verdict_mined(st, web, MACHINE, FLOCK, EPERM, NOW));
		/* policies/errno says EPERM whatever it was tried with */
		assert_stored(store_verdict_mined(st, web, MACHINE, MOUNT, ENOSYS, NOW));
		assert_stored(store_verdict_set(st, web, MACHINE, GETTID, VERDICT_DENY, NOW));
	}
}

/* Production makes it. */
static void make(struct sysset calls, int64_t now)
{
	IN_TRANSACTION
	add_calls(add_instance("live", web, NOW + 100), add_unit(now), TAMIS_WORKLOAD, calls, now);
}

static json_t *json_of(const struct cmd *c, const char *name)
{
	const char *const args[] = { "--json", "--state", "DIR", name, NULL };
	_free_ char *text = NULL;
	json_t *json;

	assert_int_equal(run(c, args), EXIT_OK);
	text = printed_text();
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

/* "dup ENOSYS mined, ...": of an array of calls. */
static void assert_calls(const json_t *array, const char *want)
{
	char is[512] = "";

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *call = json_array_get(array, i),
			     *at = json_object_get(call, "needed");
		const char *name = json_string_value(json_object_get(call, "name"));
		const char *error = json_string_value(json_object_get(call, "errno"));
		bool mined = json_is_true(json_object_get(call, "mined"));

		assert_true(json_is_boolean(json_object_get(call, "mined")));
		snprintf(is + strlen(is), sizeof(is) - strlen(is), "%s%s %s%s", i ? ", " : "", name,
			 error, mined ? " mined" : "");
		if (json_is_integer(at))
			snprintf(is + strlen(is), sizeof(is) - strlen(is), " %lld",
				 json_integer_value(at) - NOW);
	}
	assert_string_equal(is, want);
}

static void show_says_by_whom(void **state)
{
	json_t *json;

	fill();
	assert_int_equal(RUN(cmd_show, "web", "--state", "DIR"), EXIT_OK);
	assert_printed("\ndenied:    " MACHINE_NAME " gettid\n"
		       "denied by mining (ENOSYS): " MACHINE_NAME " dup\n"
		       "denied by mining (EPERM): " MACHINE_NAME " flock, " MACHINE_NAME
		       " mount\n");
	json = json_of(&cmd_show, "web");
	assert_calls(json_object_get(json, "denied"), "dup ENOSYS mined, flock EPERM mined, "
						      "mount EPERM mined, gettid ENOSYS");
	json_decref(json);
}

static void what_is_needed_after_all(void **state)
{
	json_t *json;

	fill();
	assert_int_equal(RUN(cmd_show, "web", "--state", "DIR"), EXIT_OK);
	{
		_free_ char *text = printed_text();

		assert_null(strstr(text, "after all"));
	}
	make(SET(READ, FLOCK, GETTID), NOW + 600);
	assert_int_equal(RUN(cmd_show, "web", "--state", "DIR"), EXIT_OK);
	assert_printed("\nneeded after all: " MACHINE_NAME " flock, made outside of mining, last "
		       "2023-11-14 22:23:20Z ('tamis allow' lets it in)\n");
	json = json_of(&cmd_show, "web");
	assert_calls(json_object_get(json, "denied"),
		     "dup ENOSYS mined, flock EPERM mined 600, mount EPERM mined, gettid "
		     "ENOSYS");
	json_decref(json);
}

static void lists_count_them(void **state)
{
	unsigned cnt = 77;

	fill();
	assert_stored(mined_count_made(st, web, &cnt));
	assert_int_equal(cnt, 0);
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	{
		_free_ char *text = printed_text();

		assert_null(strstr(text, "after all"));
	}
	make(SET(DUP, FLOCK, GETTID), NOW + 600);
	assert_stored(mined_count_made(st, web, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	assert_printed("running, 2 needed after all");
}

static void people_have_the_last_word(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_allow, "web", "dup", "mount", "--state", "DIR"), EXIT_OK);
	check_said("allowed " MACHINE_NAME " dup, " MACHINE_NAME
		   " mount of podman/web; 'tamis apply podman/web' "
		   "makes a generation with it\n" MACHINE_NAME
		   " dup was denied by mining (ENOSYS) until now\n" MACHINE_NAME
		   " mount was denied by mining (EPERM) until now\n");
	assert_int_equal(RUN(cmd_deny, "web", "flock", "--state", "DIR"), EXIT_OK);
	assert_printed(MACHINE_NAME
		       " flock was denied by mining (EPERM); now a person denies it\n");
	assert_set(said_of(web).mined[MACHINE], NO_CALLS);
	assert_set(said_of(web).allowed[MACHINE], SET(DUP, MOUNT));
	assert_set(said_of(web).denied[MACHINE], SET(FLOCK, GETTID));
	fill();
	assert_int_equal(RUN(cmd_deny, "web", "gettid", "--forget", "--state", "DIR"), EXIT_OK);
}

static void a_generation_says_what_it_lacks_on_purpose(void **state)
{
	const json_t *generations, *lacks;
	json_t *json;

	web = learn_as("podman/web", "podman", SET(READ, DUP, FLOCK, MOUNT, GETTID), 1);
	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	fill();
	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	assert_printed("\n  denied: gettid\n  denied by mining: dup, flock, mount (its tests pass "
		       "without)\n");
	assert_int_equal(HISTORY("web"), EXIT_OK);
	assert_printed("\ngeneration 2: denied by mining (ENOSYS): dup\n"
		       "\ngeneration 2: denied by mining (EPERM): flock, mount\n");
	assert_printed("denied by mining   ");
	json = json_of(&cmd_history, "web");
	generations = json_object_get(json, "generations");
	assert_int_equal(json_array_size(generations), 2);
	lacks = json_object_get(json_array_get(generations, 1), "lacks");
	for (size_t i = 0; i < json_array_size(lacks); i++) {
		const json_t *call = json_array_get(lacks, i);
		const char *name = json_string_value(json_object_get(call, "name"));

		assert_int_equal(json_is_true(json_object_get(call, "mined")),
				 strcmp(name, "gettid") != 0);
	}
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(generations, 1), "denied_eperm")),
		1);
	json_decref(json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_files, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(show_says_by_whom),
		TEST(what_is_needed_after_all),
		TEST(lists_count_them),
		TEST(people_have_the_last_word),
		TEST(a_generation_says_what_it_lacks_on_purpose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
