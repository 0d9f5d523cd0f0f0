/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "emit/oci_json.h"
#include "unit/oci_fixture.h"
#include "unit/skip.h"

#define HEAD	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\"],"
#define ENTRY(rest) HEAD "\"syscalls\":[{\"names\":[\"personality\"]," rest "}]}"
#define ALLOWED	    "\"action\":\"SCMP_ACT_ALLOW\""

static const struct {
	const char *text;
	uint64_t arg0, arg1;
	enum filter_action action;
	uint32_t err;
} accepted[] = {
	{ ENTRY(ALLOWED), 0, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"args\":null,\"comment\":\"\",\"includes\":{},\"excludes\":{}"), 0, 0,
	  FILTER_ALLOW, 0 },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\""), 0, 0, FILTER_ERRNO, 1 },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22"), 0, 0, FILTER_ERRNO, 22 },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22,\"errno\":\"ENOSYS\""), 0, 0,
	  FILTER_ERRNO, 38 },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"13\""), 0, 0, FILTER_ERRNO, 13 },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"EWOULDBLOCK\""), 0, 0, FILTER_ERRNO,
	  11 },
	{ ENTRY("\"action\":\"SCMP_ACT_KILL\""), 0, 0, FILTER_KILL_THREAD, 0 },
	{ ENTRY(ALLOWED ",\"errnoRet\":5"), 0, 0, FILTER_ALLOW, 0 },
	/* conditions of one entry hold together */
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]"),
	  1, 3, FILTER_ERRNO, 1 },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]"),
	  1, 2, FILTER_ALLOW, 0 },
	/* unless an index is repeated: then each is an alternative */
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]"),
	  9, 2, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
			"{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"}]"),
	  4, 0, FILTER_ERRNO, 1 },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":18446744073709551615,\"valueTwo\":"
			"9223372036854775808,\"op\":\"SCMP_CMP_MASKED_EQ\"}]"),
	  1ULL << 63, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":9223372036854775807,"
			"\"op\":\"SCMP_CMP_GT\"}]"),
	  1ULL << 63, 0, FILTER_ALLOW, 0 },
	{ HEAD "\"syscalls\":[{\"name\":\"personality\"," ALLOWED "}]}", 0, 0, FILTER_ALLOW, 0 },
	{ HEAD "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":\"\"}", 0, 0, FILTER_ERRNO,
	  1 },
	{ HEAD "\"defaultErrno\":\"ENOSYS\"}", 0, 0, FILTER_ERRNO, 38 },
	{ HEAD "\"defaultErrnoRet\":7}", 0, 0, FILTER_ERRNO, 7 },
	/* what applies here */
	{ ENTRY(ALLOWED ",\"includes\":{\"caps\":[\"CAP_SYS_TIME\"]}"), 0, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"includes\":{\"caps\":[\"CAP_SYS_TIME\",\"CAP_BPF\"]}"), 0, 0,
	  FILTER_ERRNO, 1 },
	{ ENTRY(ALLOWED ",\"excludes\":{\"caps\":[\"CAP_BPF\",\"CAP_KILL\"]}"), 0, 0, FILTER_ERRNO,
	  1 },
	{ ENTRY(ALLOWED ",\"excludes\":{\"caps\":[\"CAP_BPF\"]}"), 0, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"includes\":{\"arches\":[\"s390x\"]}"), 0, 0, FILTER_ERRNO, 1 },
	{ ENTRY(ALLOWED ",\"excludes\":{\"arches\":[\"s390x\"]}"), 0, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"includes\":{\"minKernel\":\"4.8\"}"), 0, 0, FILTER_ALLOW, 0 },
	{ ENTRY(ALLOWED ",\"includes\":{\"minKernel\":\"999.0\"}"), 0, 0, FILTER_ERRNO, 1 },
	{ ENTRY(ALLOWED ",\"excludes\":{\"minKernel\":\"4.8\"}"), 0, 0, FILTER_ERRNO, 1 },
};

static void reads_as_the_runtimes_do(void **state)
{
	static const char *const caps[] = { "SYS_TIME", "CAP_KILL", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		_cleanup_(filter_free) struct filter *f = parse_caps(accepted[i].text, caps, NULL);
		uint64_t args[FILTER_ARGS] = { accepted[i].arg0, accepted[i].arg1 };
		struct filter_verdict v = filter_verdict(f, TAMIS_ABI_X86_64, 135, args);

		if (v.action != accepted[i].action || v.errno_ret != accepted[i].err)
			print_error("%s: %d(%u)\n", accepted[i].text, v.action, v.errno_ret);
		assert_int_equal(v.action, accepted[i].action);
		assert_int_equal(v.errno_ret, accepted[i].err);
	}
}

