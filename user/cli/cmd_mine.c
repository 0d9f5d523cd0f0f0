/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/duration.h"
#include "cli/mine_job.h"
#include "cli/mine_tests.h"
#include "cli/options.h"
#include "cli/places.h"
#include "emit/emit.h"
#include "mine/stop.h"

#define TIME_S	     300
#define TEST_S	     60
#define MINIMISE_S   600
#define READY_S	     60
#define START_MS     60000
#define CONFIRM	     3
#define EXIT_STOPPED 130

/* --- options -------------------------------------------------------------------------------- */

static int take_words(const char *text, struct oracle_argv *ret, const char *what)
{
	int r;

	oracle_argv_done(ret);
	r = oracle_argv_split(text, ret);
	if (r == 0 && !*ret->word[0])
		r = -EINVAL;
	if (r < 0)
		log_err("mine: --%s %s: not a command", what, text);
	return r;
}

static int take_podman(const char *text, void *ctx)
{
	return take_words(text, ctx, "podman");
}

static int take_ready_command(const char *text, void *ctx)
{
	return take_words(text, ctx, "ready-cmd");
}

static int take_podman_option(const char *text, void *ctx)
{
	int r = oracle_argv_add(ctx, text);

	return r < 0 ? log_err_errno(r, "mine: --podman-option") : 0;
}

static int take_port(const char *text, void *ctx)
{
	uint16_t *port = ctx;
	uint64_t value = 0;

	if (text_u64(text, UINT16_MAX, &value) < 0 || value == 0) {
		log_err("mine: --ready-port %s: not a port", text);
		return -EINVAL;
	}
	*port = (uint16_t)value;
	return 0;
}

static int take_duration(const char *text, void *ctx)
{
	int64_t seconds = 0;

	if (duration_parse(text, &seconds) < 0 || seconds == 0) {
		log_err("mine: \"%s\" is no length of time: 90s, 15m, 2h", text);
		return -EINVAL;
	}
	*(int64_t *)ctx = seconds;
	return 0;
}

static int take_tests(const char *text, void *ctx)
{
	return mine_tests_take(text, ctx);
}

/* The one thing that is mined, and the command behind it. */
static int check_target(struct mine_job *j, const struct arguments *args)
{
	bool named = j->container || j->unit;

	if (j->container && j->unit) {
		log_err("mine: --container and --unit are two things");
		return -EINVAL;
	}
	if (named && args->cnt > 0)
		return cmd_bad_argument(&cmd_mine, args->arg[0]) ? -EINVAL : 0;
	if (!named && args->cnt == 0)
		return cmd_bad_argument(&cmd_mine, NULL) ? -EINVAL : 0;
	if (!named) {
		j->image = args->arg[0];
		j->command = (const char *const *)args->arg + 1;
	}
	return 0;
}

static int check_options(const struct mine_job *j)
{
	if (j->image && (*j->image == '-' || !*j->image)) {
		log_err("mine: \"%s\" is no image", j->image);
		return -EINVAL;
	}
	if (j->container && (*j->container == '-' || !*j->container)) {
		log_err("mine: \"%s\" is no container", j->container);
		return -EINVAL;
	}
	if (j->unit && j->options.cnt > 0) {
		log_err("mine: --podman-option doesn't go with --unit");
		return -EINVAL;
	}
	if (j->unit && j->minimise && j->tests.cnt == 0) {
		log_err("mine: --minimize of a unit, which is no copy, needs --tests of yours");
		return -EINVAL;
	}
	return 0;
}

const char *mine_job_target(const struct mine_job *j)
{
	return j->image ?: j->container ?: j->unit;
}

/* --- opening -------------------------------------------------------------------------------- */

static int open_base(struct mine_job *j)
{
	_free_ char *why = NULL;
	unsigned unknown = 0;
	int r;

	if (!j->base)
		return 0;
	r = oci_read(j->base, NULL, &j->base_filter, &unknown, &why);
	if (r < 0)
		log_err("%s: %s", j->base, why ?: strerror(-r));
	return r;
}

