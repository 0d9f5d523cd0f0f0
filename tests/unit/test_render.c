/* SPDX-License-Identifier: Apache-2.0 */
/* A policy on its way out: which formats there are, and that a file has it whole or not at all. */
#include "cli/render.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "unit/filters.h"

static char dir[32], path[64];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/tamis-render-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/policy", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)unlink(path);
	return rmdir(dir);
}

static void formats_by_name(void **state)
{
	struct render r = { 0 };

	assert_int_equal(render_take_format("names", &r), 0);
	assert_string_equal(r.format->name, "names");
	assert_int_equal(render_take_format("parchment", &r), -EINVAL);
	assert_null(r.format);
}

/* Only a terminal is no place for a program; here it would be one. */
static void programs_and_terminals(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), old = dup(STDOUT_FILENO);
	struct render bpf = { .format = emit_find("bpf") }, r = bpf;
	int plain, to_file, json, other;

	assert_true(terminal >= 0 && old >= 0);
	fflush(stdout);
	assert_int_equal(dup2(terminal, STDOUT_FILENO), STDOUT_FILENO);
	plain = render_check(&r);
	r.output = "file";
	to_file = render_check(&r);
	r = bpf;
	r.json = true;
	json = render_check(&r);
	r.format = emit_find("pfc");
	other = render_check(&r);
	assert_int_equal(dup2(old, STDOUT_FILENO), STDOUT_FILENO);
	close(old);
	close(terminal);
	assert_int_equal(plain, -EINVAL);
	assert_int_equal(to_file, 0);
	assert_int_equal(json, 0);
	assert_int_equal(other, 0);
}

static void check_file(const char *want)
{
	_free_ char *text = NULL;

	assert_int_equal(file_read(path, 1 << 16, &text, NULL), 0);
	assert_string_equal(text, want);
}

static void a_file_has_it_whole(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	const struct evidence e = { .starts = 1 };
	const struct policy p = { .workload = "x", .filter = f, .evidence = &e };
	struct render r = { .format = emit_find("names"), .output = path };
	json_t *json;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	assert_int_equal(render_policy(&r, &p), 0);
	check_file("x86_64 read\n");
	r.json = true;
	assert_int_equal(render_policy(&r, &p), 0);
	json = json_load_file(path, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "policy")), "x86_64 read\n");
	json_decref(json);
}

static int can_t_be_said(const struct policy *p, const struct emit_options *o, FILE *f)
{
	fputs("half", f);
	return -EOPNOTSUPP;
}

static void a_failure_leaves_what_was_there(void **state)
{
	const struct emit_format broken = { .name = "broken", .write = can_t_be_said };
	const struct policy p = { .workload = "x" };
	struct render r = { .format = &broken, .output = path };

	assert_int_equal(file_write_atomic(path, "old", 3, 0600), 0);
	assert_int_equal(render_policy(&r, &p), -EOPNOTSUPP);
	check_file("old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_by_name),
		cmocka_unit_test(programs_and_terminals),
		cmocka_unit_test_setup_teardown(a_file_has_it_whole, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(a_failure_leaves_what_was_there, make_dir,
						drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
