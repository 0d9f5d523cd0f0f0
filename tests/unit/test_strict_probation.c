/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of what compose makes in probation under an engine's own profile, over random profiles
 * and the engines' own: it lets through what enforce would, and write, and no more; what asks, the
 * engine lets through, and neither guards nor denials stand against it. STRICT_SEED=N runs the case
 * of that number alone.
 */
#include "unit/strict_ask.h"

#include "emit/emit.h"
#include "emit/formats.h"

#include "unit/less.h"

#define CASES  4000
#define NATIVE abi_native()
#define PODMAN "/usr/share/containers/seccomp.json"
/* Tests run in the top folder. */
#define DOCKER "tests/unit/docker-shaped.json"

static void run_case(uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	uint32_t abis = one_in(&x, 3) ? (uint32_t)draw(&x, ALL_ABIS + 1) : 1u << NATIVE;
	struct composed c = { 0 };

	if (one_in(&x, 2))
		composed_data(&c);
	else
		composed_draw_data(&c, &x);
	c.engine = draw_filter(&x, abis, 1 + (unsigned)draw(&x, 12));
	composed_draw_workload(&c, &x);
	composed_run_probation(&c);
	assert_int_equal(c.out->abis, c.enforce->abis);
	assert_int_equal(c.out->default_action, c.enforce->default_action);
	ask_all(&c, &x, seed);
	composed_done(&c);
}

static void never_wider_than_enforce(void **state)
{
	const char *only = getenv("STRICT_SEED");
	unsigned cases = less(CASES);

	if (only) {
		run_case(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= cases; seed++)
		run_case(seed);
	print_message("%u cases, %zu answers, %zu of them asking; %zu calls with conditions\n",
		      cases, asked.answers, asked.asking, asked.conditional);
	assert_true(asked.answers > cases * 500UL);
	assert_true(asked.asking > cases * 100UL);
}

/* --- the engines' own ----------------------------------------------------------------------- */

static const char *const no_caps[] = { NULL }, *const admin[] = { "SYS_ADMIN", "BPF", "SYS_PTRACE",
								  NULL };
static const char *const *const cap_sets[] = { no_caps, admin };
static const char *const profiles[] = { PODMAN, DOCKER };

static void load(struct composed *c, const char *path, const char *const *caps)
{
	_free_ char *why = NULL;

	composed_data(c);
	c->exact = true;
	if (oci_read(path, caps, &c->engine, NULL, &why) < 0)
		fail_msg("%s: %s", path, why);
}

static void real_case(const char *path, const char *const *caps, uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct composed c = { 0 };

	load(&c, path, caps);
	composed_draw_workload(&c, &x);
	composed_run_probation(&c);
	ask_all(&c, &x, seed);
	composed_done(&c);
}

static void never_wider_than_the_engines(void **state)
{
	memset(&asked, 0, sizeof(asked));
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		for (size_t k = 0; k < ARRAY_SIZE(cap_sets); k++)
			for (uint64_t seed = 1; seed <= 50; seed++)
				real_case(profiles[i], cap_sets[k], seed);
	assert_true(asked.answers > 200 * TAMIS_CALLS);
	assert_true(asked.asking > 200 * 100);
	assert_int_equal(asked.over, 0);
}

/* --- as text ---------------------------------------------------------------------------------- */

static struct filter *read_back(const struct filter *f)
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
		fail_msg("%s", why);
	return ret;
}

/* What a runtime is given says the same of each name. */
static void the_text_says_the_same(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct composed c = { 0 };
		struct filter *text;

		load(&c, profiles[i], no_caps);
		c.in = (struct compose_in){ .learned = &c.learned,
					    .engine = c.engine,
					    .fallback = c.fallback,
					    .gate = c.gate,
					    .always = c.always,
					    .eperm = c.eperm,
					    .guard = c.guard,
					    .strict = true };
		composed_run_probation(&c);
		text = read_back(c.out);
		assert_int_equal(text->abis, c.out->abis);
		assert_int_equal(text->rule_cnt, c.out->rule_cnt);
		for (size_t k = 0; k < text->rule_cnt; k++) {
			struct filter_rule want = c.out->rule[k];

			want.why = text->rule[k].why;
			assert_memory_equal(&text->rule[k], &want, sizeof(want));
		}
		filter_free(text);
		composed_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_wider_than_enforce),
		cmocka_unit_test(never_wider_than_the_engines),
		cmocka_unit_test(the_text_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
