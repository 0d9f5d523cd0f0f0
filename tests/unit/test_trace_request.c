/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "start/trace_request.h"

static void parses_what_the_hook_takes(void **state)
{
	static const struct {
		const char *text, *output, *input;
	} rows[] = {
		{ "of:/abs/out.json", "/abs/out.json", NULL },
		{ "if:/abs/in.json;of:/abs/out.json", "/abs/out.json", "/abs/in.json" },
		{ "of:/abs/out.json;if:/abs/in.json", "/abs/out.json", "/abs/in.json" },
		{ " of:/a b.json ; if:/i ;", "/a b.json", "/i" },
		{ "of:/with:colon", "/with:colon", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_trace_request_ struct trace_request t = { 0 };
		const char *why = NULL;

		assert_int_equal(trace_request_parse(rows[i].text, &t, &why), 0);
		assert_string_equal(t.output, rows[i].output);
		if (rows[i].input)
			assert_string_equal(t.input, rows[i].input);
		else
			assert_null(t.input);
	}
}

static void refuses_the_rest(void **state)
{
	static const char *const rows[] = {
		"",	  ";",		 "/abs/out.json", "of:",   "of:relative",
		"if:/in", "of:/a;of:/b", "of:/a;if:b",	  "OF:/a", "of:/a,if:/b;xx"
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trace_request t = { 0 };
		const char *why = NULL;

		assert_int_equal(trace_request_parse(rows[i], &t, &why), -EINVAL);
		assert_non_null(why);
		assert_null(t.output);
	}
}

static void refuses_what_is_too_long(void **state)
{
	_free_ char *text = malloc(1 << 16);
	struct trace_request t = { 0 };
	const char *why = NULL;

	memset(text, 'a', (1 << 16) - 1);
	text[(1 << 16) - 1] = '\0';
	memcpy(text, "of:/", 4);
	assert_int_equal(trace_request_parse(text, &t, &why), -EINVAL);
	text[5000] = '\0'; /* a path longer than paths are */
	assert_int_equal(trace_request_parse(text, &t, &why), -EINVAL);
}

/* ROOT/allowed/{sub,file,link -> /etc,dangling,fifo}, ROOT/outside. */
static int make_tree(void **state)
{
	char root[] = "/tmp/tamis-trace-XXXXXX";

	if (!mkdtemp(root) || chdir(root) < 0)
		return -1;
	*state = strdup(root);
	return mkdir("allowed", 0755) || mkdir("allowed/sub", 0755) || mkdir("outside", 0755) ||
	       mkdir("allowed2", 0755) || close(creat("allowed/file", 0644)) ||
	       symlink("/etc", "allowed/link") || symlink("/nowhere", "allowed/dangling") ||
	       symlink("../outside", "allowed/out") || mkfifo("allowed/fifo", 0644);
}

static int drop_tree(void **state)
{
	static const char *const names[] = { "allowed/file", "allowed/link", "allowed/dangling",
					     "allowed/out", "allowed/fifo" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlink(names[i]);
	(void)rmdir("allowed/sub");
	(void)rmdir("allowed");
	(void)rmdir("allowed2");
	(void)rmdir("outside");
	(void)rmdir(*state);
	free(*state);
	return chdir("/");
}

static void opens_below_what_is_allowed_alone(void **state)
{
	static const struct {
		const char *path, *name;
		int r;
	} rows[] = {
		{ "allowed/new.json", "new.json", 0 },
		{ "allowed//new.json", "new.json", 0 },
		{ "allowed/sub/new.json", "new.json", 0 },
		{ "allowed/file", "file", 0 },
		{ "allowed/sub/../new.json", "new.json", 0 },
		{ "outside/new.json", NULL, -EPERM },
		{ "allowed2/new.json", NULL, -EPERM },
		{ "allowed/../outside/new.json", NULL, -EPERM },
		{ "allowed/link/passwd", NULL, -ELOOP },
		{ "allowed/out/new.json", NULL, -ELOOP },
		{ "allowed/dangling", NULL, -ELOOP },
		{ "allowed/link", NULL, -ELOOP },
		{ "allowed/fifo", NULL, -EINVAL },
		{ "allowed/sub", NULL, -EINVAL },
		{ "allowed/", NULL, -EINVAL },
		{ "allowed/..", NULL, -EINVAL },
		{ "allowed/none/new.json", NULL, -ENOENT },
	};
	_free_ char *allowed = text_format("%s/allowed", (char *)*state);
	const char *const dirs[] = { allowed, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *path = text_format("%s/%s", (char *)*state, rows[i].path);
		const char *name = NULL;
		_close_ int fd = trace_request_dir(path, dirs, &name);

		assert_int_equal(fd < 0 ? fd : 0, rows[i].r);
		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_the_hook_takes),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test_setup_teardown(opens_below_what_is_allowed_alone, make_tree,
						drop_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
