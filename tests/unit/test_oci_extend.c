/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "emit/emit.h"
#include "model/calls.h"

/* read, write, close allowed; mount refused with EPERM. */
static struct filter *learned_filter(void)
{
	static const char *const allowed[] = { "read", "write", "close" };
	struct filter_rule rule = { .abi = TAMIS_ABI_X86_64, .action = FILTER_ALLOW };
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = 1u << TAMIS_ABI_X86_64;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		rule.nr = (uint32_t)calls_number(TAMIS_ABI_X86_64, allowed[i]);
		assert_int_equal(filter_add(f, &rule), 0);
	}
	rule.nr = (uint32_t)calls_number(TAMIS_ABI_X86_64, "mount");
	rule.action = FILTER_ERRNO;
	rule.errno_ret = EPERM;
	assert_int_equal(filter_add(f, &rule), 0);
	filter_sort(f);
	return f;
}

static json_t *extend(const char *base)
{
	_cleanup_(filter_free) struct filter *f = learned_filter();
	const struct policy p = { .workload = "w", .filter = f };
	_free_ char *text = NULL, *why = NULL;
	json_t *json;

	assert_int_equal(oci_extend(base, strlen(base), &p, &text, &why), 0);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

/* How often a call is named with that action. */
static size_t count_named(const json_t *profile, const char *name, const char *action)
{
	const json_t *entry, *each;
	size_t i, j, cnt = 0;

	json_array_foreach(json_object_get(profile, "syscalls"), i, entry)
	{
		if (strcmp(json_string_value(json_object_get(entry, "action")), action) != 0)
			continue;
		json_array_foreach(json_object_get(entry, "names"), j, each) cnt +=
			strcmp(json_string_value(each), name) == 0;
	}
	return cnt;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void a_refusal_of_the_base_stays(void **state)
{
	json_t *p =
		extend("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"write\"],"
		       "\"action\":\"SCMP_ACT_KILL\"}]}");

	assert_int_equal(count_named(p, "write", "SCMP_ACT_KILL"), 1);
	assert_int_equal(count_named(p, "write", "SCMP_ACT_ALLOW"), 0);
	assert_int_equal(count_named(p, "read", "SCMP_ACT_ALLOW"), 1);
	/* refused by its default as it is */
	assert_int_equal(count_named(p, "mount", "SCMP_ACT_ERRNO"), 0);
	json_decref(p);
}

static void a_condition_of_the_base_stays(void **state)
{
	json_t *p =
		extend("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"name\":\"read\","
		       "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":3,\"op\":"
		       "\"SCMP_CMP_EQ\"}]}]}");

	assert_int_equal(count_named(p, "read", "SCMP_ACT_ALLOW"), 0); /* "name", not in names */
	assert_int_equal(count_named(p, "close", "SCMP_ACT_ALLOW"), 1);
	json_decref(p);
}

static void keys_of_docker_stay(void **state)
{
	json_t *p = extend(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1,\"archMap\":[{"
		"\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[]}],"
		"\"syscalls\":[{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"comment\":\"c\",\"includes\":{\"caps\":[\"CAP_BPF\"]},\"excludes\":{}}]}");
	const json_t *entry = json_array_get(json_object_get(p, "syscalls"), 0);

	assert_string_equal(text_of(p, "defaultAction"), "SCMP_ACT_ERRNO");
	assert_int_equal(json_integer_value(json_object_get(p, "defaultErrnoRet")), 1);
	assert_non_null(json_object_get(p, "archMap"));
	assert_null(json_object_get(p, "architectures"));
	assert_string_equal(text_of(entry, "comment"), "c");
	assert_non_null(json_object_get(entry, "includes"));
	json_decref(p);
}

static void architectures_are_added_once(void **state)
{
	json_t *p =
		extend("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\","
		       "\"SCMP_ARCH_X86_64\"]}");
	json_t *q = extend("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}");

	assert_int_equal(json_array_size(json_object_get(p, "architectures")), 2);
	assert_int_equal(json_array_size(json_object_get(q, "architectures")), 1);
	assert_int_equal(json_integer_value(json_object_get(q, "defaultErrnoRet")), ENOSYS);
	json_decref(p);
	json_decref(q);
}

static void what_is_no_profile_is_said(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{",
		"{\"defaultAction\":\"NONSENSE\"}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],"
		"\"action\":"
		"\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":18446744073709551615,\"op\":"
		"\"SCMP_CMP_EQ\"}]}]}",
	};
	_cleanup_(filter_free) struct filter *f = learned_filter();
	const struct policy p = { .workload = "w", .filter = f };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *text = NULL, *why = NULL;

		assert_int_equal(oci_extend(rows[i], strlen(rows[i]), &p, &text, &why), -EINVAL);
		assert_non_null(why);
		assert_null(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_of_the_base_stays),
		cmocka_unit_test(a_condition_of_the_base_stays),
		cmocka_unit_test(keys_of_docker_stay),
		cmocka_unit_test(architectures_are_added_once),
		cmocka_unit_test(what_is_no_profile_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
