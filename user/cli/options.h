/* SPDX-License-Identifier: Apache-2.0 */
/* A command's options as a table, so that each is written down once. */
#pragma once

#include <stdbool.h>

#include "cli/cmd.h"

#define OPTIONS_MAX 24 /* rows of a table */

/* Where an option goes: exactly one of the three. */
struct option_row {
	const char *name; /* "json": --json */
	char letter;	  /* 'o': -o too; 0: none */
	bool *flag;
	const char **text;
	/* Anything else that has a value. Negative errno, having logged what is wrong with it. */
	int (*take)(const char *value, void *ctx);
	void *ctx;
};

#define OPTION_JSON(p)                      \
	{                                   \
		.name = "json", .flag = (p) \
	}
#define OPTION_STATE(p)                      \
	{                                    \
		.name = "state", .text = (p) \
	}

/* What is left of the line. */
struct arguments {
	int min, max;	  /* how many there must be; max < 0: any number */
	bool own_options; /* the first one begins another command's line */
	int cnt;
	char **arg;
};

/* Reads the line of command `c`. `table` ends with a row without a name. EXIT_OK, or EXIT_USAGE
 * having logged one line that names the thing. */
int options_parse(const struct cmd *c, const struct option_row *table, int argc, char **argv,
		  struct arguments *args);
