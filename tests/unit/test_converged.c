/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what runs is known well, by a real store. */
#include "learn/converged.h"

#include <errno.h>

#include "store_fixture.h"

#define HOUR 3600
#define DAY  86400

/* What runs without a filter. */
static const char *const *running;

int under_each_free(const struct under *u, int (*fn)(const char *key, void *arg), void *arg)
{
	int r = 0;

	for (size_t i = 0; running[i] && r == 0; i++)
		r = fn(running[i], arg);
	return r;
}

static struct auto_rules rules;
static char why[256];

static int converged(int64_t now)
{
	const struct converged_options o = { st, NULL, &rules };

	memset(why, 0, sizeof(why));
	return converged_all(&o, now, why, sizeof(why));
}

/* One that started at NOW, and made its last new call so much later. */
static int64_t add(const char *key, uint64_t starts, int64_t news)
{
	const struct store_instance i = { .instance = key,
					  .workload = add_workload(key, NULL),
					  .running = true,
					  .starts = starts };
	int64_t id, unit = add_unit(NOW);

	assert_stored(store_instance(st, &i, NOW, &id));
	add_calls(id, unit, TAMIS_WORKLOAD, SET(1), NOW);
	unit = add_unit(NOW + news);
	add_calls(id, unit, TAMIS_WORKLOAD, SET(2), NOW + news);
	/* those of its setup are in no policy */
	unit = add_unit(NOW + news + 5);
	add_calls(id, unit, TAMIS_SETUP, SET(3), NOW + news + 5);
	return i.workload;
}

static int setup(void **state)
{
	rules = (struct auto_rules){ 0 };
	return open_store(state);
}

static void assert_waits(int64_t now, const char *text)
{
	assert_int_equal(converged(now), 0);
	if (strcmp(why, text) != 0)
		fail_msg("\"%s\" instead of \"%s\"", why, text);
}

static void without_a_rule_a_day_and_half_a_day(void **state)
{
	static const char *const both[] = { "podman/a", "podman/b", NULL };

	IN_TRANSACTION
	{
		add("podman/a", 1, 10);
		add("podman/b", 1, 13 * HOUR);
	}
	running = both;
	assert_waits(NOW + DAY - 1, "podman/a: observed for 86399 s of 86400");
	assert_waits(NOW + DAY, "podman/b: a new call 39600 s ago, quiet for 43200 wanted");
	assert_int_equal(converged(NOW + 25 * HOUR), 1);
}

static void what_is_partial_or_unknown_never_is(void **state)
{
	static const char *const partial[] = { "podman/a", NULL }, *const unknown[] = { "x", NULL };

	IN_TRANSACTION
	add("podman/a", 0, 10);
	running = partial;
	assert_waits(NOW + 9 * DAY, "podman/a: partial");
	running = unknown;
	assert_waits(NOW + 9 * DAY, "x: nothing is known of it");
}

static void nothing_that_runs_is_no_reason(void **state)
{
	static const char *const nothing[] = { NULL };

	running = nothing;
	assert_waits(NOW, "nothing runs");
}

/* The number of starts is a rule's own; one that only opts out says how long, too. */
static void a_rule_says_how_long(void **state)
{
	static struct auto_rule rule = { .pattern = "podman/*",
					 .mode = MODE_OBSERVE,
					 .observe_s = 60,
					 .starts = 9,
					 .quiet_s = 20 };
	static const char *const one[] = { "podman/a", NULL };

	rules = (struct auto_rules){ &rule, 1 };
	IN_TRANSACTION
	add("podman/a", 1, 50);
	running = one;
	assert_waits(NOW + 59, "podman/a: observed for 59 s of 60");
	assert_waits(NOW + 69, "podman/a: a new call 19 s ago, quiet for 20 wanted");
	assert_int_equal(converged(NOW + 70), 1);
	IN_TRANSACTION
	{
		const struct nap nap = { NOW + 55, NOW + 65, 5000 };

		assert_stored(store_nap_add(st, &nap));
	}
	assert_waits(NOW + 70, "podman/a: a new call 15 s ago, quiet for 20 wanted");
	assert_int_equal(converged(NOW + 75), 1);
}

static void a_rule_says_how_much(void **state)
{
	static struct auto_rule rule = { .pattern = "*", .mode = MODE_ENFORCE, .coverage = 95 };
	static const char *const one[] = { "podman/a", NULL };
	struct store_coverage c = {
		.at = NOW, .units = 9, .is_known = true, .coverage = .97, .low = .94, .high = .99
	};
	int64_t w = 0;

	rules = (struct auto_rules){ &rule, 1 };
	IN_TRANSACTION
	w = add("podman/a", 1, 0);
	running = one;
	assert_waits(NOW + 10, "podman/a: how much of it is known can't be said yet");
	IN_TRANSACTION
	assert_stored(store_coverage_set(st, w, &c));
	assert_waits(NOW + 10, "podman/a: coverage is 94.0 % at the least, 95 wanted");
	c.low = .96;
	IN_TRANSACTION
	assert_stored(store_coverage_set(st, w, &c));
	assert_int_equal(converged(NOW + 10), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_rule_a_day_and_half_a_day),
		TEST(what_is_partial_or_unknown_never_is),
		TEST(nothing_that_runs_is_no_reason),
		TEST(a_rule_says_how_long),
		TEST(a_rule_says_how_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
