/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule speaks for a workload, and when it is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "learn/auto.h"

#define NOW 1700000000
#define DAY 86400

static void the_first_that_matches_speaks(void **state)
{
	static struct auto_rule rule[] = {
		{ .pattern = (char *)"podman/web*" },
		{ .pattern = (char *)"kubernetes/*/db" },
		{ .pattern = (char *)"podman/w?" },
		{ .pattern = (char *)"podman/*" },
	};
	static const struct {
		const char *key;
		int rule; /* -1: none */
	} rows[] = {
		{ "podman/web", 0 },
		{ "podman/web2/a", 0 },
		{ "podman/wx", 2 },
		{ "podman/~1000/web", 3 },
		{ "kubernetes/shop/front/db", 1 },
		{ "kubernetes/db", -1 },
		{ "docker/web", -1 },
		{ "", -1 },
	};
	const struct auto_rules rules = { rule, ARRAY_SIZE(rule) };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct auto_rule *r = auto_find(&rules, rows[i].key);

		if (r != (rows[i].rule < 0 ? NULL : &rule[rows[i].rule]))
			fail_msg("%s", rows[i].key);
	}
	assert_null(auto_find(&(struct auto_rules){ 0 }, "podman/web"));
}

static void a_rule_waits_for_all_it_names(void **state)
{
	static const struct {
		const char *what;
		enum policy_mode mode;
		bool opted_out;
		const char *why_not;
		uint64_t calls, starts, gaps;
		int64_t since, last_new; /* before now */
		const char *waits;	 /* NULL: it is due */
	} rows[] = {
		{ "all of it", MODE_ENFORCE, false, NULL, 9, 2, 0, DAY, DAY / 2, NULL },
		{ "more", MODE_SHADOW, false, NULL, 9, 9, 0, 9 * DAY, DAY, NULL },
		{ "opted out", MODE_OBSERVE, false, NULL, 9, 9, 0, 9 * DAY, DAY, "by a rule" },
		{ "label", MODE_ENFORCE, true, NULL, 9, 9, 0, 9 * DAY, DAY, "by a label" },
		{ "why not", MODE_ENFORCE, false, "a VM", 9, 9, 0, 9 * DAY, DAY, "a VM" },
		{ "no start", MODE_ENFORCE, false, NULL, 9, 0, 0, 9 * DAY, DAY, "partial" },
		{ "gap", MODE_ENFORCE, false, NULL, 9, 9, 1, 9 * DAY, DAY, "partial" },
		{ "no calls", MODE_ENFORCE, false, NULL, 0, 9, 0, 9 * DAY, DAY, "no calls" },
		{ "young", MODE_ENFORCE, false, NULL, 9, 9, 0, DAY - 1, DAY, "86399 s of 86400" },
		{ "future", MODE_ENFORCE, false, NULL, 9, 9, 0, -5, DAY, "observed for -5" },
		{ "starts", MODE_ENFORCE, false, NULL, 9, 1, 0, DAY, DAY, "1 of 2 starts" },
		{ "new call", MODE_ENFORCE, false, NULL, 9, 2, 0, DAY, DAY / 2 - 1, "quiet for" },
		{ "probes", MODE_PROBATION, false, NULL, 0, 9, 1, 9 * DAY, DAY, NULL },
		{ "probes late", MODE_PROBATION, false, NULL, 9, 1, 0, DAY, DAY, "1 of 2 starts" },
		{ "probes not", MODE_PROBATION, true, NULL, 9, 9, 0, 9 * DAY, DAY, "by a label" },
		{ "newer", MODE_ENFORCE, false, NULL, 9, 2, 0, DAY, -1, "quiet for" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct auto_rule rule = {
			.mode = rows[i].mode,
			.observe_s = AUTO_OBSERVE_S,
			.starts = AUTO_STARTS,
			.quiet_s = AUTO_QUIET_S,
		};
		const struct store_row row = {
			.opted_out = rows[i].opted_out,
			.why_not = (char *)rows[i].why_not,
			.calls = rows[i].calls,
			.evidence = { .starts = rows[i].starts,
				      .lost_gaps = rows[i].gaps,
				      .since = NOW - rows[i].since },
		};
		char why[128] = "";
		const struct auto_when when = { .now = NOW, .last_new = NOW - rows[i].last_new };
		bool due = auto_is_due(&rule, &row, &when, why, sizeof(why));

		if (due != !rows[i].waits || (!due && !strstr(why, rows[i].waits)))
			fail_msg("%s: %d \"%s\"", rows[i].what, due, why);
	}
}

static void coverage_counts_at_its_least(void **state)
{
	static const struct {
		unsigned wanted;
		struct store_coverage c;
		const char *waits; /* NULL: it is due */
	} rows[] = {
		{ 0, { .is_known = false }, NULL },
		{ 95, { .is_known = true, .coverage = .97, .low = .95, .high = .99 }, NULL },
		{ 95,
		  { .is_known = true, .coverage = .97, .low = .9499, .high = .99 },
		  "coverage is 94.9 % at the least, 95 wanted" },
		{ 1, { .is_known = false, .low = .99 }, "can't be said yet" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct auto_rule rule = { .coverage = rows[i].wanted };
		char why[128] = "";
		bool due = auto_is_covered(&rule, &rows[i].c, why, sizeof(why));

		if (due != !rows[i].waits || (!due && !strstr(why, rows[i].waits)))
			fail_msg("%zu: %d \"%s\"", i, due, why);
		assert_true(auto_is_covered(&rule, NULL, why, sizeof(why)) == !rows[i].wanted);
	}
}

static void nothing_asked_for_is_due_at_once(void **state)
{
	const struct auto_rule rule = { .mode = MODE_SHADOW };
	const struct store_row row = { .calls = 1, .evidence = { .starts = 1, .since = NOW } };
	char why[128];

	assert_true(auto_is_due(&rule, &row, &(struct auto_when){ .now = NOW, .last_new = NOW },
				why, sizeof(why)));
}

/* What is watched for a tenth of the time takes ten times as long. */
static void what_was_slept_is_not_observed(void **state)
{
	static struct nap half = { NOW - 2 * DAY, NOW, DAY * 1000 };
	static const struct naps slept = { &half, 1 };
	static const struct {
		int64_t since, last_new;
		const struct naps *naps;
		const char *waits; /* NULL: it is due */
	} rows[] = {
		{ 2 * DAY, DAY, &slept, NULL },
		{ 2 * DAY - 4, DAY, &slept, "observed for 86398 s of 86400" },
		{ 2 * DAY - 4, DAY, NULL, NULL },
		{ 2 * DAY, DAY - 4, &slept, "a new call 43198 s ago, quiet for 43200 wanted" },
		{ 2 * DAY, DAY - 4, NULL, NULL },
	};
	const struct auto_rule rule = { .mode = MODE_ENFORCE,
					.observe_s = AUTO_OBSERVE_S,
					.quiet_s = AUTO_QUIET_S };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct store_row row = {
			.calls = 1,
			.evidence = { .starts = 1, .since = NOW - rows[i].since },
		};
		const struct auto_when when = { NOW, NOW - rows[i].last_new, rows[i].naps };
		char why[128] = "";
		bool due = auto_is_due(&rule, &row, &when, why, sizeof(why));

		if (due != !rows[i].waits || (!due && strcmp(why, rows[i].waits) != 0))
			fail_msg("row %zu: %d \"%s\"", i, due, why);
		assert_int_equal(auto_is_quiet(&rule, &row, &when, why, sizeof(why)), due);
	}
}

static void a_reason_is_cut_to_its_room(void **state)
{
	const struct auto_rule rule = { .mode = MODE_ENFORCE };
	char long_why[300], why[128];
	struct store_row row = { .why_not = long_why };

	memset(long_why, 'x', sizeof(long_why) - 1);
	long_why[sizeof(long_why) - 1] = '\0';
	assert_false(auto_is_due(&rule, &row, &(struct auto_when){ .now = NOW }, why, sizeof(why)));
	assert_int_equal(strlen(why), sizeof(why) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_matches_speaks),
		cmocka_unit_test(a_rule_waits_for_all_it_names),
		cmocka_unit_test(coverage_counts_at_its_least),
		cmocka_unit_test(nothing_asked_for_is_due_at_once),
		cmocka_unit_test(what_was_slept_is_not_observed),
		cmocka_unit_test(a_reason_is_cut_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
