/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/bpffs.h"
#include "cli/cmd.h"
#include "cli/daemon.h"

#define _options_ __attribute__((cleanup(daemon_options_donep)))

enum { OPT_CONFIG = 256, OPT_NO_PIN, OPT_UNPIN, OPT_PORTABLE, OPT_LEGACY, OPT_DENIALS, OPT_VALUE };

/* From OPT_VALUE on: options that are configuration keys too, by their own name. */
static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "no-pin", no_argument, NULL, OPT_NO_PIN },
	{ "unpin", no_argument, NULL, OPT_UNPIN },
	{ "portable", no_argument, NULL, OPT_PORTABLE },
	{ "legacy", no_argument, NULL, OPT_LEGACY },
	{ "watch-denials", no_argument, NULL, OPT_DENIALS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "state", required_argument, NULL, OPT_VALUE },
	{ "bpffs", required_argument, NULL, OPT_VALUE },
	{ "interval", required_argument, NULL, OPT_VALUE },
	{ "unit", required_argument, NULL, OPT_VALUE },
	{ "duty", required_argument, NULL, OPT_VALUE },
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
	case OPT_LEGACY:
		p->o->legacy = true;
		return 0;
	case OPT_DENIALS:
		p->o->watch_denials = true;
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
static void find_config(int argc, char **argv, const char **ret)
{
	int opt;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, ":v", options, NULL)) != -1)
		if (opt == OPT_CONFIG)
			*ret = optarg;
	optind = 1;
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
		.fold_s = DAEMON_FOLD_S,
		.state = strdup(DEFAULT_STATE_DIR),
	};
	struct parsed p = { .o = &o };
	int opt, index = 0;

	/* oracles' twins are workloads of their own */
	if (daemon_option(&o, "watch", "*/" ORACLE_TWIN_PREFIX "*.service") < 0)
		return EXIT_FAIL;
	find_config(argc, argv, &p.config);
	if (read_config(&o, p.config) < 0)
		return EXIT_USAGE;
	while ((opt = getopt_long(argc, argv, ":v", options, &index)) != -1) {
		if (opt == ':' || opt == '?')
			return cmd_bad_option(&cmd_daemon, opt, argv);
		if (take_option(&p, opt, index) < 0)
			return EXIT_USAGE;
	}
	if (optind < argc)
		return cmd_bad_argument(&cmd_daemon, argv[optind]);
	if (p.unpin)
		return bpffs_clear(o.bpffs) < 0 ? EXIT_FAIL : EXIT_OK;
	return daemon_run(&o);
}

static int show_help(void)
{
	printf("usage: tamis %s %s\n\n%s\n\n", cmd_daemon.name, cmd_daemon.args, cmd_daemon.help);
	puts("  --state DIR        where what is learned is kept; default: " DEFAULT_STATE_DIR "\n"
	     "  --interval SEC     between drains, 0.01 to 3600; default: 1\n"
	     "  --unit SEC         a sampling unit, 1 to 86400; default: 60\n"
	     "  --watch PATTERN    cgroups to observe besides containers, by path; may be "
	     "repeated\n"
	     "  --service NAME     a systemd unit to observe; may be repeated\n"
	     "  --bpffs DIR        where programs and maps are pinned; default: /sys/fs/bpf/tamis\n"
	     "  --no-pin           pin nothing: what is called while no daemon runs is lost\n"
	     "  --unpin            take what is pinned out of the kernel, and end\n"
	     "  --map-entries N    sets (cgroup, ABI, stage) that the kernel has room for\n"
	     "  --watch-denials    count refused calls that get an errno, too (costs: a program "
	     "on each\n"
	     "                     call's return); deaths by SIGSYS are always counted\n"
	     "  --duty PERCENT     while all that runs is known well, watch in samples: so much of "
	     "the "
	     "time\n"
	     "                     at the least; or on, off; default: off\n"
	     "  --config FILE      options as an ini file; default: " DAEMON_CONFIG "\n"
	     "  --portable         don't try the faster way into the programs\n"
	     "  --legacy           the programs for kernels before 5.12, whatever this one is\n"
	     "  -v, --verbose      say more");
	return EXIT_OK;
}

const struct cmd cmd_daemon = {
	.name = "daemon",
	.args = "[OPTION]...",
	.help = "observe this host's containers, in the foreground",
	.run = run_daemon,
	.show_help = show_help,
};
