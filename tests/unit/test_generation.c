/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/generation.h"

static void fill(struct generation *g)
{
	g->number = 7;
	g->created = 1700000000;
	g->maker = strdup("uid 1000");
	g->failed = strdup("died of SIGSYS: futex");
	g->state = GENERATION_FAILED;
	g->descendants = true;
	g->evidence.starts = 3;
	sysset_add(&g->learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 0);
	sysset_add(&g->learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 202);
	sysset_add(&g->learned.set[TAMIS_GATE][TAMIS_ABI_AARCH64], 93);
	sysset_add(&g->denied[TAMIS_ABI_I386], 26);
	assert_int_equal(generation_add_image(g, "sha256:bb"), 0);
	assert_int_equal(generation_add_image(g, "sha256:aa"), 0);
}

static void names_go_both_ways(void **state)
{
	enum generation_state s = GENERATION_STATE_MAX;
	enum policy_mode m = MODE_MAX;

	for (unsigned i = 0; i < MODE_MAX; i++) {
		assert_int_equal(policy_mode_from_name(policy_mode_name((enum policy_mode)i), &m),
				 0);
		assert_int_equal(m, i);
	}
	for (unsigned i = 0; i < GENERATION_STATE_MAX; i++) {
		const char *name = generation_state_name((enum generation_state)i);

		assert_int_equal(generation_state_from_name(name, &s), 0);
		assert_int_equal(s, i);
	}
	assert_string_equal(policy_mode_name(MODE_SHADOW), "shadow");
	assert_string_equal(generation_state_name(GENERATION_GOOD), "good");
	assert_int_equal(policy_mode_from_name("", &m), -ENOENT);
	assert_int_equal(policy_mode_from_name("Enforce", &m), -ENOENT);
	assert_int_equal(generation_state_from_name("bad", &s), -ENOENT);
	assert_int_equal(m, MODE_MAX - 1);
	assert_string_equal(policy_mode_name(MODE_MAX), "?");
	assert_string_equal(generation_state_name((enum generation_state) - 1), "?");
}

static void a_copy_is_its_own(void **state)
{
	_generation_ struct generation g = { 0 };
	_generation_ struct generation copy = { 0 };

	fill(&g);
	sysset_add(&g.denied_eperm[TAMIS_ABI_ARM], 27);
	assert_int_equal(generation_digest(&g), 0);
	assert_int_equal(generation_copy(&g, &copy), 0);
	assert_ptr_not_equal(copy.maker, g.maker);
	assert_ptr_not_equal(copy.image, g.image);
	generation_done(&g);
	assert_null(g.image);
	assert_null(g.maker);
	assert_int_equal(copy.number, 7);
	assert_int_equal(copy.created, 1700000000);
	assert_string_equal(copy.maker, "uid 1000");
	assert_string_equal(copy.failed, "died of SIGSYS: futex");
	assert_int_equal(copy.state, GENERATION_FAILED);
	assert_true(copy.descendants);
	assert_int_equal(copy.evidence.starts, 3);
	assert_int_equal(copy.image_cnt, 2);
	assert_true(generation_has_image(&copy, "sha256:aa"));
	assert_true(sysset_has(&copy.denied[TAMIS_ABI_I386], 26));
	assert_true(sysset_has(&copy.denied_eperm[TAMIS_ABI_ARM], 27));
	assert_memory_equal(copy.digest, "sha256:", 7);
}

static void an_empty_one_is_copied(void **state)
{
	_generation_ struct generation g = { 0 };
	_generation_ struct generation copy = { .number = 3 };

	assert_int_equal(generation_copy(&g, &copy), 0);
	assert_int_equal(copy.number, 0);
	assert_null(copy.maker);
	assert_null(copy.image);
}

