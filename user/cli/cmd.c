/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

int cmd_bad_option(const struct cmd *c, int opt, char **argv)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	const char *last = argv[optind - 1];
	/* In a cluster (-xy) optind stays behind. optopt is a long option's too ("--json=x"). */
	bool is_letter =
		opt == '?' && optopt && !(strncmp(last, "--", 2) == 0 && strchr(last, '='));
	const char *name = is_letter ? letter : last;

	log_err("%s: option \"%s\" %s; usage: tamis %s %s", c->name, name,
		opt == ':' ? "needs an argument" : "is not known", c->name, c->args);
	return EXIT_USAGE;
}

int cmd_bad_argument(const struct cmd *c, const char *arg)
{
	if (arg)
		log_err("%s: \"%s\" is one argument too many; usage: tamis %s %s", c->name, arg,
			c->name, c->args);
	else
		log_err("%s: an argument is missing; usage: tamis %s %s", c->name, c->name,
			c->args);
	return EXIT_USAGE;
}
