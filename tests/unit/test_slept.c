/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a workload's time was watched, and how a command says it. */
#include <math.h>

#include "cli/slept_text.h"
#include "store_fixture.h"

#define T NOW

static int64_t w;

/* Instances that ran from and until; 0: still. */
static void runs(const char *name, int64_t began, int64_t ended)
{
	IN_TRANSACTION
	{
		w = add_workload("podman/web", NULL);
		add_instance(name, w, began);
		if (ended)
			end_instance(name, w, ended);
	}
}

static struct slept slept(const struct naps *naps, int64_t now)
{
	struct slept s = { 0 };

	assert_stored(slept_of(st, w, naps, now, &s));
	return s;
}

static struct nap list[] = { { T + 100, T + 200, 50000 }, { T + 1000, T + 1100, 90000 } };
static const struct naps naps = { list, 2 };

static void what_runs_is_watched_but_for_naps(void **state)
{
	struct slept s;

	runs("a", T, 0);
	s = slept(&naps, T + 100);
	assert_int_equal(s.since, 0);
	assert_true(slept_watched(&s) == 1);
	s = slept(&naps, T + 200);
	assert_int_equal(s.since, T + 100); /* not since it is known */
	assert_int_equal(s.ran_ms, 100000);
	assert_int_equal(s.ms, 50000);
	s = slept(&naps, T + 1100);
	assert_int_equal(s.ran_ms, 1000000);
	assert_int_equal(s.ms, 140000);
	assert_true(fabs(slept_watched(&s) - 0.86) < 0.001);
}

static void what_did_not_run_missed_nothing(void **state)
{
	struct slept s;

	runs("a", T, T + 100);
	runs("b", T + 200, T + 1000);
	s = slept(&naps, T + 2000);
	assert_int_equal(s.since, 0);
	assert_int_equal(s.ms, 0);
	runs("c", T + 1050, 0); /* half of the second */
	s = slept(&naps, T + 1150);
	assert_int_equal(s.since, T + 1050);
	assert_int_equal(s.ran_ms, 100000);
	assert_int_equal(s.ms, 45000);
}

static void replicas_share_their_time(void **state)
{
	struct slept s;

	runs("a", T, T + 150);
	runs("b", T + 50, T + 180);
	runs("c", T + 60, T + 90); /* inside of another's life */
	runs("d", T + 1000, 0);
	s = slept(&naps, T + 1100);
	assert_int_equal(s.since, T + 100);
	assert_int_equal(s.ran_ms, 180000);
	assert_int_equal(s.ms, 130000);
}

static char *printed(const struct slept *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	slept_print(s, f);
	fclose(f);
	return text;
}

static void it_is_said_in_words_and_for_scripts(void **state)
{
	const struct slept none = { 0 }, some = { T, 1000000, 876500 };
	_free_ char *nothing = printed(&none), *text = printed(&some);
	char cell[SLEPT_CELL_MAX];
	json_t *json = slept_json(&some), *null = slept_json(&none);

	assert_string_equal(nothing, "");
	assert_string_equal(text, "watched:   12.3 % of the time since 2023-11-14 22:13:20Z: calls "
				  "made only in the rest of it are unseen\n");
	assert_string_equal(slept_cell(&none, cell), "");
	assert_string_equal(slept_cell(&some, cell), ", watched 12.3 %");
	assert_true(json_is_null(null));
	assert_int_equal(json_integer_value(json_object_get(json, "since")), T);
	assert_true(fabs(json_real_value(json_object_get(json, "share")) - 0.1235) < 0.00001);
	assert_true(json_real_value(json_object_get(json, "slept")) == 876.5);
	json_decref(json);
	json_decref(null);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_runs_is_watched_but_for_naps),
		TEST(what_did_not_run_missed_nothing),
		TEST(replicas_share_their_time),
		cmocka_unit_test(it_is_said_in_words_and_for_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