static int open_store(struct mine_job *j)
{
	int r = store_open(j->state ?: DEFAULT_STATE_DIR, STORE_WRITE, &j->store);

	if (r < 0)
		log_err("%s: %s", j->state ?: DEFAULT_STATE_DIR, store_error(NULL));
	return r;
}

static int open_target(struct mine_job *j)
{
	const struct target_options o = {
		.kind = j->unit	       ? TARGET_UNIT
			: j->container ? TARGET_CONTAINER
				       : TARGET_IMAGE,
		.name = mine_job_target(j),
		.options = (const char *const *)j->options.word,
		.command = j->command,
		.podman = (const char *const *)j->podman.word,
		.runtime = j->runtime,
		.stop_fd = j->stop_fd,
		.limit_ms = START_MS,
	};
	_free_ char *why = NULL;
	int r = target_new(&o, &j->target, &why);

	if (r < 0 && r != -EINTR)
		log_err("%s: %s", o.name, why ?: strerror(-r));
	return r;
}

static int open_all(struct mine_job *j)
{
	int r;

	if (geteuid() != 0) {
		log_err("not root: mining needs CAP_BPF and CAP_PERFMON, and podman's containers");
		return -EPERM;
	}
	r = open_base(j);
	if (r == 0)
		r = places_output(j->output);
	if (r == 0)
		r = places_output(j->report);
	if (r == 0)
		r = places_cgroup2(&j->mount);
	if (r == 0)
		r = open_store(j);
	return r < 0 ? r : open_target(j);
}

/* --- the run -------------------------------------------------------------------------------- */

