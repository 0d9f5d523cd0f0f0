/* SPDX-License-Identifier: Apache-2.0 */
/* docker's format without a base, and what can be a base at all. */
#include "unit/policies.h"
#include "unit/verdicts.h"

static struct filter *parse(const char *text)
{
	_free_ char *why = NULL;
	struct filter *f = NULL;

	if (oci_parse(text, strlen(text), NULL, &f, NULL, &why) < 0)
		print_error("%s\n", why);
	assert_non_null(f);
	return f;
}

static void read_back_it_is_the_policy(void **state)
{
	uint64_t seed = 17;

	for (unsigned round = 0; round < 20; round++) {
		_cleanup_(filter_free) struct filter *f = policy_random(&seed, 1 + round % 5, "");
		struct policy p = { .filter = f };
		_free_ char *text = emitted("docker", &p, NULL, NULL);
		_cleanup_(filter_free) struct filter *back = parse(text);
		struct verdicts_of v = { { f, back }, 2, verdicts_same, f->abis };

		assert_int_equal(back->abis, f->abis);
		verdicts_compare(&v);
	}
}

static void by_machine(void **state)
{
	static const struct {
		uint32_t abis;
		const char *map;
	} rows[] = {
		{ X86_64, "\t\"archMap\": [\n\t\t{\n\t\t\t\"architecture\": \"SCMP_ARCH_X86_64\",\n"
			  "\t\t\t\"subArchitectures\": []\n\t\t}\n\t],\n" },
		{ X86_64 | I386 | X32,
		  "\t\"archMap\": [\n\t\t{\n\t\t\t\"architecture\": \"SCMP_ARCH_X86_64\",\n"
		  "\t\t\t\"subArchitectures\": [\n\t\t\t\t\"SCMP_ARCH_X86\",\n"
		  "\t\t\t\t\"SCMP_ARCH_X32\"\n\t\t\t]\n\t\t}\n\t],\n" },
		{ X86_64 | AARCH64 | ARM,
		  "\t\"archMap\": [\n\t\t{\n\t\t\t\"architecture\": \"SCMP_ARCH_X86_64\",\n"
		  "\t\t\t\"subArchitectures\": []\n\t\t},\n\t\t{\n"
		  "\t\t\t\"architecture\": \"SCMP_ARCH_AARCH64\",\n"
		  "\t\t\t\"subArchitectures\": [\n\t\t\t\t\"SCMP_ARCH_ARM\"\n\t\t\t]\n\t\t}\n"
		  "\t],\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *f = filter_make(rows[i].abis);
		struct policy p = { .filter = f };
		_free_ char *text = emitted("docker", &p, NULL, NULL);

		assert_non_null(strstr(text, rows[i].map));
		assert_null(strstr(text, "\"architectures\""));
	}
}

static void what_is_no_base(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "line 1" },
		{ "[]", "not a JSON object" },
		{ "{}", "defaultAction: missing" },
		{ "{ \"defaultAction\": \"SCMP_ACT_ALLOW\" }", "SCMP_ACT_ALLOW by default" },
		{ "{ \"defaultAction\": \"SCMP_ACT_LOG\" }", "SCMP_ACT_LOG by default" },
		{ "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [ { \"names\": [1], "
		  "\"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [\"CAP_BPF\"] } } ] }",
		  "syscalls[0].names[0]: not a name" },
		{ "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [ { \"names\": [], "
		  "\"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [\"CAP_BPF\"] } } ] }",
		  "syscalls[0].names: missing" },
		{ "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [ { \"name\": \"read\", "
		  "\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", "
		  "\"includes\": { \"caps\": [\"CAP_BPF\"] } } ] }",
		  "syscalls[0]: name and names exclude each other" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct docker_base *b = NULL;
		_free_ char *why = NULL;

		assert_true(docker_base_parse(rows[i].text, strlen(rows[i].text), &b, &why) < 0);
		assert_null(b);
		assert_non_null(why);
		if (!strstr(why, rows[i].why))
			print_error("%zu: %s\n", i, why);
		assert_non_null(strstr(why, rows[i].why));
	}
}

/* What oci_parse doesn't look at on this machine. */
static void strange_entries_of_other_machines(void **state)
{
	static const char text[] =
		"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"archMap\": ["
		"{ \"architecture\": \"SCMP_ARCH_MIPS\", \"subArchitectures\": [1, null] },"
		"{ \"architecture\": \"SCMP_ARCH_X86_64\" },"
		"{ \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [] } ] }";
	_cleanup_(docker_base_free) struct docker_base *b = NULL;
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | AARCH64);
	struct emit_options o = { 0 };
	struct policy p = { .filter = f };
	_free_ char *why = NULL, *out = NULL;

	assert_int_equal(docker_base_parse(text, strlen(text), &b, &why), 0);
	o.base = b;
	out = emitted("docker", &p, &o, NULL);
	assert_null(strstr(out, "MIPS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_back_it_is_the_policy),
		cmocka_unit_test(by_machine),
		cmocka_unit_test(what_is_no_base),
		cmocka_unit_test(strange_entries_of_other_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
