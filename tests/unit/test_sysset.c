/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/sysset.h"

/* Word borders, both ends, and what is out of range. */
static const unsigned edges[] = { 0, 1, 63, 64, 127, 128, 511, 512, TAMIS_CALLS - 1 };
static const unsigned outside[] = { TAMIS_CALLS, TAMIS_CALLS + 63, 1u << 30, ~0u };

static void add_has_del(void **state)
{
	struct sysset s = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		assert_false(sysset_has(&s, edges[i]));
		sysset_add(&s, edges[i]);
		assert_true(sysset_has(&s, edges[i]));
		assert_int_equal(sysset_count(&s), i + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		sysset_del(&s, edges[i]);
		assert_false(sysset_has(&s, edges[i]));
	}
	assert_true(sysset_is_empty(&s));
}

static void out_of_range_is_ignored(void **state)
{
	struct sysset s = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		sysset_add(&s, outside[i]);
		assert_false(sysset_has(&s, outside[i]));
		sysset_del(&s, outside[i]);
		assert_int_equal(sysset_next(&s, outside[i]), -1);
	}
	assert_true(sysset_is_empty(&s));
	assert_int_equal(sysset_count(&s), 0);
}

static void next_walks_all_in_order(void **state)
{
	struct sysset s = { 0 };
	size_t i = 0;

	assert_int_equal(sysset_next(&s, 0), -1);
	for (size_t k = ARRAY_SIZE(edges); k-- > 0;)
		sysset_add(&s, edges[k]);
	for (int n = sysset_next(&s, 0); n >= 0; n = sysset_next(&s, (unsigned)n + 1))
		assert_int_equal(n, edges[i++]);
	assert_int_equal(i, ARRAY_SIZE(edges));
	assert_int_equal(sysset_next(&s, 65), 127);
	assert_int_equal(sysset_next(&s, TAMIS_CALLS - 1), TAMIS_CALLS - 1);
}

static void merge_is_union(void **state)
{
	struct sysset a = { 0 }, b = { 0 }, ab, ba;

	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
		if (nr % 2 == 0)
			sysset_add(&a, nr);
		if (nr % 3 == 0)
			sysset_add(&b, nr);
	}
	ab = a;
	sysset_merge(&ab, &b);
	ba = b;
	sysset_merge(&ba, &a);
	assert_true(sysset_equal(&ab, &ba));
	assert_false(sysset_equal(&ab, &a));
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
		assert_int_equal(sysset_has(&ab, nr), nr % 2 == 0 || nr % 3 == 0);

	sysset_merge(&ab, &b);
	assert_true(sysset_equal(&ab, &ba));
	sysset_remove(&ab, &b);
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
		assert_int_equal(sysset_has(&ab, nr), nr % 2 == 0 && nr % 3 != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_has_del),
		cmocka_unit_test(out_of_range_is_ignored),
		cmocka_unit_test(next_walks_all_in_order),
		cmocka_unit_test(merge_is_union),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
