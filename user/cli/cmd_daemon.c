/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/bpffs.h"
#include "cli/cmd.h"
#include "cli/daemon.h"

#define _options_ __attribute__((cleanup(daemon_options_donep)))

enum { OPT_CONFIG = 256, OPT_NO_PIN, OPT_UNPIN, OPT_PORTABLE, OPT_VALUE };

/* From OPT_VALUE on: options that are configuration keys too, by their own name. */
static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "no-pin", no_argument, NULL, OPT_NO_PIN },
	{ "unpin", no_argument, NULL, OPT_UNPIN },
	{ "portable", no_argument, NULL, OPT_PORTABLE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "state", required_argument, NULL, OPT_VALUE },
	{ "bpffs", required_argument, NULL, OPT_VALUE },
	{ "interval", required_argument, NULL, OPT_VALUE },
	{ "unit", required_argument, NULL, OPT_VALUE },
	{ "watch", required_argument, NULL, OPT_VALUE },
	{ "service", required_argument, NULL, OPT_VALUE },
	{ "map-entries", required_argument, NULL, OPT_VALUE },
	{ "cache-slots", required_argument, NULL, OPT_VALUE },
	{ 0 },
};

struct parsed {
	struct daemon_options *o;
	const char *config;
	bool unpin;
};

static int take_option(struct parsed *p, int opt, int index)
{
	int r;

	switch (opt) {
	case OPT_CONFIG:
		p->config = optarg;
		return 0;
	case OPT_NO_PIN:
		p->o->no_pin = true;
		return 0;
	case OPT_UNPIN:
		p->unpin = true;
		return 0;
	case OPT_PORTABLE:
		p->o->portable = true;
		return 0;
	case 'v':
		log_set_level(LOG_LEVEL_DEBUG);
		return 0;
	case OPT_VALUE:
		r = daemon_option(p->o, options[index].name, optarg);
		if (r < 0)
			log_err("--%s: \"%s\" is not a value for it", options[index].name, optarg);
		return r;
	default:
		return -EINVAL;
	}
}

/* The file first, so that options override it: two passes over the arguments. */
static int find_config(int argc, char **argv, const char **ret)
{
	int opt;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1)
		if (opt == OPT_CONFIG)
			*ret = optarg;
	opterr = 1;
	optind = 1;
	return 0;
}

static int read_config(struct daemon_options *o, const char *path)
{
	int r = daemon_config(o, path ? path : DAEMON_CONFIG);

	if (r == -ENOENT && !path)
		return 0;
	if (r == -ENOENT)
		log_err("%s: no such file", path);
	return r;
}

static int run_daemon(int argc, char **argv)
{
	_options_ struct daemon_options o = {
		.interval_ms = DAEMON_INTERVAL_MS,
		.unit_s = DAEMON_UNIT_S,
		.state = strdup(DEFAULT_STATE_DIR),
	};
	struct parsed p = { .o = &o };
	int opt, index = 0;

	(void)find_config(argc, argv, &p.config);
	if (read_config(&o, p.config) < 0)
		return EXIT_USAGE;
	while ((opt = getopt_long(argc, argv, "v", options, &index)) != -1)
		if (take_option(&p, opt, index) < 0)
			return EXIT_USAGE;
	if (optind < argc) {
		log_err("\"%s\": the daemon takes no arguments", argv[optind]);
		return EXIT_USAGE;
	}
	if (p.unpin)
		return bpffs_clear(o.bpffs) < 0 ? EXIT_FAIL : EXIT_OK;
	return daemon_run(&o);
}

const struct cmd cmd_daemon = {
	.name = "daemon",
	.args = "[--state DIR] [--interval SEC] [--unit SEC] [--bpffs DIR] [--no-pin | --unpin]\n"
		"              [--watch PATTERN]... [--service NAME]... [--config FILE]\n"
		"              [--map-entries N] [--portable] [--verbose]",
	.help = "observe this host's containers, in the foreground",
	.run = run_daemon,
};
