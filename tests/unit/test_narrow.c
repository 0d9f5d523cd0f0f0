/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose() with random profiles, asked at every point of a small domain that has each
 * value at which the conditions used here can change their answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/compose.h"
#include "model/narrow.h"
#include "model/rules.h"

#include "unit/less.h"

#define ROUNDS	     1500
#define CALLS	     6 /* numbers 0..5 are used */
#define ENGINE_ERRNO 11
#define BASE_ERRNO   22

/* Conditions hold values 0..3, so 4 and what has more bits stand for all others. */
static const uint64_t values[] = { 0, 1, 2, 3, 4, UINT64_C(1) << 40, UINT64_MAX - 1, UINT64_MAX };
#define POINTS (ARRAY_SIZE(values) * ARRAY_SIZE(values))

enum why { REFUSED, ALWAYS, GATE, LEARNED, WHY_MAX };

struct trial {
	struct learned learned;
	struct sysset gate[TAMIS_ABI_MAX], always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX];
	struct filter *engine, *fallback, *out;
	enum why why[CALLS];
};

static void random_conds(struct filter_rule *r, bool plain)
{
	unsigned which = 1 + (unsigned)rand() % 3;

	for (uint8_t index = 0; index < 2; index++) {
		struct filter_cond *c = &r->cond[r->cond_cnt];

		if (!(which >> index & 1))
			continue;
		c->index = index;
		c->op = (enum filter_op)(rand() % FILTER_OP_MAX);
		if (plain)
			c->op = rand() % 2 ? FILTER_EQ : FILTER_MASKED_EQ;
		c->value = (uint64_t)(rand() % 4);
		c->value_two = (uint64_t)(rand() % 4) & c->value;
		r->cond_cnt++;
	}
}

/* The base is plain (policies/engine/ is tested to be); so are refusals, or their errno could
 * be one that takes too many rules to say. */
static void add_random_rule(struct filter *f, uint32_t nr, bool base)
{
	static const enum filter_action actions[] = { FILTER_ALLOW, FILTER_ALLOW, FILTER_ALLOW,
						      FILTER_ERRNO, FILTER_ERRNO, FILTER_LOG };
	struct filter_rule r = { .abi = abi_native(), .nr = nr };

	r.action = actions[(unsigned)rand() % (base ? 5 : 6)];
	r.errno_ret = base ? BASE_ERRNO : ENGINE_ERRNO;
	if (rand() % 6)
		random_conds(&r, base || r.action == FILTER_ERRNO);
	assert_int_equal(filter_add(f, &r), 0);
}

static struct filter *random_filter(bool base)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = 1u << abi_native();
	if (!base && rand() % 5 == 0) {
		f->default_action = rand() % 2 ? FILTER_ALLOW : FILTER_LOG;
		f->default_errno = 0;
	}
	for (uint32_t nr = 0; nr < CALLS; nr++)
		for (int cnt = rand() % 4; cnt > 0; cnt--)
			add_random_rule(f, nr, base);
	filter_sort(f);
	return f;
}

static void trial_make(struct trial *t)
{
	struct compose_in in = {
		.learned = &t->learned, .gate = t->gate, .always = t->always, .eperm = t->eperm
	};

	memset(t, 0, sizeof(*t));
	for (uint32_t nr = 0; nr < CALLS; nr++) {
		t->why[nr] = (enum why)(rand() % WHY_MAX);
		if (t->why[nr] == LEARNED)
			sysset_add(&t->learned.set[TAMIS_WORKLOAD][abi_native()], nr);
		if (t->why[nr] == GATE)
			sysset_add(&t->gate[abi_native()], nr);
		if (t->why[nr] == ALWAYS)
			sysset_add(&t->always[abi_native()], nr);
	}
	t->engine = random_filter(false);
	t->fallback = random_filter(true);
	in.engine = t->engine;
	in.fallback = t->fallback;
	assert_int_equal(compose(&in, &t->out), 0);
}

static void trial_done(struct trial *t)
{
	filter_free(t->engine);
	filter_free(t->fallback);
	filter_free(t->out);
}

static void for_each_point(void (*check)(const struct trial *t, uint32_t nr,
					 const uint64_t args[FILTER_ARGS], void *sum),
			   unsigned seed, void *sum)
{
	unsigned rounds = less(ROUNDS);

	srand(seed);
	for (unsigned round = 0; round < rounds; round++) {
		struct trial t;

		trial_make(&t);
		for (uint32_t nr = 0; nr < CALLS; nr++)
			for (size_t i = 0; i < POINTS; i++) {
				const uint64_t args[FILTER_ARGS] = {
					values[i % ARRAY_SIZE(values)],
					values[i / ARRAY_SIZE(values)],
				};

				check(&t, nr, args, sum);
			}
		trial_done(&t);
	}
}

static struct filter_verdict at(const struct filter *f, uint32_t nr, const uint64_t *args)
{
	return filter_verdict(f, abi_native(), nr, args);
}

/* The base says nothing of a call without a rule. */
static bool base_passes(const struct trial *t, uint32_t nr, const uint64_t *args)
{
	const struct filter_rule *rule;

	return filter_find(t->fallback, abi_native(), nr, &rule) == 0 ||
	       filter_action_passes(at(t->fallback, nr, args).action);
}

static bool engine_refuses_outright(const struct trial *t, uint32_t nr)
{
	struct side s = side_of(t->engine, abi_native(), nr);

	return !side_passes(&s);
}