static int run_job(struct mine_job *j)
{
	const struct mine_options o = {
		.names = { mine_job_target(j), j->digest },
		.target = j->target,
		.store = j->store,
		.mount = j->mount,
		.tests = &j->tests,
		.explorations = &j->explorations,
		.ready = j->ready,
		.test_limit_ms = j->test_limit_s * 1000,
		.limit_ms = j->limit_s * 1000,
		.stop_fd = j->stop_fd,
		.compose = mine_policy_compose,
		.learned = mine_policy_learned,
		.progress = mine_progress,
		.minimise = j->minimise,
		.minimise_limit_ms = j->minimise_limit_s * 1000,
		.confirm = CONFIRM,
		.arg = j,
	};
	_free_ char *why = NULL;
	int r = mine_run(&o, &j->result), cleaned;

	mine_progress_end();
	if (r < 0 && r != -EINTR)
		log_err("%s: %s", mine_job_target(j), j->result.why ?: strerror(-r));
	cleaned = target_clean(j->target, &why);
	if (cleaned < 0)
		log_err("%s: %s", mine_job_target(j), why ?: strerror(-cleaned));
	return r < 0 ? r : cleaned;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void say_stopped(const struct mine_job *j)
{
	const struct store_row *row = &j->result.row;

	if (row->key)
		log_err("stopped; what was learned of %s so far is in the store", row->key);
	else
		log_err("stopped before anything was learned");
}

static int mine(struct mine_job *j)
{
	bool fine = false;
	int r = open_all(j);

	if (r == 0)
		r = run_job(j);
	if (r == -EINTR) {
		mine_progress_end();
		if (j->result.run.id)
			(void)mine_put(j, true, &fine);
		say_stopped(j);
		return EXIT_STOPPED;
	}
	if (j->result.run.id && mine_put(j, false, &fine) < 0)
		return EXIT_FAIL;
	return r < 0 || !fine ? EXIT_FAIL : EXIT_OK;
}

static void job_done(struct mine_job *j)
{
	target_free(j->target);
	mine_result_done(&j->result);
	store_close(j->store);
	mine_tests_done(&j->tests);
	explorations_done(&j->explorations);
	oracle_argv_done(&j->podman);
	oracle_argv_done(&j->options);
	oracle_argv_done(&j->ready_command);
	filter_free(j->mined);
	filter_free(j->base_filter);
	free(j->mount);
	free(j->digest);
}

static int show_help(void)
{
	printf("usage: tamis %s %s\n\n", cmd_mine.name, cmd_mine.args);
	puts("  --container NAME          a container that is there: its twin is mined\n"
	     "  --unit NAME               a unit, restarted where it is\n"
	     "  --tests DIR|COMMAND       a directory of executables, or one command; may be\n"
	     "                            repeated. Default: explorations for that kind of "
	     "service\n"
	     "  --explore DIR             explorations of your own beside those\n"
	     "  --time 5m                 of each phase; tests that don't fit are said\n"
	     "  --test-time 60s           of a single test\n"
	     "  -o FILE                   the policy: an OCI profile, of a unit a drop-in\n"
	     "  --report FILE             the whole run as one HTML file\n"
	     "  --json                    the whole run as JSON\n"
	     "  --fail-if-wider FILE      exit 1 when the policy lets more through than this one\n"
	     "  --allow CALL              a guarded call that it may make\n"
	     "  --minimize                then try without each call; --minimize-time 10m\n"
	     "  --ready-port PORT, --ready-log REGEX, --ready-cmd COMMAND\n"
	     "                            when it may be tested; within --ready-time 60s\n"
	     "  --podman-option OPTION    of podman create, a word each\n"
	     "  --podman \"podman ...\"     podman with options of its own\n"
	     "  --runtime NAME            podman's; --state DIR: default " DEFAULT_STATE_DIR);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	__attribute__((cleanup(job_done))) struct mine_job j = {
		.limit_s = TIME_S,
		.test_limit_s = TEST_S,
		.minimise_limit_s = MINIMISE_S,
		.ready_limit_s = READY_S,
		.stop_fd = -1,
	};
	const struct option_row options[] = {
		{ "container", .text = &j.container },
		{ "unit", .text = &j.unit },
		{ "tests", .take = take_tests, .ctx = &j.tests },
		{ "explore", .text = &j.explore },
		{ "time", .take = take_duration, .ctx = &j.limit_s },
		{ "test-time", .take = take_duration, .ctx = &j.test_limit_s },
		{ "output", 'o', .text = &j.output },
		{ "report", .text = &j.report },
		{ "fail-if-wider", .text = &j.base },
		{ "allow", .take = allowed_take, .ctx = &j.allowed },
		{ "minimize", .flag = &j.minimise },
		{ "minimize-time", .take = take_duration, .ctx = &j.minimise_limit_s },
		{ "ready-port", .take = take_port, .ctx = &j.ready.port },
		{ "ready-log", .text = &j.ready.log_line },
		{ "ready-cmd", .take = take_ready_command, .ctx = &j.ready_command },
		{ "ready-time", .take = take_duration, .ctx = &j.ready_limit_s },
		{ "podman-option", .take = take_podman_option, .ctx = &j.options },
		{ "podman", .take = take_podman, .ctx = &j.podman },
		{ "runtime", .text = &j.runtime },
		OPTION_JSON(&j.json),
		OPTION_STATE(&j.state),
		{ 0 },
	};
	struct arguments args = { .min = 0, .max = -1 };

	if (options_parse(&cmd_mine, options, argc, argv, &args) != EXIT_OK ||
	    check_target(&j, &args) < 0 || check_options(&j) < 0 || mine_tests_check(&j) < 0)
		return EXIT_USAGE;
	j.ready.limit_ms = j.ready_limit_s * 1000;
	j.ready.command = (const char *const *)j.ready_command.word;
	j.stop_fd = stop_watch();
	if (j.stop_fd < 0) {
		log_err_errno(j.stop_fd, "can't watch for signals");
		return EXIT_FAIL;
	}
	return mine(&j);
}

const struct cmd cmd_mine = {
	.name = "mine",
	.args = "IMAGE|--container NAME|--unit NAME [--tests DIR|COMMAND]... [OPTION]... "
		"[-- COMMAND [ARGUMENT]...]",
	.help = "run a service's tests, write the policy they need, run them under it",
	.run = run,
	.show_help = show_help,
};
