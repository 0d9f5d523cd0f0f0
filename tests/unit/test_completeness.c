/* SPDX-License-Identifier: Apache-2.0 */
/* How complete a workload is, as commands say it: of its hours, or of the tests of a mining run. */
#include "cli/completeness.h"
#include "cmd_fixture.h"

#define HOUR 3600

static int64_t workload;

static void make_hours(unsigned cnt, struct sysset (*made)(unsigned hour))
{
	IN_TRANSACTION
	{
		int64_t i;

		workload = add_workload("podman/web", "web");
		i = add_instance("i", workload, NOW);
		for (unsigned h = 0; h < cnt; h++) {
			int64_t unit = add_unit(NOW + h * HOUR);

			add_calls(i, unit, TAMIS_WORKLOAD, made(h), NOW + h * HOUR);
		}
	}
}

static void make_run(unsigned tests)
{
	const struct store_mine run = { .began = NOW, .target = (char *)"the\nimage" };
	struct store_mine row = run;
	int64_t unit;
	char name[16];

	IN_TRANSACTION
	{
		int64_t i;

		workload = add_workload("podman/web", "web");
		i = add_instance("i", workload, NOW);
		assert_stored(store_mine_add(st, &run, &row.id));
		row.workload = workload;
		assert_stored(store_mine_set(st, &row));
		assert_stored(store_mine_unit(st, row.id, NOW, "start", &unit));
		add_calls(i, unit, TAMIS_WORKLOAD, SET(0, 1, 9), NOW);
		for (unsigned t = 0; t < tests; t++) {
			snprintf(name, sizeof(name), "t%u", t);
			assert_stored(store_mine_unit(st, row.id, NOW + t, name, &unit));
			add_calls(i, unit, TAMIS_WORKLOAD, SET(0, 1, 20 + (int)t), NOW);
			assert_stored(store_mine_outcome(st, unit, MATRIX_PASS));
		}
	}
}

static struct sysset always(unsigned hour)
{
	return SET(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

/* Each hour brings one that no other has. */
static struct sysset growing(unsigned hour)
{
	return SET(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20 + (int)hour);
}

static char *printed(void)
{
	struct completeness c;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_stored(completeness_now(st, workload, &c));
	completeness_print(&c, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void check_printed(const char *want)
{
	_free_ char *text = printed();

	if (!strstr(text, want))
		fail_msg("%s lacks %s", text, want);
}

static void of_hours(void **state)
{
	make_hours(100, always);
	check_printed(
		"coverage:  99.9 % (98.5 to 99.9) from 100 hours; some 10 calls in all (10 to ");
	check_printed("; 0.0 new expected in the next hour (0 to ");
}

static void without_an_upper_limit(void **state)
{
	make_hours(10, growing);
	check_printed(" from 10 hours; ");
	check_printed("; too few hours for an upper limit); ");
}

static void not_known(void **state)
{
	make_hours(3, always);
	check_printed("not known: 3 of the 5 units that an estimate needs (a unit is an hour)\n");
}

static void never_seen(void **state)
{
	IN_TRANSACTION
	workload = add_workload("podman/web", "web");
	check_printed("not known: 0 of the 5 units");
}

/* No hour is known of what only mining saw; its start is in every life that a test is one of. */
static void of_tests(void **state)
{
	struct completeness c;

	make_run(8);
	check_printed(" from 8 tests; ");
	assert_stored(completeness_now(st, workload, &c));
	assert_true(c.of_tests && c.unseen.is_known && !c.hour.is_known);
	assert_int_equal(c.unseen.seen, 3 + 8);
	assert_int_equal(c.unseen.once, 8);
	make_hours(4, always);
	check_printed(" from 8 tests; ");
	make_hours(6, always);
	check_printed(" from 6 hours; ");
}

static void check_json(json_t *json, const char *want)
{
	_free_ char *got = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(4));

	json_decref(json);
	assert_non_null(got);
	assert_string_equal(got, want);
}

static void json_has_all_keys(void **state)
{
	struct store_coverage row;
	struct completeness c;

	make_run(2);
	assert_stored(completeness_now(st, workload, &c));
	check_json(completeness_now_json(&c),
		   "{\"of\":\"tests\",\"known\":false,\"why\":\"2 of the 5 units that an estimate "
		   "needs\",\"units\":2,\"seen\":5,\"once\":2,\"twice\":3,\"total\":null,"
		   "\"low\":null,\"high\":null,\"coverage\":null,\"coverage_low\":null,"
		   "\"coverage_high\":null,\"next_hour\":null}");
	assert_stored(completeness_load(st, workload, &row));
	check_json(completeness_json(&row), "{\"at\":null,\"units\":0,\"coverage\":null,"
					    "\"low\":null,\"high\":null,\"next_hour\":null}");
	row = (struct store_coverage){ .at = NOW,
				       .units = 7,
				       .is_known = true,
				       .coverage = .5,
				       .low = .25,
				       .high = .75,
				       .next_hour = 1.5 };
	IN_TRANSACTION
	assert_stored(store_coverage_set(st, workload, &row));
	assert_stored(completeness_load(st, workload, &row));
	check_json(completeness_json(&row),
		   "{\"at\":1700000000,\"units\":7,\"coverage\":0.5,\"low\":0.25,\"high\":0.75,"
		   "\"next_hour\":1.5}");
}

static void cells_never_say_all(void **state)
{
	struct store_coverage c = { .is_known = true, .coverage = 1 };
	char buf[COMPLETENESS_CELL_MAX];

	assert_string_equal(completeness_cell(&c, buf), "99.9%");
	c.is_known = false;
	assert_string_equal(completeness_cell(&c, buf), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_hours),
		TEST(without_an_upper_limit),
		TEST(not_known),
		TEST(never_seen),
		TEST(of_tests),
		TEST(json_has_all_keys),
		TEST(cells_never_say_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
