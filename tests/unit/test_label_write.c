/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/filter.h>

#include "base/base64.h"
#include "unit/policies.h"
#include "unit/verdicts.h"

static void the_label_is_the_profile_on_one_line(void **state)
{
	static const char key[] = "io.containers.seccomp.profile=";
	uint64_t seed = 1;
	_cleanup_(filter_free) struct filter *f = policy_random(&seed, 3, "clone"), *back = NULL;
	struct policy p = { .filter = f };
	size_t len = 0;
	_free_ char *text = emitted("label", &p, NULL, &len), *why = NULL;
	struct verdicts_of v = { { f }, 2, verdicts_same, f->abis };

	assert_int_equal(strncmp(text, key, strlen(key)), 0);
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	assert_null(strchr(text, ' '));
	assert_int_equal(oci_parse(text + strlen(key), len - strlen(key), NULL, &back, NULL, &why),
			 0);
	v.f[1] = back;
	verdicts_compare(&v);
}

static void the_annotation_is_the_program(void **state)
{
	static const char key[] = "run.oci.seccomp_bpf_data=";
	uint64_t seed = 2;
	_cleanup_(filter_free) struct filter *f = policy_random(&seed, 3, "");
	struct policy p = { .filter = f };
	_free_ char *text = emitted("annotation", &p, NULL, NULL), *want = NULL;
	_free_ struct sock_filter *insn = NULL;
	size_t cnt = 0;

	assert_int_equal(bpf_program(f, &insn, &cnt), 0);
	want = base64_encode(insn, cnt * sizeof(*insn));
	assert_int_equal(strncmp(text, key, strlen(key)), 0);
	assert_int_equal(strncmp(text + strlen(key), want, strlen(want)), 0);
	assert_string_equal(text + strlen(key) + strlen(want), "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_label_is_the_profile_on_one_line),
		cmocka_unit_test(the_annotation_is_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
