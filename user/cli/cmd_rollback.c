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

/* The generation to go back to: the one that was named, or the newest good one. */
static int choose(struct applying *a, const struct store_applied *was, uint32_t wanted,
		  struct generation *ret)
{
	uint32_t number = wanted;
	int r = wanted ? 0 : applying_newest_good(a, was->generation, &number);

	if (r < 0)
		return r;
	if (number == 0) {
		log_err("%s: no good generation before %" PRIu32
			"; 'tamis release' goes back to the engine's own profile",
			a->row.key, was->generation);
		return -ENOENT;
	}
	r = store_generation_get(a->store, a->row.id, number, ret);
	if (r == -ENOENT)
		log_err("%s: there is no generation %" PRIu32 "; 'tamis history' shows them",
			a->row.key, number);
	else if (r < 0)
		(void)lookup_failed(a->store, r);
	if (r < 0)
		return r;
	applying_judge(a->state, a->store, &a->row, a->config.trial_s, ret);
	if (ret->state != GENERATION_FAILED)
		return 0;
	log_err("%s: generation %" PRIu32 " failed: %s", a->row.key, number,
		ret->failed ?: "its workload didn't live under it");
	return -EINVAL;
}

static int go_back(struct applying *a, uint32_t wanted)
{
	static const char *const becomes[MODE_MAX] = {
		[MODE_SHADOW] = "in shadow",
		[MODE_ENFORCE] = "in force",
		[MODE_PROBATION] = "in probation",
	};
	_generation_ struct generation g = { 0 };
	struct store_applied is;
	uint32_t was;
	int r = store_applied_get(a->store, a->row.id, &is);

	if (r < 0)
		return lookup_failed(a->store, r);
	if (is.mode == MODE_OBSERVE) {
		log_err("%s: nothing is applied to it, so there is nothing to roll back",
			a->row.key);
		return -ENOENT;
	}
	r = choose(a, &is, wanted, &g);
	if (r < 0)
		return r;
	was = is.generation;
	is.generation = g.number;
	is.since = time(NULL);
	r = applying_newest_good(a, g.number, &is.good);
	if (r == 0)
		r = applying_commit(a, &is);
	if (r == 0)
		printf("%s: from generation %" PRIu32 " to %" PRIu32 " (%s); %s when %s next "
		       "starts\n",
		       a->row.key, was, g.number, generation_state_name(g.state), becomes[is.mode],
		       a->shown);
	return r;
}

static int run(int argc, char **argv)
{
	const char *state = DEFAULT_STATE_DIR, *config = DAEMON_CONFIG;
	const struct option_row options[] = {
		{ "config", .text = &config },
		OPTION_STATE(&state),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 2 };
	_applying_ struct applying a = { 0 };
	uint64_t wanted = 0;

	if (options_parse(&cmd_rollback, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (args.cnt == 2 && (text_u64(args.arg[1], UINT32_MAX, &wanted) < 0 || !wanted)) {
		log_err("rollback: \"%s\" is no generation's number", args.arg[1]);
		return EXIT_USAGE;
	}
	if (applying_open(state, config, args.arg[0], &a) < 0)
		return EXIT_FAIL;
	return go_back(&a, (uint32_t)wanted) < 0 ? EXIT_FAIL : EXIT_OK;
}

const struct cmd cmd_rollback = {
	.name = "rollback",
	.args = "WORKLOAD [GENERATION] [--config FILE] [--state DIR]",
	.help = "go back to the newest good generation before the one applied, or to one by number",
	.run = run,
};
