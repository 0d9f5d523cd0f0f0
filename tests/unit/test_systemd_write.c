/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "unit/policies.h"

static const struct filter_cond plain = { 0, FILTER_EQ, 0 };

static int print(const struct filter *f, char **ret)
{
	size_t len;
	FILE *out = open_memstream(ret, &len);
	int r = systemd_filter_print(f, out);

	assert_int_equal(fclose(out), 0);
	return r;
}

static void the_lines_of_a_drop_in(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	struct policy p = { .filter = f };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read execve");
	allow(f, TAMIS_ABI_I386, "waitpid read");
	add_cond(f, TAMIS_ABI_X86_64, calls_number(TAMIS_ABI_X86_64, "personality"), FILTER_ALLOW,
		 0, 1, &plain);
	add(f, TAMIS_ABI_X86_64, calls_number(TAMIS_ABI_X86_64, "mount"), FILTER_ERRNO, 1);
	add(f, TAMIS_ABI_X86_64, 400, FILTER_ALLOW, 0);
	filter_sort(f);
	text = emitted("systemd", &p, NULL, NULL);
	assert_string_equal(text, "[Service]\n"
				  "SystemCallFilter=\n"
				  "SystemCallFilter=execve personality read waitpid\n"
				  "SystemCallErrorNumber=ENOSYS\n"
				  "SystemCallArchitectures=\n"
				  "SystemCallArchitectures=native x86\n");
}

static void limits_are_named(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	struct policy p = { .filter = f };
	_free_ char *limits = NULL;

	allow(f, TAMIS_ABI_X86_64, "read execve");
	allow(f, TAMIS_ABI_I386, "waitpid read");
	add_cond(f, TAMIS_ABI_X86_64, calls_number(TAMIS_ABI_X86_64, "personality"), FILTER_ALLOW,
		 0, 1, &plain);
	add(f, TAMIS_ABI_X86_64, calls_number(TAMIS_ABI_X86_64, "mount"), FILTER_ERRNO, 1);
	add(f, TAMIS_ABI_X86_64, 400, FILTER_ALLOW, 0);
	filter_sort(f);
	limits = limits_of("systemd", &p);
	assert_non_null(strstr(limits, "systemd: it allows these by itself: arch_prctl, brk, "));
	assert_null(strstr(limits, "by itself: execve"));
	assert_null(strstr(limits, ", execve,"));
	assert_non_null(strstr(limits, "whatever their arguments are: personality\n"));
	assert_non_null(strstr(limits, "more widely on some: execve, personality\n"));
	assert_non_null(strstr(limits, "are refused: x86_64 #400\n"));
	assert_non_null(strstr(limits, "instead of their own: mount\n"));
}

/* An empty list would be no filter at all. */
static void what_would_be_no_filter(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64), *open = filter_make(X86_64);
	_free_ char *text = NULL, *other = NULL;

	add(f, TAMIS_ABI_X86_64, 400, FILTER_ALLOW, 0); /* has no name */
	filter_sort(f);
	assert_int_equal(print(f, &text), -EOPNOTSUPP);
	open->default_action = FILTER_ALLOW;
	allow(open, TAMIS_ABI_X86_64, "read");
	filter_sort(open);
	assert_int_equal(print(open, &other), -EOPNOTSUPP);
}

static void a_default_of_death(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(AARCH64 | ARM);
	_free_ char *text = NULL;

	f->default_action = FILTER_KILL_PROCESS;
	allow(f, TAMIS_ABI_AARCH64, "read");
	filter_sort(f);
	assert_int_equal(print(f, &text), 0);
	assert_string_equal(text, "SystemCallFilter=\nSystemCallFilter=read\n"
				  "SystemCallErrorNumber=\n"
				  "SystemCallArchitectures=\nSystemCallArchitectures=native arm\n");
}

static bool passes(const struct filter *f, int nr)
{
	const struct filter_rule *rule;
	size_t cnt = filter_find(f, abi_native(), nr, &rule);

	for (size_t i = 0; i < cnt; i++) {
		if (filter_action_passes(rule[i].action))
			return true;
	}
	return false;
}

/* Lines are short enough to be read, and together they are the list. */
static void every_call_once(void **state)
{
	uint64_t seed = 33;
	_cleanup_(filter_free) struct filter *f = policy_random(&seed, 2, "clone");
	_free_ char *text = NULL;
	size_t cnt = 0;
	char *save = NULL;

	assert_int_equal(print(f, &text), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *words = NULL;

		assert_true(strlen(line) < 120);
		if (strncmp(line, "SystemCallFilter=", 17) != 0)
			continue;
		for (char *w = strtok_r(line + 17, " ", &words); w;
		     w = strtok_r(NULL, " ", &words)) {
			int nr = calls_number(abi_native(), w);

			assert_true(nr >= 0);
			assert_true(passes(f, nr));
			cnt++;
		}
	}
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
		cnt -= passes(f, nr);
	}
	assert_int_equal(cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lines_of_a_drop_in),  cmocka_unit_test(limits_are_named),
		cmocka_unit_test(what_would_be_no_filter), cmocka_unit_test(a_default_of_death),
		cmocka_unit_test(every_call_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
