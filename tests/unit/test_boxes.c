/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/boxes.h"

static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 7, 8, 0x100000002, UINT64_MAX };

static bool rule_has(const struct filter_rule *r, uint64_t a0, uint64_t a1)
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (!cond_match(&r->cond[i], r->cond[i].index ? a1 : a0))
			return false;
	return true;
}

/* By way of box_write, so that it is checked too. */
static bool boxes_have(const struct boxes *b, uint64_t a0, uint64_t a1)
{
	for (unsigned i = 0; i < b->cnt; i++) {
		struct filter_rule r = { 0 };

		box_write(&b->box[i], &r);
		if (rule_has(&r, a0, a1))
			return true;
	}
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

/* Nothing more than the exact set, ever; nothing less unless it says so. */
static void meet_and_subtract_are_exact(void **state)
{
	unsigned lost = 0;

	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct filter_rule a = random_rule(), b = random_rule();
		struct boxes both, left;

		boxes_of_rule(&a, &both);
		left = both;
		boxes_meet(&both, &b);
		boxes_subtract(&left, &b);
		lost += both.lost || left.lost;
		for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
			uint64_t a0 = values[i % ARRAY_SIZE(values)];
			uint64_t a1 = values[i / ARRAY_SIZE(values)];
			bool in_a = rule_has(&a, a0, a1), in_b = rule_has(&b, a0, a1);

			if (boxes_have(&both, a0, a1) != (in_a && in_b))
				assert_true(both.lost && in_a && in_b);
			if (boxes_have(&left, a0, a1) != (in_a && !in_b))
				assert_true(left.lost && in_a && !in_b);
		}
	}
	/* Two long ranges at once: 62 * 62 boxes. */
	assert_true(lost > 0 && lost < 1000);
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

static void boxes_are_written_as_conditions(void **state)
{
	const struct filter_rule in = {
		.cond_cnt = 3,
		.cond = { { 0, FILTER_EQ, 7 }, { 3, FILTER_MASKED_EQ, 6, 4 }, { 5, FILTER_GE, 0 } }
	};
	struct filter_rule out = { 0 };
	struct boxes b;

	boxes_of_rule(&in, &b);
	assert_int_equal(b.cnt, 1);
	assert_false(b.lost);
	box_write(&b.box[0], &out);
	assert_int_equal(out.cond_cnt, 2);
	assert_memory_equal(&out.cond[0], &in.cond[0], sizeof(in.cond[0]));
	assert_memory_equal(&out.cond[1], &in.cond[1], sizeof(in.cond[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meet_and_subtract_are_exact),
		cmocka_unit_test(relations_never_claim_too_much),
		cmocka_unit_test(boxes_are_written_as_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
