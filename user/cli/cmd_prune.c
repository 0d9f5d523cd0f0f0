/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/duration.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/print.h"

#define DAY 86400

struct prune_options {
	const char *dir;
	int64_t gone_for, fold_after; /* seconds; negative: never */
	bool dry_run, json;
};

/* Keys of the workloads that go: shown once it is certain. */
struct going {
	json_t *keys;
	bool failed;
};

static void add_key(void *ctx, const char *key)
{
	struct going *g = ctx;

	g->failed |= json_array_append_new(g->keys, print_json_text(key)) < 0;
}

static int print_lines(const struct prune_options *o, const json_t *keys,
		       const struct store_pruned *p)
{
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key)
	{
		text_escape(stdout, json_string_value(key), SIZE_MAX);
		putchar('\n');
	}
	printf("%" PRIu64 " workload%s and %" PRIu64 " sampling unit%s %s\n", p->workloads,
	       p->workloads == 1 ? "" : "s", p->units, p->units == 1 ? "" : "s",
	       o->dry_run ? "would go" : "went");
	return 0;
}

static int print_result(const struct prune_options *o, json_t *keys, const struct store_pruned *p)
{
	if (!o->json)
		return print_lines(o, keys, p);
	return print_json(json_pack("{s:i, s:b, s:O, s:I}", "version", 1, "dry_run", o->dry_run,
				    "workloads", keys, "units", (json_int_t)p->units),
			  stdout);
}

/* "For that long" includes this very second; 0 is never. */
static int64_t before(int64_t now, int64_t seconds)
{
	return seconds < 0 || seconds > now ? 0 : now - seconds + 1;
}

static int prune(const struct prune_options *o)
{
	_cleanup_(json_decref) json_t *keys = json_array();
	_cleanup_(store_close) struct store *s = NULL;
	struct going going = { .keys = keys };
	struct store_pruned pruned = { 0 };
	int64_t now = time(NULL);
	const struct store_prune what = {
		.gone_before = before(now, o->gone_for),
		.fold_before = before(now, o->fold_after),
	};
	int r;

	if (lookup_open(o->dir, STORE_EDIT, &s) < 0)
		return EXIT_FAIL;
	r = store_prune(s, &what, add_key, &going, &pruned);
	if (r == 0 && going.failed)
		r = -ENOMEM;
	if (r < 0)
		(void)lookup_failed(s, r);
	else if (o->dry_run)
		store_rollback(s);
	else
		r = lookup_commit(s);
	if (r < 0)
		return EXIT_FAIL;
	r = print_result(o, keys, &pruned);
	if (r < 0)
		(void)log_err_errno(r, "prune");
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int take_duration(const char *text, void *ctx)
{
	int64_t *seconds = ctx;

	if (strcmp(text, "never") == 0) {
		*seconds = -1;
		return 0;
	}
	if (duration_parse(text, seconds) == 0)
		return 0;
	log_err("prune: \"%s\" is no duration such as 12h, 30d, 8w or never", text);
	return -EINVAL;
}

static int run(int argc, char **argv)
{
	struct prune_options o = {
		.dir = DEFAULT_STATE_DIR,
		.gone_for = 30 * DAY,
		.fold_after = 7 * DAY,
	};
	const struct option_row options[] = {
		{ "gone-for", .take = take_duration, .ctx = &o.gone_for },
		{ "fold-after", .take = take_duration, .ctx = &o.fold_after },
		{ "dry-run", .flag = &o.dry_run },
		OPTION_JSON(&o.json),
		OPTION_STATE(&o.dir),
		{ 0 },
	};
	struct arguments args = { .max = 0 };

	if (options_parse(&cmd_prune, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return prune(&o);
}

const struct cmd cmd_prune = {
	.name = "prune",
	.args = "[--gone-for 30d] [--fold-after 7d] [--dry-run] [--json] [--state DIR]",
	.help = "remove workloads that are long gone, make old sampling units one a day",
	.run = run,
};