/* Numbers 0..5 of x86_64 are read to fstat, of aarch64 io_setup to setxattr: none is vital. */
static bool should_pass(const struct trial *t, uint32_t nr, const uint64_t *args)
{
	if (t->why[nr] == REFUSED)
		return false;
	if (engine_refuses_outright(t, nr))
		return t->why[nr] == LEARNED && base_passes(t, nr, args);
	return filter_action_passes(at(t->engine, nr, args).action) && base_passes(t, nr, args);
}

struct count {
	size_t passed, refused, left_out;
};

static void check_passing(const struct trial *t, uint32_t nr, const uint64_t args[FILTER_ARGS],
			  void *sum)
{
	struct filter_verdict v = at(t->out, nr, args);
	bool should = should_pass(t, nr, args), does = filter_action_passes(v.action);
	struct count *count = sum;

	if (does && !should)
		fail_msg("call %u passes with (%#lx, %#lx)", nr, (unsigned long)args[0],
			 (unsigned long)args[1]);
	if (does && !engine_refuses_outright(t, nr))
		assert_true(v.action <= at(t->engine, nr, args).action);
	count->passed += does;
	count->refused += !should;
	count->left_out += should && !does;
}

static void passes_what_both_let_pass(void **state)
{
	struct count count = { 0 };

	for_each_point(check_passing, 1, &count);
	assert_true(count.passed > 6 * less(ROUNDS) && count.refused > 6 * less(ROUNDS));
	/* Over RULES_MAX: masks of the base against ranges of the engine, on both arguments. */
	assert_true(count.left_out < count.passed / 100);
}

/* A rule of the engine that refuses with an errno of its own, conditional or not. */
static void check_errno(const struct trial *t, uint32_t nr, const uint64_t args[FILTER_ARGS],
			void *sum)
{
	struct filter_verdict engine = at(t->engine, nr, args), v = at(t->out, nr, args);
	struct side side = side_of(t->engine, abi_native(), nr);
	bool told = side.cnt > 0 && side.rule[0].cond_cnt == 0;
	struct side base = side_of(t->fallback, abi_native(), nr);
	bool base_refuses_all = base.cnt > 0 && !side_passes(&base);

	if (engine.action != FILTER_ERRNO || engine.errno_ret != ENGINE_ERRNO)
		return;
	if (t->why[nr] == REFUSED ? !told : base_refuses_all || engine_refuses_outright(t, nr))
		return;
	/* Nothing left of it: refused as a whole, by the default. */
	if (side_of(t->out, abi_native(), nr).rule[0].cond_cnt == 0 && !told)
		return;
	assert_int_equal(v.action, FILTER_ERRNO);
	assert_int_equal(v.errno_ret, ENGINE_ERRNO);
	*(size_t *)sum += 1;
}

static void the_engines_errnos_stay(void **state)
{
	size_t cnt = 0;

	for_each_point(check_errno, 2, &cnt);
	assert_true(cnt > 1000);
}

static bool has_products(const struct side *s)
{
	for (size_t i = 0; i < s->cnt; i++)
		if (s->rule[i].cond_cnt > 1)
			return true;
	return false;
}

/* The one case in which rules that are not plain stay. */
static bool is_too_long(const struct side *s)
{
	unsigned long cnt = 0;

	for (size_t i = 0; i < s->cnt; i++)
		cnt += rules_plain_cnt(&s->rule[i]);
	return cnt > RULES_MAX;
}

static void check_form(const struct side *s, size_t *plain)
{
	bool several = has_products(s);

	for (size_t i = 0; i < s->cnt; i++) {
		assert_true(s->cnt == 1 || s->rule[i].cond_cnt > 0);
		if (several && !rule_is_plain(&s->rule[i]))
			assert_true(is_too_long(s));
		*plain += several;
		for (size_t k = i + 1; k < s->cnt; k++) {
			const struct filter_rule *a = &s->rule[i], *b = &s->rule[k];

			if (a->action != b->action || a->errno_ret != b->errno_ret)
				assert_true(rule_excludes(a, b));
			else
				assert_false(rule_implies(a, b) || rule_implies(b, a));
		}
	}
}

static void rules_never_contradict(void **state)
{
	unsigned rounds = less(ROUNDS);
	size_t plain = 0;

	srand(3);
	for (unsigned round = 0; round < rounds; round++) {
		struct trial t;

		trial_make(&t);
		for (uint32_t nr = 0; nr < CALLS; nr++) {
			struct side s = side_of(t.out, abi_native(), nr);

			check_form(&s, &plain);
		}
		trial_done(&t);
	}
	assert_true(plain > rounds / 2);
}

static void no_engine_means_the_base_alone(void **state)
{
	unsigned rounds = less(ROUNDS / 3);

	srand(4);
	for (unsigned round = 0; round < rounds; round++) {
		struct trial t;
		struct filter *alone = NULL;
		struct compose_in in = { .learned = &t.learned };

		trial_make(&t);
		in.fallback = t.fallback;
		assert_int_equal(compose(&in, &alone), 0);
		for (uint32_t nr = 0; nr < CALLS; nr++)
			for (size_t i = 0; i < POINTS; i++) {
				const uint64_t args[FILTER_ARGS] = {
					values[i % ARRAY_SIZE(values)],
					values[i / ARRAY_SIZE(values)],
				};
				bool pass = filter_action_passes(at(alone, nr, args).action);

				assert_int_equal(pass,
						 t.why[nr] == LEARNED && base_passes(&t, nr, args));
			}
		filter_free(alone);
		trial_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_both_let_pass),
		cmocka_unit_test(the_engines_errnos_stay),
		cmocka_unit_test(rules_never_contradict),
		cmocka_unit_test(no_engine_means_the_base_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
