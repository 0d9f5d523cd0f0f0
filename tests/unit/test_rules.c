/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/rules.h"

static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 7, 8, 0x100000002, UINT64_MAX };

static bool rule_has(const struct filter_rule *r, uint64_t a0, uint64_t a1)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (!cond_match(&r->cond[i], r->cond[i].index ? a1 : a0))
			return false;
	return true;
}

static bool list_has(const struct filter *list, uint64_t a0, uint64_t a1)
{
	for (size_t i = 0; i < list->rule_cnt; i++)
		if (rule_has(&list->rule[i], a0, a1))
			return true;
	return false;
}

static struct filter_rule random_rule(void)
{
	struct filter_rule r = { 0 };

	for (uint8_t index = 0; index < 2; index++) {
		struct filter_cond *c = &r.cond[r.cond_cnt];

		if (rand() % 4 == 0)
			continue;
		c->index = index;
		c->op = (enum filter_op)(rand() % FILTER_OP_MAX);
		c->value = (uint64_t)(rand() % 8);
		c->value_two = (uint64_t)(rand() % 8) & c->value;
		r.cond_cnt++;
	}
	return r;
}

static struct filter *new_list(void)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	return f;
}

/* A full list may have less. */
static void assert_point(const struct filter *list, uint64_t a0, uint64_t a1, bool want)
{
	if (list->rule_cnt == RULES_MAX && want)
		return;
	assert_int_equal(list_has(list, a0, a1), want);
}

static void meet_and_subtract_are_exact(void **state)
{
	unsigned full = 0;

	srand(1);
	for (int round = 0; round < 3000; round++) {
		_cleanup_(filter_free) struct filter *both = new_list(), *left = new_list();
		struct filter_rule a = random_rule(), b = random_rule();

		assert_int_equal(rules_meet(&a, &b, both), 0);
		assert_int_equal(rules_subtract(&a, &b, left), 0);
		for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
			uint64_t a0 = values[i % ARRAY_SIZE(values)];
			uint64_t a1 = values[i / ARRAY_SIZE(values)];
			bool in_a = rule_has(&a, a0, a1), in_b = rule_has(&b, a0, a1);

			assert_point(both, a0, a1, in_a && in_b);
			assert_point(left, a0, a1, in_a && !in_b);
		}
		full += both->rule_cnt == RULES_MAX || left->rule_cnt == RULES_MAX;
	}
	/* Masks against ranges on both arguments at once. */
	assert_in_range(full, 1, 300);
}

static void plain_is_the_same(void **state)
{
	srand(3);
	for (int round = 0; round < 300; round++) {
		_cleanup_(filter_free) struct filter *plain = new_list();
		struct filter_rule a = random_rule();

		if (rules_plain_cnt(&a) > RULES_MAX)
			continue;
		assert_int_equal(rules_add_plain(&a, plain), 0);
		assert_true(plain->rule_cnt <= rules_plain_cnt(&a));
		for (size_t i = 0; i < plain->rule_cnt; i++)
			assert_true(rule_is_plain(&plain->rule[i]));
		for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
			uint64_t a0 = values[i % ARRAY_SIZE(values)];
			uint64_t a1 = values[i / ARRAY_SIZE(values)];

			assert_int_equal(list_has(plain, a0, a1), rule_has(&a, a0, a1));
		}
	}
}

/* What has no place is left out: less, not more. */
static void a_full_list_takes_no_more(void **state)
{
	const struct filter_rule wide = { .cond_cnt = 2,
					  .cond = { { 0, FILTER_NE, 3 }, { 1, FILTER_NE, 5 } } };
	_cleanup_(filter_free) struct filter *plain = new_list();

	assert_int_equal(rules_plain_cnt(&wide), 64 * 64);
	assert_int_equal(rules_add_plain(&wide, plain), 0);
	assert_int_equal(plain->rule_cnt, RULES_MAX);
	assert_false(list_has(plain, 3, 0) || list_has(plain, 0, 5));
}

static void relations_never_claim_too_much(void **state)
{
	unsigned implied = 0, excluded = 0;

	srand(2);
	for (int round = 0; round < 20000; round++) {
		struct filter_rule a = random_rule(), b = random_rule();
		bool implies = rule_implies(&a, &b), excludes = rule_excludes(&a, &b);

		implied += implies;
		excluded += excludes;
		for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
			uint64_t a0 = values[i % ARRAY_SIZE(values)];
			uint64_t a1 = values[i / ARRAY_SIZE(values)];

			if (implies && rule_has(&a, a0, a1))
				assert_true(rule_has(&b, a0, a1));
			if (excludes)
				assert_false(rule_has(&a, a0, a1) && rule_has(&b, a0, a1));
		}
	}
	assert_true(implied > 1000 && excluded > 1000);
}

static void what_needs_no_split_stays_as_written(void **state)
{
	const struct filter_rule a = { .cond_cnt = 1, .cond = { { 0, FILTER_LT, 16 } } };
	const struct filter_rule b = { .cond_cnt = 2,
				       .cond = { { 0, FILTER_NE, 16 }, { 2, FILTER_GT, 9 } } };
	const struct filter_rule c = { .cond_cnt = 1, .cond = { { 1, FILTER_EQ, 7 } } };
	_cleanup_(filter_free) struct filter *both = new_list(), *left = new_list();

	assert_int_equal(rules_meet(&a, &b, both), 0);
	assert_int_equal(both->rule_cnt, 1);
	assert_int_equal(both->rule[0].cond_cnt, 2);
	assert_int_equal(both->rule[0].cond[0].op, FILTER_LT);
	assert_int_equal(both->rule[0].cond[1].op, FILTER_GT);
	assert_int_equal(rules_subtract(&a, &c, left), 0);
	assert_int_equal(left->rule_cnt, 1);
	assert_int_equal(left->rule[0].cond[1].op, FILTER_NE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meet_and_subtract_are_exact),
		cmocka_unit_test(plain_is_the_same),
		cmocka_unit_test(a_full_list_takes_no_more),
		cmocka_unit_test(relations_never_claim_too_much),
		cmocka_unit_test(what_needs_no_split_stays_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
