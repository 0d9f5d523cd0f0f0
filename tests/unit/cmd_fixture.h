/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on a real store: what they print, how they end. */
#pragma once

#include <fcntl.h>
#include <getopt.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "store_fixture.h"

static char out_path[96], err_path[96];

static inline int make_files(void **state)
{
	int r = open_store(state);

	snprintf(out_path, sizeof(out_path), "%s/out", state_dir);
	snprintf(err_path, sizeof(err_path), "%s/err", state_dir);
	return r;
}

/* Points a descriptor at a file; returns what it was. */
static inline int redirect(int fd, const char *path)
{
	int old = dup(fd), file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(old >= 0 && file >= 0 && dup2(file, fd) == fd);
	close(file);
	return old;
}

static inline void restore(int fd, int old)
{
	assert_int_equal(dup2(old, fd), fd);
	close(old);
}

#define ARGS_MAX 12

static inline int run(const struct cmd *c, const char *const args[])
{
	char *argv[ARGS_MAX + 2] = { (char[]){ "cmd" } };
	int argc = 1, out, err, code;

	for (; args[argc - 1]; argc++)
		argv[argc] =
			strcmp(args[argc - 1], "DIR") ? strdup(args[argc - 1]) : strdup(state_dir);
	fflush(stdout);
	out = redirect(STDOUT_FILENO, out_path);
	err = redirect(STDERR_FILENO, err_path);
	optind = 0;
	code = c->run(argc, argv);
	fflush(stdout);
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	while (--argc > 0)
		free(argv[argc]);
	return code;
}

#define RUN(c, ...) run(&(c), (const char *const[]){ __VA_ARGS__, NULL })

static inline void read_text(const char *path, char **ret)
{
	assert_int_equal(file_read(path, 1 << 20, ret, NULL), 0);
}

/* What the last one printed. */
static inline char *printed_text(void)
{
	char *text = NULL;

	read_text(out_path, &text);
	return text;
}

static inline void check_said(const char *want)
{
	_free_ char *out = printed_text();

	assert_string_equal(out, want);
}

struct failure {
	const struct cmd *c;
	const char *args[ARGS_MAX];
	int code;
	const char *error; /* part of the one line */
};

static inline void check_failures(const struct failure *f, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		_free_ char *out = NULL, *err = NULL;

		assert_int_equal(run(f[i].c, f[i].args), f[i].code);
		read_text(out_path, &out);
		read_text(err_path, &err);
		assert_string_equal(out, "");
		assert_int_equal(strncmp(err, "tamis: ", 7), 0);
		if (!strstr(err, f[i].error))
			fail_msg("\"%s\" lacks \"%s\"", err, f[i].error);
		assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_files, drop_dir)