static void images_are_a_sorted_set(void **state)
{
	static const char *const digests[] = { "sha256:c", "sha256:a", "sha256:b", "sha256:a",
					       "sha256:" };
	static const char *const sorted[] = { "sha256:", "sha256:a", "sha256:b", "sha256:c" };
	_generation_ struct generation g = { 0 };

	assert_false(generation_has_image(&g, "sha256:a"));
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
		assert_int_equal(generation_add_image(&g, digests[i]), 0);
	assert_int_equal(g.image_cnt, ARRAY_SIZE(sorted));
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		assert_string_equal(g.image[i], sorted[i]);
	assert_true(generation_has_image(&g, "sha256:c"));
	assert_false(generation_has_image(&g, "sha256:aa"));
	assert_false(generation_has_image(&g, ""));
}

static void images_are_bounded(void **state)
{
	_generation_ struct generation g = { 0 };
	char digest[32];

	for (unsigned i = 0; i < GENERATION_IMAGES_MAX; i++) {
		snprintf(digest, sizeof(digest), "sha256:%u", i);
		assert_int_equal(generation_add_image(&g, digest), 0);
	}
	assert_int_equal(generation_add_image(&g, "sha256:more"), -E2BIG);
	assert_int_equal(generation_add_image(&g, "sha256:5"), 0);
	assert_int_equal(g.image_cnt, GENERATION_IMAGES_MAX);
}

static void digest_of(const struct generation *g, char ret[GENERATION_DIGEST_MAX])
{
	_generation_ struct generation copy = { 0 };

	assert_int_equal(generation_copy(g, &copy), 0);
	assert_int_equal(generation_digest(&copy), 0);
	memcpy(ret, copy.digest, GENERATION_DIGEST_MAX);
}

/* "tamis generation 1\n", hashed by sha256sum(1); then with what fill() says. */
static void digests_are_the_same_everywhere(void **state)
{
	_generation_ struct generation g = { 0 };

	assert_int_equal(generation_digest(&g), 0);
	assert_string_equal(
		g.digest,
		"sha256:5aaaa839709223fc9cecfb382a354c579b4b1f9dc5c497889fd8c338087416db");
	fill(&g);
	assert_int_equal(generation_digest(&g), 0);
	assert_string_equal(
		g.digest,
		"sha256:91ddb199f467eb370e5ebc4e18d07c5aef6645b471af6f8cc449c9bf79e9796b");
}

static void digests_tell_contents_apart(void **state)
{
	_generation_ struct generation g = { 0 };
	char before[GENERATION_DIGEST_MAX], now[GENERATION_DIGEST_MAX];

	fill(&g);
	digest_of(&g, before);
	/* Not what the policy consists of. */
	g.number++;
	g.created++;
	g.state = GENERATION_GOOD;
	g.evidence.starts++;
	assert_int_equal(generation_add_image(&g, "sha256:cc"), 0);
	digest_of(&g, now);
	assert_string_equal(now, before);

	g.descendants = false;
	digest_of(&g, now);
	assert_string_not_equal(now, before);
	g.descendants = true;
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			sysset_add(&g.learned.set[stage][abi], TAMIS_CALLS - 1);
			digest_of(&g, now);
			assert_string_not_equal(now, before);
			sysset_del(&g.learned.set[stage][abi], TAMIS_CALLS - 1);
		}
	sysset_add(&g.denied[TAMIS_ABI_ARM], 1);
	digest_of(&g, now);
	assert_string_not_equal(now, before);
	sysset_del(&g.denied[TAMIS_ABI_ARM], 1);
	digest_of(&g, now);
	assert_string_equal(now, before);
	/* How a denied call is answered is part of it. */
	sysset_add(&g.denied_eperm[TAMIS_ABI_I386], 26);
	digest_of(&g, now);
	assert_string_not_equal(now, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(a_copy_is_its_own),
		cmocka_unit_test(an_empty_one_is_copied),
		cmocka_unit_test(images_are_a_sorted_set),
		cmocka_unit_test(images_are_bounded),
		cmocka_unit_test(digests_are_the_same_everywhere),
		cmocka_unit_test(digests_tell_contents_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
