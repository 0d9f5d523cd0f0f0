/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/applying.h"
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/oracle_config.h"
#include "cli/oracle_show.h"
#include "cli/oracle_wanted.h"

struct oracle_cmd {
	const char *state, *config;
	const char *hardened, *replay, *container, *unit;
	struct oracle_wanted wanted;
	bool stop, json;
};

/* --- begin ------------------------------------------------------------------------------------- */

static char *production_of(const struct oracle_cmd *o, const struct store_row *row)
{
	if (o->container)
		return text_format("container:%s", o->container);
	if (o->unit)
		return text_format("unit:%s%s", o->unit, strchr(o->unit, '.') ? "" : ".service");
	return oracle_wanted_production(row);
}

/* Its twin may be in production's place now. */
static int check_idle(struct applying *a)
{
	_oracle_ struct store_oracle now = { 0 };
	int r = store_oracle_get(a->store, a->row.id, &now);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return lookup_failed(a->store, r);
	if (now.by_rule) {
		log_err("%s: its oracle is a rule's of the configuration", a->row.key);
		return -EEXIST;
	}
	if (now.state == ORACLE_WATCH || now.state == ORACLE_REST)
		return 0;
	log_err("%s: a loop is under way (%s): try again when production is back", a->row.key,
		oracle_state_name(now.state));
	return -EBUSY;
}

