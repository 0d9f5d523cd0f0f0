/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines against a table of options: what is taken, what is left, how a bad line is told. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define ARGS_MAX 8

static const struct cmd sift = { .name = "sift", .args = "[--json] THING" };

struct taken {
	bool json;
	const char *state, *output;
	char seen[32]; /* values of --each, one after the other */
};

static int take_each(const char *value, void *ctx)
{
	struct taken *t = ctx;

	if (strcmp(value, "bad") == 0)
		return -EINVAL;
	strcat(t->seen, value);
	return 0;
}

static int parse(const char *const words[], struct arguments *args, struct taken *t)
{
	const struct option_row table[] = {
		OPTION_JSON(&t->json),
		OPTION_STATE(&t->state),
		{ "output", 'o', .text = &t->output },
		{ "each", .take = take_each, .ctx = t },
		{ 0 },
	};
	static char *argv[ARGS_MAX + 2];
	int argc = 1;

	argv[0] = (char[]){ "sift" };
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	argv[argc] = NULL;
	optind = 0;
	*t = (struct taken){ 0 };
	return options_parse(&sift, table, argc, argv, args);
}

static const struct {
	const char *words[ARGS_MAX];
	struct arguments args;
	struct taken want;
	int left;
	const char *first; /* what is left begins with */
} good[] = {
	{ { NULL }, { .max = 0 }, { 0 }, 0, NULL },
	{ { "--json", "x" }, { .max = 1 }, { .json = true }, 1, "x" },
	{ { "x", "--state", "d" }, { .min = 1, .max = 1 }, { .state = "d" }, 1, "x" },
	{ { "--state=d", "-of" }, { .max = 0 }, { .state = "d", .output = "f" }, 0, NULL },
	{ { "--output", "f", "-o", "g" }, { .max = 0 }, { .output = "g" }, 0, NULL },
	{ { "--each", "a", "--each=b" }, { .max = 0 }, { .seen = "ab" }, 0, NULL },
	{ { "x", "y", "z", "--json" }, { .min = 1, .max = -1 }, { .json = true }, 3, "x" },
	{ { "x", "--json" }, { .max = -1, .own_options = true }, { 0 }, 2, "x" },
	{ { "--json", "--", "--json" }, { .max = -1 }, { .json = true }, 1, "--json" },
};

static void same(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void takes_what_is_there(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct arguments args = good[i].args;
		struct taken t;

		assert_int_equal(parse(good[i].words, &args, &t), EXIT_OK);
		assert_int_equal(t.json, good[i].want.json);
		same(t.state, good[i].want.state);
		same(t.output, good[i].want.output);
		same(t.seen, good[i].want.seen);
		assert_int_equal(args.cnt, good[i].left);
		same(args.arg[0], good[i].first);
	}
}

static const struct {
	const char *words[ARGS_MAX];
	struct arguments args;
	const char *error;
} bad[] = {
	{ { "x", "y", "z" }, { .max = 1 }, "tamis: sift: \"y\" is one argument too many; usage:" },
	{ { "--json" }, { .min = 1, .max = 1 }, "tamis: sift: an argument is missing; usage:" },
	{ { "--jsno" }, { .max = 0 }, "tamis: sift: option \"--jsno\" is not known; usage:" },
	{ { "-z" }, { .max = 0 }, "tamis: sift: option \"-z\" is not known; usage:" },
	{ { "--json=1" }, { .max = 0 }, "tamis: sift: option \"--json=1\" is not known; usage:" },
	{ { "--state" }, { .max = 0 }, "tamis: sift: option \"--state\" needs an argument; usage" },
	{ { "-o" }, { .max = 0 }, "tamis: sift: option \"-o\" needs an argument; usage:" },
	/* said by who takes it */
	{ { "--each", "bad" }, { .max = 0 }, "" },
};

#define TEXT_MAX 512

/* Its exit code, and what it prints to standard error. */
static int parse_bad(size_t i, char text[TEXT_MAX])
{
	FILE *file = tmpfile();
	int old = dup(STDERR_FILENO), code;
	struct arguments args = bad[i].args;
	struct taken t;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
	code = parse(bad[i].words, &args, &t);
	assert_true(dup2(old, STDERR_FILENO) == STDERR_FILENO);
	close(old);
	rewind(file);
	text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
	fclose(file);
	return code;
}

static void tells_what_is_wrong(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[TEXT_MAX];

		assert_int_equal(parse_bad(i, text), EXIT_USAGE);
		assert_int_equal(strncmp(text, bad[i].error, strlen(bad[i].error)), 0);
		assert_int_equal(!*text, !*bad[i].error);
		assert_true(!*text || strcmp(strchr(text, '\n'), "\n") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_there),
		cmocka_unit_test(tells_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
