/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/calls_text.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/abi.h"
#include "model/calls.h"

/* Two calls of the native ABI, one without a name, one of another ABI. */
static void fill(struct sysset set[TAMIS_ABI_MAX])
{
	enum tamis_abi native = abi_native();

	memset(set, 0, TAMIS_ABI_MAX * sizeof(*set));
	sysset_add(&set[native], (unsigned)calls_number(native, "write"));
	sysset_add(&set[native], (unsigned)calls_number(native, "futex"));
	sysset_add(&set[native], TAMIS_CALLS - 1);
	sysset_add(&set[TAMIS_ABI_ARM], (unsigned)calls_number(TAMIS_ABI_ARM, "open"));
}

static void assert_text(const struct sysset *set, unsigned max, const char *want)
{
	_free_ char *is = calls_text(set, max);

	assert_string_equal(is, want);
}

static void by_name(void **state)
{
	struct sysset set[TAMIS_ABI_MAX];
	char all[64];

	fill(set);
	snprintf(all, sizeof(all), "#%d, futex, write, arm:open", TAMIS_CALLS - 1);
	assert_text(set, UINT_MAX, all);
	assert_text(set, 4, all);
	snprintf(all, sizeof(all), "#%d, futex and 2 more", TAMIS_CALLS - 1);
	assert_text(set, 2, all);
	assert_int_equal(calls_count(set), 4);
	memset(set, 0, sizeof(set));
	assert_text(set, UINT_MAX, "");
	assert_int_equal(calls_count(set), 0);
}

static void as_json(void **state)
{
	struct sysset set[TAMIS_ABI_MAX];
	json_t *array;
	const json_t *last;

	fill(set);
	array = calls_json(set);
	assert_int_equal(json_array_size(array), 4);
	last = json_array_get(array, 3);
	assert_string_equal(json_string_value(json_object_get(last, "abi")), "arm");
	assert_string_equal(json_string_value(json_object_get(last, "name")), "open");
	assert_int_equal(json_integer_value(json_object_get(last, "nr")),
			 calls_number(TAMIS_ABI_ARM, "open"));
	json_decref(array);
}

/* Setup and gate are the runtime's. */
static void of_a_generation(void **state)
{
	struct generation g = { 0 };
	struct sysset set[TAMIS_ABI_MAX];

	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		sysset_add(&g.learned.set[stage][TAMIS_ABI_ARM], stage);
	calls_of(&g, set);
	assert_int_equal(calls_count(set), 2);
	assert_true(sysset_has(&set[TAMIS_ABI_ARM], TAMIS_WORKLOAD));
	assert_true(sysset_has(&set[TAMIS_ABI_ARM], TAMIS_SESSION));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(as_json),
		cmocka_unit_test(of_a_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
