/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keeper.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/log.h"

static const struct option options[] = {
	{ "state", required_argument, NULL, 's' },
	{ "run", required_argument, NULL, 'r' },
	{ "socket", required_argument, NULL, 'l' },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 },
};

static int usage(void)
{
	log_err("usage: tamis-keeper [--state DIR] [--run DIR] [--socket PATH] [-v]");
	return 2;
}

int main(int argc, char **argv)
{
	struct keeper_options o = { .state = KEEPER_STATE, .run = KEEPER_RUN };
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			o.state = optarg;
			break;
		case 'r':
			o.run = optarg;
			break;
		case 'l':
			o.socket = optarg;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		default:
			return usage();
		}
	}
	return optind < argc ? usage() : keeper_run(&o);
}
