/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "base/log.h"
#include "cli/applying.h"
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/options.h"

static int release(const char *state, const char *config, const char *name)
{
	_applying_ struct applying a = { 0 };
	const struct store_applied none = { .mode = MODE_OBSERVE, .since = time(NULL) };
	struct store_applied was;
	int r = applying_open(state, config, name, &a);

	if (r < 0)
		return EXIT_FAIL;
	r = store_applied_get(a.store, a.row.id, &was);
	if (r < 0)
		return lookup_failed(a.store, r), EXIT_FAIL;
	/* Also where nothing is applied: a file that is there all the same goes. */
	if (applying_commit(&a, &none) < 0)
		return EXIT_FAIL;
	if (was.mode == MODE_OBSERVE)
		printf("%s: nothing was applied to it\n", a.row.key);
	else
		printf("%s: released from generation %u; under the engine's own profile when %s "
		       "next starts\n",
		       a.row.key, was.generation, a.shown);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *state = DEFAULT_STATE_DIR, *config = DAEMON_CONFIG;
	const struct option_row options[] = {
		{ "config", .text = &config },
		OPTION_STATE(&state),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_release, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return release(state, config, args.arg[0]);
}

const struct cmd cmd_release = {
	.name = "release",
	.args = "WORKLOAD [--config FILE] [--state DIR]",
	.help = "apply nothing to a workload: back to the engine's own profile",
	.run = run,
};
