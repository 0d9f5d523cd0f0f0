/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/allowed.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/places.h"
#include "cli/policy_load.h"
#include "cli/render.h"
#include "learn/recording.h"

struct record {
	struct render render;
	struct policy_options policy;
	struct allowed allowed;
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

static void warn_caveat(void *ctx, const char *line)
{
	log_warn("%s: %s", (const char *)ctx, line);
}

static int emit_recording(const struct record *c, struct recording *rec)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *runtimes = NULL;
	struct policy_calls calls = { 0 };
	struct evidence evidence;
	struct policy p = {
		.workload = c->argv[0],
		.engine = "record",
		.evidence = &evidence,
	};
	int r = recording_read(rec, &calls.learned, &evidence, &p.origin, &p.origin_cnt);

	if (r < 0)
		return log_err_errno(r, "can't read what was seen");
	allowed_say(&c->allowed, &calls);
	r = policy_sift(&c->policy, &calls);
	if (r == 0)
		r = policy_compose(&c->policy, NULL, &calls.learned, &filter, &runtimes);
	if (r < 0)
		return r;
	policy_borrow(&calls, &p);
	p.filter = filter;
	p.runtimes = runtimes;
	r = render_policy(&c->render, &p);
	if (r == 0)
		(void)emit_caveats(&p, warn_caveat, c->argv[0]);
	return r;
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
	if (places_output(c->render.output) < 0 || places_cgroup2(&mount) < 0 ||
	    open_sensor(&sensor) < 0)
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

static int run(int argc, char **argv)
{
	struct record c = { .render.format = emit_find("oci") };
	const struct option_row options[] = {
		{ "output", 'o', .text = &c.render.output },
		{ "format", 'f', .take = render_take_format, .ctx = &c.render },
		{ "runtime", .take = policy_take_runtime, .ctx = &c.policy },
		{ "allow", .take = allowed_take, .ctx = &c.allowed },
		{ "stop", .flag = &c.stop },
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = -1, .own_options = true };

	if (options_parse(&cmd_record, options, argc, argv, &args) != EXIT_OK ||
	    render_check(&c.render) < 0)
		return EXIT_USAGE;
	c.argv = args.arg;
	return record(&c);
}

const struct cmd cmd_record = {
	.name = "record",
	.args = "[-o FILE] [-f FORMAT] [--runtime NAME[@VERSION]]... [--allow CALL]... [--stop] -- "
		"COMMAND [ARGUMENT]...",
	.help = "run one command, write the policy it needs",
	.run = run,
};
