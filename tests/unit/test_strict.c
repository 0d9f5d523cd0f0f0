/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of what compose makes under an engine's own profile, over random profiles.
 * STRICT_SEED=N runs the case of that number alone.
 */
#include "unit/strict_ask.h"

#include "emit/emit.h"
#include "emit/formats.h"

#include "unit/less.h"

#define CASES 10000

static void case_draw(struct composed *c, struct random *x, uint32_t abis)
{
	if (one_in(x, 2))
		composed_data(c);
	else
		composed_draw_data(c, x);
	c->engine = draw_filter(x, abis, 1 + (unsigned)draw(x, 12));
	composed_draw_workload(c, x);
	composed_run(c);
}

static void run_case(uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	uint32_t abis = one_in(&x, 3) ? (uint32_t)draw(&x, ALL_ABIS + 1) : 1u << abi_native();
	struct composed c = { 0 };

	case_draw(&c, &x, abis);
	ask_all(&c, &x, seed);
	composed_done(&c);
}

static void never_wider_than_a_random_profile(void **state)
{
	const char *only = getenv("STRICT_SEED");
	unsigned cases = less(CASES);

	if (only) {
		run_case(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= cases; seed++)
		run_case(seed);
	print_message("%u cases, %zu answers; %zu calls with conditions, %zu of them not exact\n",
		      cases, asked.answers, asked.conditional, asked.over);
	assert_true(asked.answers > cases * 500UL);
	assert_true(asked.over < asked.conditional / 2);
}

/* --- as text, and read again --------------------------------------------------------------- */

static struct filter *read_back(const struct filter *f, uint64_t seed)
{
	const struct policy p = { .filter = f };
	const struct emit_options o = { 0 };
	_free_ char *text = NULL, *why = NULL;
	struct filter *ret = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(oci_write(&p, &o, out), 0);
	assert_int_equal(fclose(out), 0);
	if (oci_parse(text, len, NULL, &ret, NULL, &why) < 0)
		fail_msg("STRICT_SEED=%llu: %s", (unsigned long long)seed, why);
	return ret;
}

static bool same_verdict(struct filter_verdict a, struct filter_verdict b)
{
	bool with_errno = a.action == FILTER_ERRNO || a.action == FILTER_TRACE;

	return a.action == b.action && (!with_errno || a.errno_ret == b.errno_ret);
}

static void compare_text(const struct composed *c, const struct filter *text, struct random *x,
			 uint64_t seed)
{
	struct question q = { .c = c, .seed = seed, .abi = abi_native() };

	for (q.nr = 0; q.nr < TAMIS_CALLS; q.nr++) {
		struct values v = { 0 };

		/* Numbers without a name can't be said: they get the default. */
		if (!calls_name(q.abi, q.nr))
			continue;
		add_boundaries(&v, c->out, &q);
		for (unsigned n = 0; n < 12; n++) {
			struct filter_verdict a = filter_verdict(c->out, q.abi, q.nr, q.args);
			struct filter_verdict b = filter_verdict(text, q.abi, q.nr, q.args);

			if (!same_verdict(a, b))
				fail_question(&q, "written and read it is another (the second)", a,
					      b);
			for (unsigned i = 0; i < FILTER_ARGS; i++)
				q.args[i] = v.cnt[i] ? v.v[i][draw(x, v.cnt[i])] : 0;
		}
	}
}

static void text_case(uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct composed c = { 0 };
	struct filter *text;

	case_draw(&c, &x, 1u << abi_native());
	text = read_back(c.out, seed);
	assert_int_equal(text->abis, c.out->abis);
	compare_text(&c, text, &x, seed);
	filter_free(text);
	composed_done(&c);
}

static void the_text_says_the_same(void **state)
{
	const char *only = getenv("STRICT_SEED");
	unsigned cases = less(CASES / 10);

	if (only) {
		text_case(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= cases; seed++)
		text_case(seed);
}

/* --- several ABIs in one text --------------------------------------------------------------- */

/* An engine's text says the same of a name in every ABI that it lists. */
static struct filter *draw_named(struct random *x)
{
	_cleanup_(filter_free) struct filter *f = draw_filter(x, 1u << abi_native(), 12);
	struct filter *ret = NULL;

	assert_int_equal(filter_new(&ret), 0);
	ret->default_action = f->default_action;
	ret->default_errno = f->default_errno;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!abi_runs_on((enum tamis_abi)abi, abi_native()))
			continue;
		ret->abis |= 1u << abi;
		for (size_t i = 0; i < f->rule_cnt; i++) {
			struct filter_rule r = f->rule[i];
			const char *name = calls_name(r.abi, r.nr);
			int nr = name ? calls_number((enum tamis_abi)abi, name) : -ENOENT;

			r.abi = (enum tamis_abi)abi;
			r.nr = (uint32_t)nr;
			if (nr >= 0)
				assert_int_equal(filter_add(ret, &r), 0);
		}
	}
	filter_sort(ret);
	return ret;
}

static void ask_weaker(struct question *q, const struct filter *text, struct random *x)
{
	struct values v = { 0 };

	add_boundaries(&v, q->c->engine, q);
	memset(q->args, 0, sizeof(q->args));
	for (unsigned n = 0; n < 12; n++) {
		struct filter_verdict engine = filter_verdict(q->c->engine, q->abi, q->nr, q->args);
		struct filter_verdict out = filter_verdict(text, q->abi, q->nr, q->args);

		if (out.action > engine.action)
			fail_question(q, "the text of several ABIs is weaker", engine, out);
		for (unsigned i = 0; i < FILTER_ARGS; i++)
			q->args[i] = v.cnt[i] ? v.v[i][draw(x, v.cnt[i])] : 0;
	}
}

static void abis_case(uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct question q = { .seed = seed };
	struct composed c = { 0 };
	struct filter *text;

	composed_data(&c);
	c.engine = draw_named(&x);
	composed_draw_workload(&c, &x);
	composed_run(&c);
	text = read_back(c.out, seed);
	q.c = &c;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (q.nr = 0; (c.engine->abis >> abi & 1) && q.nr < TAMIS_CALLS; q.nr++) {
			q.abi = (enum tamis_abi)abi;
			ask_weaker(&q, text, &x);
		}
	filter_free(text);
	composed_done(&c);
}

static void the_text_of_several_abis_is_no_wider(void **state)
{
	const char *only = getenv("STRICT_SEED");
	unsigned cases = less(CASES / 10);

	if (only) {
		abis_case(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= cases; seed++)
		abis_case(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_wider_than_a_random_profile),
		cmocka_unit_test(the_text_says_the_same),
		cmocka_unit_test(the_text_of_several_abis_is_no_wider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
