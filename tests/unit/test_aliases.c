/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/aliases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_newest_word_counts(void **state)
{
	struct aliases a = { 0 };

	assert_string_equal(aliases_key(&a, "podman/web"), "podman/web");
	assert_int_equal(aliases_add(&a, "podman/web", "podman/shop"), 0);
	assert_int_equal(aliases_add(&a, "podman/old", "podman/shop"), 0);
	assert_string_equal(aliases_key(&a, "podman/web"), "podman/shop");
	assert_string_equal(aliases_key(&a, "podman/shop"), "podman/shop");
	assert_int_equal(aliases_add(&a, "podman/web", "podman/site"), 0);
	assert_string_equal(aliases_key(&a, "podman/web"), "podman/site");
	assert_string_equal(aliases_key(&a, "podman/old"), "podman/shop");
	aliases_done(&a);
	assert_string_equal(aliases_key(&a, "podman/web"), "podman/web");
}

/* What is said each minute is kept once. */
static void what_is_known_is_not_kept_twice(void **state)
{
	struct aliases a = { 0 };

	for (int i = 0; i < 3; i++) {
		assert_int_equal(aliases_add(&a, "podman/web", "podman/shop"), 0);
		assert_int_equal(aliases_add(&a, "podman/shop", "podman/shop"), 0);
	}
	assert_int_equal(a.cnt, 1);
	aliases_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_word_counts),
		cmocka_unit_test(what_is_known_is_not_kept_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