static void reads_architectures(void **state)
{
	static const struct {
		const char *json;
		uint32_t x86_64, aarch64; /* on a machine of that */
	} rows[] = {
		{ "\"architectures\":[]", X86_64, AARCH64 },
		{ "\"architectures\":null", X86_64, AARCH64 },
		{ "\"architectures\":[\"SCMP_ARCH_NATIVE\"]", X86_64, AARCH64 },
		{ "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]",
		  X86_64 | I386 | X32, X86_64 | I386 | X32 },
		{ "\"architectures\":[\"SCMP_ARCH_X86\"]", X86_64 | I386, I386 },
		{ "\"architectures\":[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"]", AARCH64 | ARM,
		  AARCH64 | ARM },
		{ "\"architectures\":[\"SCMP_ARCH_ARM\"]", ARM, AARCH64 | ARM },
		{ "\"architectures\":[\"SCMP_ARCH_MIPS64\",\"SCMP_ARCH_X86_64\"]", X86_64, X86_64 },
		{ "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":"
		  "[\"SCMP_ARCH_X86\"]},{\"architecture\":\"SCMP_ARCH_AARCH64\","
		  "\"subArchitectures\":[\"SCMP_ARCH_ARM\"]}]",
		  X86_64 | I386, AARCH64 | ARM },
		{ "\"archMap\":[{\"architecture\":\"SCMP_ARCH_S390X\",\"subArchitectures\":null}]",
		  X86_64, AARCH64 },
	};
	const bool arm = abi_native() == TAMIS_ABI_AARCH64;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *f = NULL;
		char text[400];

		snprintf(text, sizeof(text), "{\"defaultAction\":\"SCMP_ACT_ERRNO\",%s}",
			 rows[i].json);
		f = parse(text);
		assert_int_equal(f->abis, arm ? rows[i].aarch64 : rows[i].x86_64);
	}
}

static void counts_unknown_names(void **state)
{
	unsigned unknown = 9;
	_cleanup_(filter_free) struct filter *f =
		parse_caps(HEAD "\"syscalls\":[{\"names\":[\"read\",\"no_such_call\",\"mmap2\","
				"\"nor_this\"]," ALLOWED "}]}",
			   NULL, &unknown);

	assert_int_equal(unknown, 2);
	assert_int_equal(f->rule_cnt, 1); /* mmap2 is i386's */
}

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "line 1 column 0" },
	{ "[]", "not a JSON object" },
	{ "{}", "defaultAction: missing" },
	{ "{\"defaultAction\":1}", "defaultAction: a number, not a string" },
	{ "{\"defaultAction\":\"\"}", "defaultAction: unknown action \"\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_FOO\"}",
	  "defaultAction: unknown action \"SCMP_ACT_FOO\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\"", "line 1 column" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\"} x", "end of file expected" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
	  "duplicate" },
	{ HEAD "\"defaultErrnoRet\":-1}", "defaultErrnoRet: negative" },
	{ HEAD "\"defaultErrnoRet\":4096}", "defaultErrnoRet: 4096 is above 4095" },
	{ HEAD "\"defaultErrnoRet\":1.5}", "defaultErrnoRet: a fraction, not a whole number" },
	{ HEAD "\"defaultErrnoRet\":\"1\"}", "defaultErrnoRet: a string, not a whole number" },
	{ HEAD "\"defaultErrno\":\"EFOO\"}", "defaultErrno: unknown errno \"EFOO\"" },
	{ HEAD "\"flags\":[\"SECCOMP_FILTER_FLAG_FOO\"]}", "flags[0]: unknown flag" },
	{ HEAD "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}", "exclude each other" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"x86\"]}",
	  "architectures: unknown architecture \"x86\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":\"x86\"}",
	  "architectures: a string, not an array" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[[]]}", "archMap[0]: not an object" },
	{ HEAD "\"syscalls\":{}}", "syscalls: an object, not an array" },
	{ HEAD "\"syscalls\":[7]}", "syscalls[0]: not an object" },
	{ HEAD "\"syscalls\":[{" ALLOWED "}]}", "syscalls[0].names: missing" },
	{ HEAD "\"syscalls\":[{\"names\":[]," ALLOWED "}]}", "syscalls[0].names: empty" },
	{ HEAD "\"syscalls\":[{\"names\":[\"read\",\"\"]," ALLOWED "}]}",
	  "syscalls[0].names[1]: empty" },
	{ HEAD "\"syscalls\":[{\"names\":[\"read\",3]," ALLOWED "}]}",
	  "syscalls[0].names[1]: a number, not a string" },
	{ HEAD "\"syscalls\":[{\"names\":[\"read\"],\"name\":\"write\"," ALLOWED "}]}",
	  "name and names exclude each other" },
	{ ENTRY("\"action\":\"SCMP_ACT_FOO\""),
	  "syscalls[0].action: unknown action \"SCMP_ACT_FOO\"" },
	{ ENTRY("\"errnoRet\":1"), "syscalls[0].action: missing" },
	{ ENTRY("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":70000"),
	  "syscalls[0].errnoRet: 70000 is above 4095" },
	{ ENTRY(ALLOWED ",\"args\":{}"), "syscalls[0].args: an object, not an array" },
	{ ENTRY(ALLOWED ",\"args\":[1]"), "syscalls[0].args[0]: not an object" },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]"),
	  "syscalls[0].args[0].index: 6 is above 5" },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_EQ\"}]"),
	  "syscalls[0].args[0].value: missing" },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]"),
	  "syscalls[0].args[0].value: negative" },
	{ ENTRY(ALLOWED
		",\"args\":[{\"index\":0,\"value\":18446744073709551616,\"op\":\"SCMP_CMP_EQ\"}]"),
	  "too big integer" },
	{ ENTRY(ALLOWED ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_FOO\"}]"),
	  "syscalls[0].args[0].op: unknown operator \"SCMP_CMP_FOO\"" },
	{ ENTRY(ALLOWED ",\"includes\":[]"), "syscalls[0].includes: an array, not an object" },
	{ ENTRY(ALLOWED ",\"includes\":{\"caps\":\"x\"}"), "syscalls[0].includes.caps: a string" },
	{ ENTRY(ALLOWED ",\"excludes\":{\"arches\":[1]}"),
	  "syscalls[0].excludes.arches[0]: a number" },
	{ ENTRY(ALLOWED ",\"includes\":{\"minKernel\":\"new\"}"),
	  "syscalls[0].includes.minKernel: \"new\" is not MAJOR.MINOR" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\\u0000x\"}", "\\u0000" },
	{ "{\"defaultAction\":\"\xff\"}", "unable to decode byte 0xff" },
};

