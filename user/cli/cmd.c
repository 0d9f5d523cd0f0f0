/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include <stdio.h>

int cmd_usage(const struct cmd *c)
{
	fprintf(stderr, "usage: tamis %s %s\n", c->name, c->args);
	return EXIT_USAGE;
}
