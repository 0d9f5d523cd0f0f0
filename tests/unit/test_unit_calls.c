/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/unit_calls.h"

#include "filters.h"

static char *printed(const struct filter *f, const struct generation *g)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(unit_print_calls(f, g, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Whether `word` is on a line that begins with `start`. */
static bool has(const char *text, const char *start, const char *word)
{
	_free_ char *copy = strdup(text);
	char *save = NULL, *rest = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool tilde = line[strlen("SystemCallFilter=")] == '~';

		if (strncmp(line, start, strlen(start)) != 0 || tilde != (strchr(start, '~') != 0))
			continue;
		for (char *w = strtok_r(line + strlen(start), " ", &rest); w;
		     w = strtok_r(NULL, " ", &rest))
			if (strcmp(w, word) == 0)
				return true;
	}
	return false;
}

#define ALLOWED "SystemCallFilter="
#define REFUSED "SystemCallFilter=~"

static void lists_what_is_allowed(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
	struct generation g = { 0 };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "write read accept4");
	allow(f, TAMIS_ABI_I386, "waitpid read");
	add_cond(f, TAMIS_ABI_X86_64, (uint32_t)calls_number(TAMIS_ABI_X86_64, "clone"),
		 FILTER_ALLOW, 0, 1, &no_namespaces);
	add(f, TAMIS_ABI_X86_64, (uint32_t)calls_number(TAMIS_ABI_X86_64, "mount"), FILTER_ERRNO,
	    1);
	filter_sort(f);
	text = printed(f, &g);
	assert_non_null(strstr(text, "SystemCallFilter=\n")); /* the unit's own gives way */
	for (const char *const *name =
		     (const char *const[]){ "accept4", "clone", "read", "waitpid", "write", NULL };
	     *name; name++)
		assert_true(has(text, ALLOWED, *name));
	assert_false(has(text, ALLOWED, "mount"));
	assert_null(strchr(text, '~'));
	assert_non_null(strstr(text, "\nSystemCallErrorNumber=ENOSYS\n"));
	assert_non_null(strstr(text, "\nSystemCallArchitectures=\nSystemCallArchitectures="));
	assert_non_null(strstr(text, " x86\n"));
	assert_null(strstr(text, "x32"));
}

static void takes_out_what_is_denied(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct generation g = { 0 };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	/* getpid is in @default, which systemd adds */
	sysset_add(&g.denied[TAMIS_ABI_X86_64], (unsigned)calls_number(TAMIS_ABI_X86_64, "getpid"));
	text = printed(f, &g);
	assert_true(has(text, ALLOWED, "read"));
	assert_true(has(text, REFUSED, "getpid"));
	assert_true(strstr(text, REFUSED) > strstr(text, "read"));
}

static void denied_ones_have_their_errno(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct generation g = { 0 };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	for (const char *const *name = (const char *const[]){ "getpid", "uname", NULL }; *name;
	     name++)
		sysset_add(&g.denied[TAMIS_ABI_X86_64],
			   (unsigned)calls_number(TAMIS_ABI_X86_64, *name));
	sysset_add(&g.denied_eperm[TAMIS_ABI_X86_64],
		   (unsigned)calls_number(TAMIS_ABI_X86_64, "uname"));
	text = printed(f, &g);
	assert_true(has(text, REFUSED, "getpid"));
	assert_true(has(text, REFUSED, "uname:EPERM"));
	assert_false(has(text, REFUSED, "uname"));
}

static void refuses_beside_the_units_own(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	struct generation g = { .descendants = true };
	_free_ char *text = NULL;

	/* what compose makes of descendants, in small: bpf was allowed */
	allow(f, TAMIS_ABI_X86_64, "read bpf");
	allow(f, TAMIS_ABI_I386, "read bpf");
	add(f, TAMIS_ABI_X86_64, (uint32_t)calls_number(TAMIS_ABI_X86_64, "mount"), FILTER_ERRNO,
	    1);
	filter_sort(f);
	sysset_add(&g.denied[TAMIS_ABI_X86_64], (unsigned)calls_number(TAMIS_ABI_X86_64, "getpid"));
	text = printed(f, &g);
	assert_false(has(text, REFUSED, "bpf"));
	assert_false(has(text, REFUSED, "bpf:EPERM"));
	assert_true(has(text, REFUSED, "mount:EPERM"));
	assert_true(has(text, REFUSED, "kexec_load:ENOSYS"));
	assert_true(has(text, REFUSED, "vm86old:ENOSYS")); /* i386's alone */
	assert_true(has(text, REFUSED, "getpid:ENOSYS"));
	/* neither guarded nor denied */
	assert_null(strstr(text, "getppid"));
	assert_null(strstr(text, "SystemCallFilter=\n"));
	assert_null(strstr(text, "Architectures"));
	assert_null(strstr(text, "ErrorNumber"));
}

static void says_what_has_no_name(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct generation g = { 0 };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	add(f, TAMIS_ABI_X86_64, 511, FILTER_ALLOW, 0);
	filter_sort(f);
	text = printed(f, &g);
	assert_null(strstr(text, "511"));
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		assert_true(*line == '#' || strncmp(line, "SystemCall", 10) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_what_is_allowed),
		cmocka_unit_test(takes_out_what_is_denied),
		cmocka_unit_test(denied_ones_have_their_errno),
		cmocka_unit_test(refuses_beside_the_units_own),
		cmocka_unit_test(says_what_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