static int check(const struct oracle_cmd *o, struct applying *a, const char *production)
{
	_free_ char *why = oracle_wanted_refuses(&a->row, production, o->hardened);
	int r = why ? 0 : check_idle(a);

	if (r < 0)
		return r;
	if (!why)
		why = oracle_wanted_asks(o->state, &a->row, production);
	if (!why)
		return 0;
	log_err("%s: no oracle: %s", a->row.key, why);
	return -EPERM;
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(const struct oracle_cmd *o, const struct applying *a,
		const struct store_applied *is)
{
	printf("%s: generation %" PRIu32 ", %s: in force as soon as the daemon has started it "
	       "again\n",
	       a->row.key, is->generation,
	       o->wanted.bootstrap ? "what was observed" : "where nothing is learned yet");
	printf("refused calls are tried in %s for %" PRIu32 " s each, at most %" PRIu32
	       " times an hour\n",
	       o->wanted.is_image ? "a twin of the hardened image" : "a twin of that command",
	       o->wanted.window_s, o->wanted.per_hour);
}

static int begin(struct oracle_cmd *o, const char *name)
{
	_applying_ struct applying a = { 0 };
	_free_ char *production = NULL;
	struct store_applied is;
	int r = applying_open(o->state, o->config, name, &a);

	if (r < 0)
		return r;
	production = production_of(o, &a.row);
	r = check(o, &a, production);
	if (r < 0)
		return r;
	o->wanted.production = production;
	o->wanted.hardened = o->hardened;
	o->wanted.replay = o->replay;
	o->wanted.is_image = !oracle_is_command(o->hardened);
	r = oracle_begin(a.store, &a.row, &o->wanted, now_ms(), &is);
	if (r < 0)
		return lookup_failed(a.store, r);
	r = applying_commit(&a, &is);
	if (r == 0)
		say(o, &a, &is);
	return r;
}

/* --- end --------------------------------------------------------------------------------------- */

/* The daemon takes the row away when production is back; 1: it is under way. */
static int end_row(struct store *s, struct store_oracle *o)
{
	int r;

	if (o->state == ORACLE_WATCH || o->state == ORACLE_REST)
		return store_oracle_remove(s, o->workload);
	o->per_hour = 0;
	r = store_oracle_set(s, o);
	return r < 0 ? r : 1;
}

static int end(const struct oracle_cmd *o, const char *name)
{
	_cleanup_(store_close) struct store *s = NULL;
	_oracle_ struct store_oracle now = { 0 };
	_row_ struct store_row row = { 0 };
	int r = lookup_open(o->state, STORE_EDIT, &s), how;

	if (r == 0)
		r = lookup_workload(s, name, &row);
	if (r < 0)
		return r;
	r = store_oracle_get(s, row.id, &now);
	if (r == -ENOENT || (r == 0 && now.by_rule)) {
		log_err("%s %s", row.key,
			r ? "has no oracle" : "has its oracle by a rule of the configuration");
		return -ENOENT;
	}
	how = r == 0 ? end_row(s, &now) : r;
	if (how < 0)
		return lookup_failed(s, how);
	r = lookup_commit(s);
	if (r == 0)
		printf("%s: its oracle %s; it goes on under generation %" PRIu32 "\n", row.key,
		       how ? "ends when production is back" : "is gone", row.generation);
	return r;
}

/* ------------------------------------------------------------------------------------------------ */

static int show(const struct oracle_cmd *o, const char *name)
{
	_cleanup_(store_close) struct store *s = NULL;
	_row_ struct store_row row = { 0 };
	int r = lookup_open(o->state, STORE_READ, &s);

	if (r == 0 && name)
		r = lookup_workload(s, name, &row);
	if (r < 0)
		return r;
	return o->json ? oracle_show_json(s, name ? &row : NULL)
		       : oracle_show(s, name ? &row : NULL);
}

static int take_window(const char *value, void *ctx)
{
	int r = oracle_config_window(value, ctx);

	if (r < 0)
		log_err("oracle: \"%s\" is no window: 1s to 1h", value);
	return r;
}

static int take_per_hour(const char *value, void *ctx)
{
	int r = oracle_config_per_hour(value, ctx);

	if (r < 0)
		log_err("oracle: \"%s\" is no number of loops an hour: 1 to %d", value,
			ORACLE_PER_HOUR_MAX);
	return r;
}

static int bad(const char *what)
{
	log_err("oracle: %s; see 'tamis oracle --help'", what);
	return EXIT_USAGE;
}

static int check_options(const struct oracle_cmd *o, const struct arguments *args)
{
	bool details = o->replay || o->container || o->unit || o->wanted.bootstrap;

	if ((o->hardened || o->stop) && args->cnt == 0)
		return bad("a workload is missing");
	if (o->hardened && (o->stop || o->json))
		return bad("--hardened begins one: neither --stop nor --json goes with it");
	if (o->container && o->unit)
		return bad("--container or --unit, not both");
	if (o->hardened && !o->hardened[strspn(o->hardened, " \t")])
		return bad("--hardened names an image, or a command");
	if (details && !o->hardened)
		return bad("--hardened IMAGE|CMD is missing");
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct oracle_cmd o = {
		.state = DEFAULT_STATE_DIR,
		.config = DAEMON_CONFIG,
		.wanted = { .window_s = ORACLE_WINDOW_S, .per_hour = ORACLE_PER_HOUR },
	};
	const struct option_row options[] = {
		{ "hardened", .text = &o.hardened },
		{ "window", .take = take_window, .ctx = &o.wanted.window_s },
		{ "container", .text = &o.container },
		{ "unit", .text = &o.unit },
		{ "bootstrap", .flag = &o.wanted.bootstrap },
		{ "replay", .text = &o.replay },
		{ "per-hour", .take = take_per_hour, .ctx = &o.wanted.per_hour },
		{ "stop", .flag = &o.stop },
		OPTION_JSON(&o.json),
		{ "config", .text = &o.config },
		OPTION_STATE(&o.state),
		{ 0 },
	};
	struct arguments args = { .min = 0, .max = 1 };
	int r;

	if (options_parse(&cmd_oracle, options, argc, argv, &args) != EXIT_OK ||
	    check_options(&o, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (o.hardened)
		r = begin(&o, args.arg[0]);
	else if (o.stop)
		r = end(&o, args.arg[0]);
	else
		r = show(&o, args.cnt ? args.arg[0] : NULL);
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

const struct cmd cmd_oracle = {
	.name = "oracle",
	.args = "[WORKLOAD] [--hardened IMAGE|CMD] [--window DURATION] [--container NAME] "
		"[--unit NAME] [--bootstrap] [--replay CMD] [--per-hour N] [--stop] [--json] "
		"[--config FILE] [--state DIR]",
	.help = "let a hardened twin decide on refused calls, or show what it said",
	.run = run,
};