static void refuse(const char *text, size_t len, int error, const char *why)
{
	_free_ char *said = NULL;
	struct filter *f = NULL;
	unsigned unknown = 77;
	int r = oci_parse(text, len, NULL, &f, &unknown, &said);

	if (r != error || !said || !strstr(said, why))
		print_error("%.100s: %d, %s\n", text, r, said ? said : "nothing said");
	assert_int_equal(r, error);
	assert_non_null(said);
	assert_non_null(strstr(said, why));
	assert_null(f);
	assert_int_equal(unknown, 77);
}

static void names_what_is_wrong(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		refuse(refused[i].text, strlen(refused[i].text), -EINVAL, refused[i].why);
}

static void cut_anywhere_it_is_refused(void **state)
{
	for (size_t len = 0; len < sizeof(golden) - 3; len++)
		refuse(golden, len, -EINVAL, "line ");
}

static void deep_nesting_is_refused_before_parsing(void **state)
{
	static const char levels[] = "[{\"a\":";
	_free_ char *text = malloc(OCI_MAX_SIZE);

	assert_non_null(text);
	for (size_t i = 0; i < OCI_MAX_SIZE; i++)
		text[i] = levels[i % (sizeof(levels) - 1)];
	refuse(text, OCI_MAX_SIZE, -EINVAL, "nested deeper than 32 levels");
	memset(text, '[', OCI_MAX_SIZE);
	refuse(text, OCI_MAX_SIZE, -EINVAL, "nested deeper than 32 levels");
}

/* Brackets in strings don't count, whatever is escaped in them. */
static void brackets_in_strings_are_no_nesting(void **state)
{
	_cleanup_(filter_free) struct filter *f =
		parse("{\"comment\":\"[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[\\\\\",\"defaultAction\":"
		      "\"SCMP_ACT_ERRNO\"}");

	assert_int_equal(f->default_action, FILTER_ERRNO);
}

static void too_much_is_refused(void **state)
{
	static const char head[] = HEAD "\"syscalls\":[{" ALLOWED ",\"names\":[\"read\"";
	_free_ char *text = calloc(1, OCI_MAX_SIZE + 2);
	size_t len = sizeof(head) - 1;

	assert_non_null(text);
	memcpy(text, head, len);
	while (len < 700000) {
		memcpy(text + len, ",\"read\"", 7);
		len += 7;
	}
	memcpy(text + len, "]}]}", 4);
	refuse(text, len + 4, -EINVAL, "syscalls: more than 65536 rules");
	memset(text, ' ', OCI_MAX_SIZE + 1);
	refuse(text, OCI_MAX_SIZE + 1, -EFBIG, "larger than 4 MiB");
}

static void a_file_that_is_not_there(void **state)
{
	_free_ char *why = NULL;
	struct filter *f = NULL;

	assert_int_equal(oci_read("/nonexistent/policy.json", NULL, &f, NULL, &why), -ENOENT);
	assert_string_equal(why, "No such file or directory");
	assert_null(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_the_runtimes_do),
		cmocka_unit_test(reads_architectures),
		cmocka_unit_test(counts_unknown_names),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(deep_nesting_is_refused_before_parsing),
		cmocka_unit_test(brackets_in_strings_are_no_nesting),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(a_file_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
