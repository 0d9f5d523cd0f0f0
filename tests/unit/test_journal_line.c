/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "keeper/journal_internal.h"

static const struct {
	struct journal_entry e;
	const char *line;
} rows[] = {
	{ { .kind = JOURNAL_CALL,
	    .key = "podman/web",
	    .cgroup = "/machine.slice/libpod-1.scope",
	    .cgroup_id = UINT64_MAX,
	    .abi = TAMIS_ABI_X86_64,
	    .nr = 39,
	    .answer = ANSWER_CONTINUED,
	    .time = 1700000000,
	    .pid = 4194304,
	    .comm = "redis server",
	    .exe = "/usr/bin/redis%s\n" },
	  "call podman/web 18446744073709551615:/machine.slice/libpod-1.scope x86_64 39 continued "
	  "1700000000 4194304 redis%20server /usr/bin/redis%25s%0A ." },
	{ { .kind = JOURNAL_CALL,
	    .key = "",
	    .cgroup = "/a b",
	    .cgroup_id = 7,
	    .abi = TAMIS_ABI_I386,
	    .nr = TAMIS_CALLS,
	    .answer = ANSWER_NOBODYS,
	    .comm = "-" },
	  "call - 7:/a%20b i386 576 nobodys 0 0 %2D - ." },
	{ { .kind = JOURNAL_COUNT,
	    .key = "oci/x",
	    .abi = TAMIS_ABI_X32,
	    .nr = 0,
	    .answer = ANSWER_ASKED,
	    .count = UINT64_MAX,
	    .time = INT64_MAX },
	  "count oci/x x32 0 asked 18446744073709551615 9223372036854775807 ." },
	{ { .kind = JOURNAL_HOT,
	    .key = "oci/x",
	    .abi = TAMIS_ABI_ARM,
	    .nr = 561,
	    .count = 1001,
	    .time = 5 },
	  "hot oci/x arm 561 1001 5 ." },
};

static void assert_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(a == b);
}

static void assert_same(const struct journal_entry *a, const struct journal_entry *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_text(a->key, b->key);
	assert_text(a->cgroup, b->cgroup);
	assert_true(a->cgroup_id == b->cgroup_id && a->count == b->count && a->time == b->time);
	assert_int_equal(a->abi, b->abi);
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->answer, b->answer);
	assert_int_equal(a->pid, b->pid);
	assert_text(a->comm, b->comm);
	assert_text(a->exe, b->exe);
}

static void test_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *line = NULL;
		struct journal_entry e = { 0 };

		assert_int_equal(journal_print(&rows[i].e, &line), 0);
		assert_int_equal(line[strlen(line) - 1], '\n');
		line[strlen(line) - 1] = '\0';
		assert_string_equal(line, rows[i].line);
		assert_int_equal(journal_parse(line, strlen(line), &e), 0);
		assert_same(&rows[i].e, &e);
		journal_entry_done(&e);
	}
}

static void test_nonsense(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"call .",
		"calls podman/web 1:/a x86_64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b . .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b c .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a  b .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a \x80 .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a\tb c .",
		"call podman/web 1/a x86_64 1 continued 1 1 a b .",
		"call podman/web :/a x86_64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86-64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 577 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 -1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continue 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued -1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued 1 4294967296 a b .",
		"count podman/web x86_64 1 continued 18446744073709551616 1 .",
		"count podman/web x86_64 1 1 1 .",
		"hot podman/web x86_64 1 continued 1 1 .",
		"hot podman/web x86_64 1 1 9223372036854775808 .",
	};
	struct journal_entry e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (journal_parse(bad[i], strlen(bad[i]), &e) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(journal_parse("hot a x86_64 1 1 1 .\0", 21, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
