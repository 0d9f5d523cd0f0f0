/* SPDX-License-Identifier: Apache-2.0 */
/* A policy inside docker's own profile: what docker loads of the result passes exactly what passes
 * both, for every set of capabilities. */
#include <errno.h>

#include "unit/policies.h"
#include "unit/verdicts.h"

/* In the manner of docker's default. */
static const char base_text[] =
	"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 1,\n"
	"\"archMap\": [\n"
	"{ \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\":"
	" [\"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"] },\n"
	"{ \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [\"SCMP_ARCH_ARM\"] },\n"
	"{ \"architecture\": \"SCMP_ARCH_RISCV64\", \"subArchitectures\": null } ],\n"
	"\"syscalls\": [\n"
	"{ \"names\": [\"read\", \"write\", \"openat\", \"execve\", \"exit\", \"exit_group\", "
	"\"close\", \"mmap\", \"munmap\", \"brk\", \"rt_sigreturn\", \"futex\", \"getpid\", "
	"\"gettid\", \"uname\", \"fchmod\", \"kexec_file_load_of_tomorrow\"],"
	" \"action\": \"SCMP_ACT_ALLOW\", \"comment\": \"what all need\" },\n"
	"{ \"names\": [\"ptrace\", \"process_vm_readv\"], \"action\": \"SCMP_ACT_ALLOW\","
	" \"includes\": { \"minKernel\": \"4.8\" } },\n"
	"{ \"name\": \"socket\", \"action\": \"SCMP_ACT_ALLOW\", \"args\":"
	" [{ \"index\": 0, \"value\": 40, \"op\": \"SCMP_CMP_NE\" }] },\n"
	"{ \"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\":"
	" [{ \"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\" }] },\n"
	"{ \"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\":"
	" [{ \"index\": 0, \"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\" }] },\n"
	"{ \"names\": [\"chroot\"], \"action\": \"SCMP_ACT_ALLOW\","
	" \"includes\": { \"caps\": [\"CAP_SYS_CHROOT\"] } },\n"
	"{ \"names\": [\"clone\", \"clone3\", \"mount\", \"bpf\", \"setns\"],"
	" \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"{ \"names\": [\"clone\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{ \"index\": 0,"
	" \"value\": 2114060288, \"valueTwo\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\" }],"
	" \"excludes\": { \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"{ \"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38,"
	" \"excludes\": { \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"{ \"names\": [\"statx\"], \"action\": \"SCMP_ACT_LOG\" },\n"
	"{ \"names\": [\"sethostname\", \"getpid\"], \"action\": \"SCMP_ACT_ALLOW\","
	" \"excludes\": { \"arches\": [\"amd64\", \"arm64\"] } }\n"
	"] }\n";

#define PODMAN "/usr/share/containers/seccomp.json"

static const char *const none[] = { NULL };
static const char *const chroot_only[] = { "CAP_SYS_CHROOT", NULL };
static const char *const admin[] = { "CAP_SYS_ADMIN", NULL };
static const char *const many[] = { "CAP_SYS_ADMIN", "CAP_SYS_CHROOT",	    "CAP_SYS_PTRACE",
				    "CAP_BPF",	     "CAP_DAC_READ_SEARCH", "CAP_AUDIT_WRITE",
				    "CAP_SYSLOG",    "CAP_SYS_MODULE",	    NULL };
static const char *const *const caps_sets[] = { none, chroot_only, admin, many };

static struct filter *parse(const char *text, const char *const *caps)
{
	_free_ char *why = NULL;
	struct filter *f = NULL;

	if (oci_parse(text, strlen(text), caps, &f, NULL, &why) < 0)
		print_error("%s\n", why);
	assert_non_null(f);
	return f;
}

static struct docker_base *base_of(const char *text)
{
	_free_ char *why = NULL;
	struct docker_base *b = NULL;

	if (docker_base_parse(text, strlen(text), &b, &why) < 0)
		print_error("%s\n", why);
	assert_non_null(b);
	return b;
}

static char *narrowed(const char *base, const struct filter *f)
{
	_cleanup_(docker_base_free) struct docker_base *b = base_of(base);
	struct emit_options o = { .base = b };
	struct policy p = { .filter = f };

	return emitted("docker", &p, &o, NULL);
}

static char *podman_text(void)
{
	_fclose_ FILE *f = fopen(PODMAN, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	return text;
}

/* --- what passes ---------------------------------------------------------------------------- */

/* Result, policy, base. */
static void passes_both(const struct filter_verdict *v, const char *call)
{
	enum filter_action both = v[1].action < v[2].action ? v[1].action : v[2].action;
	bool passes = filter_action_passes(both);

	if (filter_action_passes(v[0].action) != passes || (passes && v[0].action != both))
		print_error("%s: %s, policy %s, base %s\n", call, filter_action_oci(v[0].action),
			    filter_action_oci(v[1].action), filter_action_oci(v[2].action));
	assert_int_equal(filter_action_passes(v[0].action), passes);
	if (passes)
		assert_int_equal(v[0].action, both);
}

static void check_passes(const char *base, const struct filter *policy)
{
	_free_ char *text = narrowed(base, policy);

	for (size_t i = 0; i < ARRAY_SIZE(caps_sets); i++) {
		_cleanup_(filter_free) struct filter *result = parse(text, caps_sets[i]);
		_cleanup_(filter_free) struct filter *of_base = parse(base, caps_sets[i]);
		struct verdicts_of v = {
			{ result, policy, of_base }, 3, passes_both, 1u << abi_native()
		};

		verdicts_compare(&v);
	}
}

static void what_passes_both(void **state)
{
	uint64_t seed = 7;

	for (unsigned round = 0; round < 40; round++) {
		_cleanup_(filter_free) struct filter *f = policy_random(&seed, 1 + round % 5, "");

		check_passes(base_text, f);
	}
}

static void with_podmans_own(void **state)
{
	_free_ char *text = podman_text();
	uint64_t seed = 11;

	for (unsigned round = 0; round < 12; round++) {
		_cleanup_(filter_free) struct filter *f = policy_random(&seed, 1 + round % 4, "");

		check_passes(text, f);
	}
}

/* A base under which whatever isn't listed is death. */
static void nothing_is_killed_less(void **state)
{
	static const char base[] =
		"{ \"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"syscalls\": ["
		"{ \"names\": [\"read\", \"ptrace\"], \"action\": \"SCMP_ACT_ALLOW\" } ] }";
	static const uint64_t zero[FILTER_ARGS];
	_cleanup_(filter_free) struct filter *f = filter_make(1u << abi_native()), *result = NULL;
	enum tamis_abi abi = abi_native();
	_free_ char *text = NULL;

	allow(f, abi, "read write");
	filter_sort(f);
	text = narrowed(base, f);
	result = parse(text, none);
	assert_int_equal(filter_verdict(result, abi, calls_number(abi, "write"), zero).action,
			 FILTER_KILL_PROCESS);
	assert_int_equal(filter_verdict(result, abi, calls_number(abi, "read"), zero).action,
			 FILTER_ALLOW);
	/* the base let it through: the policy's word counts */
	assert_int_equal(filter_verdict(result, abi, calls_number(abi, "ptrace"), zero).errno_ret,
			 38);
}

/* --- ABIs ----------------------------------------------------------------------------------- */

static void abis_are_those_of_both(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64), *result = NULL;
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	text = narrowed(base_text, f);
	assert_non_null(strstr(text, "\"SCMP_ARCH_X86_64\""));
	assert_null(strstr(text, "\"SCMP_ARCH_X86\""));
	assert_null(strstr(text, "AARCH64"));
	assert_null(strstr(text, "RISCV64"));
	result = parse(text, none);
	if (abi_native() == TAMIS_ABI_X86_64)
		assert_int_equal(result->abis, X86_64);
}

static void an_architectures_list_too(void **state)
{
	static const char base[] = "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": "
				   "[\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\"], \"syscalls\": [] }";
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	text = narrowed(base, f);
	assert_non_null(strstr(text, "\"architectures\": [\n\t\t\"SCMP_ARCH_X86_64\"\n\t]"));
}

static void no_abi_in_common(void **state)
{
	static const char base[] = "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": "
				   "[\"SCMP_ARCH_ARM\"], \"syscalls\": [] }";
	_cleanup_(docker_base_free) struct docker_base *b = base_of(base);
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct emit_options o = { .base = b };
	struct policy p = { .filter = f };
	_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(emit_find("docker")->write(&p, &o, out), -EOPNOTSUPP);
	(void)fclose(out);
}

/* --- what stays, what is said --------------------------------------------------------------- */

static void entries_stay_as_they_are(void **state)
{
	uint64_t seed = 3;
	_cleanup_(filter_free) struct filter *f =
		policy_random(&seed, 1000000, "chroot mount clone clone3 statx personality");
	_free_ char *text = narrowed(base_text, f);

	assert_non_null(strstr(text, "\t\t\t\"comment\": \"what all need\"\n"));
	assert_non_null(strstr(text, "\t\t\t\"names\": [\n\t\t\t\t\"chroot\"\n\t\t\t],\n"
				     "\t\t\t\"action\": \"SCMP_ACT_ALLOW\",\n"
				     "\t\t\t\"includes\": {\n\t\t\t\t\"caps\": [\n"
				     "\t\t\t\t\t\"CAP_SYS_CHROOT\"\n\t\t\t\t]\n\t\t\t}\n"));
	assert_non_null(strstr(text, "\"SCMP_ACT_LOG\""));
	assert_non_null(strstr(text, "\"defaultErrnoRet\": 1,"));
	/* a name that no policy can hold */
	assert_non_null(strstr(text, "kexec_file_load_of_tomorrow"));
	assert_null(strstr(text, "\"bpf\",\n\t\t\t\t\"mount"));
}

static void large_numbers_stay_numbers(void **state)
{
	static const char base[] = "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
				   "{ \"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", "
				   "\"args\": [{ \"index\": 2, \"value\": 18446744073709551615, "
				   "\"op\": \"SCMP_CMP_NE\" }], \"comment\": "
				   "\"\\\"value\\\": \\\"18446744073709551615\\\"\" } ] }";
	_cleanup_(filter_free) struct filter *f = filter_make(1u << abi_native());
	_free_ char *text = NULL;

	allow(f, abi_native(), "read");
	filter_sort(f);
	text = narrowed(base, f);
	assert_non_null(strstr(text, "\t\"value\": 18446744073709551615,\n"));
	assert_non_null(strstr(text, "\"\\\"value\\\": \\\"18446744073709551615\\\"\""));
}

static void the_same_twice(void **state)
{
	uint64_t seed = 5;
	_cleanup_(filter_free) struct filter *f = policy_random(&seed, 3, "");
	_free_ char *a = narrowed(base_text, f), *b = narrowed(base_text, f);

	assert_string_equal(a, b);
}

/* Narrowing a second time by the same policy changes nothing of what passes. */
static void its_own_result_is_a_base(void **state)
{
	uint64_t seed = 9;
	_cleanup_(filter_free) struct filter *f = policy_random(&seed, 2, "clone socket");
	_free_ char *text = narrowed(base_text, f);

	check_passes(text, f);
}

static void what_the_base_lacks_is_named(void **state)
{
	_cleanup_(docker_base_free) struct docker_base *b = base_of(base_text);
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct policy p = { .filter = f };
	_free_ char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	allow(f, TAMIS_ABI_X86_64, "read setns swapoff io_setup");
	filter_sort(f);
	assert_int_equal(docker_base_limits(b, &p, keep_line, out), 0);
	(void)fclose(out);
	assert_string_equal(line, "docker: the base doesn't allow these, so refused: io_setup, "
				  "swapoff\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_both),
		cmocka_unit_test(with_podmans_own),
		cmocka_unit_test(nothing_is_killed_less),
		cmocka_unit_test(abis_are_those_of_both),
		cmocka_unit_test(an_architectures_list_too),
		cmocka_unit_test(no_abi_in_common),
		cmocka_unit_test(entries_stay_as_they_are),
		cmocka_unit_test(large_numbers_stay_numbers),
		cmocka_unit_test(the_same_twice),
		cmocka_unit_test(its_own_result_is_a_base),
		cmocka_unit_test(what_the_base_lacks_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
