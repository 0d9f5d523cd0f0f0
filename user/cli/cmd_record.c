/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/policy_load.h"
#include "emit/emit.h"
#include "identity/cgroups.h"
#include "learn/recording.h"

struct record {
	const struct emit_format *format;
	const char *output; /* NULL: stdout */
	struct policy_options policy;
	bool stop;
	char **argv;
};

static int open_sensor(struct sensor **ret)
{
	struct sensor_options o = { 0 };
	_free_ char *why = NULL;
	int r = sensor_open(&o, ret, &why);

	if (r < 0)
		log_err("%s", why ? why : strerror(-r));
	return r;
}

static int find_mount(char **ret)
{
	int mode = cgroups_find(ret);

	if (mode < 0)
		return log_err_errno(mode, "can't read /proc/self/mountinfo");
	if (mode == CGROUPS_V1) {
		log_err("no cgroup v2 hierarchy is mounted (mount -t cgroup2 none DIR makes one)");
		return -ENOTSUP;
	}
	return 0;
}

/* Opened before anything is run: a file that can't be written is said at once. */
static int check_output(const char *path)
{
	_free_ char *dir = NULL;
	char *slash;

	if (!path)
		return 0;
	dir = strdup(path);
	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	if (access(slash ? dir : ".", W_OK) < 0)
		return log_err_errno(-errno, "%s", path);
	return 0;
}

static int write_policy(const struct record *c, const struct policy *p)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct emit_options eo = { 0 };
	int r;

	if (!f)
		return -ENOMEM;
	r = c->format->write(p, &eo, f);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (c->output)
		return file_write_atomic(c->output, text, len, 0644);
	return fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : -errno;
}

static int emit_recording(const struct record *c, struct recording *rec)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *runtimes = NULL;
	struct learned learned;
	struct evidence evidence;
	struct policy p = {
		.workload = c->argv[0],
		.engine = "record",
		.learned = &learned,
		.evidence = &evidence,
	};
	int r = recording_read(rec, &learned, &evidence, &p.origin, &p.origin_cnt);

	if (r < 0)
		return log_err_errno(r, "can't read what was seen");
	r = policy_compose(&c->policy, NULL, &learned, &filter, &runtimes);
	if (r < 0)
		return r;
	p.filter = filter;
	p.runtimes = runtimes;
	r = write_policy(c, &p);
	return r < 0 ? log_err_errno(r, "%s", c->output ? c->output : "standard output") : 0;
}

static int run_command(const struct record *c, struct recording *rec, int *ret_status)
{
	int r = recording_go(rec);

	if (r >= 0 && c->stop)
		log_info("stopped %d, SIGCONT to go on", recording_pid(rec));
	if (r >= 0)
		r = recording_wait(rec, ret_status);
	if (r < 0)
		log_err_errno(r, "%s", c->argv[0]);
	if (r >= 0 && recording_left(rec))
		log_warn("%s left processes behind: what they do now isn't recorded", c->argv[0]);
	return r;
}

/* As a shell says it. */
static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int record(const struct record *c)
{
	/* the recording borrows the two before it: cleaned up in the other order */
	_free_ char *mount = NULL;
	_cleanup_(sensor_close) struct sensor *sensor = NULL;
	_cleanup_(recording_free) struct recording *rec = NULL;
	struct recording_options o = { .stop = c->stop };
	int status = 0, r;

	if (geteuid() != 0) {
		log_err("not root: recording needs CAP_BPF, CAP_PERFMON and a cgroup of its own");
		return EXIT_FAIL;
	}
	if (check_output(c->output) < 0 || find_mount(&mount) < 0 || open_sensor(&sensor) < 0)
		return EXIT_FAIL;
	o.sensor = sensor;
	o.mount = mount;
	r = recording_new(&o, c->argv, &rec);
	if (r < 0) {
		log_err_errno(r, "can't make a cgroup below %s", mount);
		return EXIT_FAIL;
	}
	if (run_command(c, rec, &status) < 0 || emit_recording(c, rec) < 0)
		return EXIT_FAIL;
	return exit_code(status);
}

static int take_option(int opt, struct record *c)
{
	switch (opt) {
	case 'o':
		c->output = optarg;
		return 0;
	case 'f':
		c->format = emit_find(optarg);
		if (!c->format)
			log_err("unknown format \"%s\"", optarg);
		return c->format ? 0 : -EINVAL;
	case 'r':
		return policy_options_runtime(&c->policy, optarg);
	case 's':
		c->stop = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "format", required_argument, NULL, 'f' },
		{ "runtime", required_argument, NULL, 'r' },
		{ "stop", no_argument, NULL, 's' },
		{ 0 },
	};
	struct record c = { .format = emit_find("oci") };
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:o:f:", options, NULL)) != -1) {
		if (opt == ':' || opt == '?')
			return cmd_bad_option(&cmd_record, opt, argv);
		if (take_option(opt, &c) < 0)
			return EXIT_USAGE;
	}
	if (optind >= argc)
		return cmd_bad_argument(&cmd_record, NULL);
	if (!strcmp(c.format->name, "bpf") && !c.output && isatty(STDOUT_FILENO)) {
		log_err("a BPF program is not for a terminal; use -o FILE");
		return EXIT_USAGE;
	}
	c.argv = argv + optind;
	return record(&c);
}

const struct cmd cmd_record = {
	.name = "record",
	.args = "[-o FILE] [-f oci|text|names|bpf|pfc] [--runtime NAME[@VERSION]]... [--stop] -- "
		"COMMAND [ARGUMENT]...",
	.help = "run one command, write the policy it needs",
	.run = run,
};
