/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/stream.h"
#include "base/text.h"
#include "cli/call_name.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "model/calls.h"

static bool was_seen(const struct learned *l, unsigned abi, int nr)
{
	for (unsigned stage = 0; nr >= 0 && stage < TAMIS_STAGE_MAX; stage++) {
		if (sysset_has(&l->set[stage][abi], (unsigned)nr))
			return true;
	}
	return false;
}

/* Writes what was forgotten to `f`, ", " between. */
static int forget_seen(struct store *s, int64_t workload, const struct call_name *call, FILE *f)
{
	char name[CALLS_NAME_MAX];
	struct learned l;
	int r = store_learned(s, workload, &l), cnt = 0;

	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		if (!was_seen(&l, abi, call->nr[abi]))
			continue;
		r = store_forget_call(s, workload, abi, (uint32_t)call->nr[abi]);
		fprintf(f, "%s%s %s", cnt++ ? ", " : "", abi_name(abi),
			calls_print(abi, (unsigned)call->nr[abi], name));
	}
	return r == 0 && cnt == 0 ? -ENOENT : r;
}

static int forget_call(struct store *s, const struct store_row *row, const struct call_name *call,
		       char **ret_what)
{
	_free_ char *what = NULL;
	size_t len = 0;
	FILE *f = stream_open(&what, &len);
	int r = f ? forget_seen(s, row->id, call, f) : -ENOMEM;

	if (f && fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r == -ENOENT)
		log_err("%s: %s was never seen", row->key, call->text);
	else if (r < 0)
		lookup_failed(s, r);
	else
		*ret_what = TAKE_PTR(what);
	return r;
}

static void say(const struct store_row *row, const char *call, bool running)
{
	fputs("forgot ", stdout);
	if (call)
		printf("%s of ", call);
	text_escape(stdout, row->key, SIZE_MAX);
	if (running && call)
		fputs("; it still runs: learned again when it is called from the next sampling "
		      "unit on",
		      stdout);
	else if (running)
		fputs("; it still runs: learned again from now on, partial until its next start",
		      stdout);
	putchar('\n');
}

static int forget(const char *dir, const char *name, const struct call_name *call)
{
	_cleanup_(store_close) struct store *s = NULL;
	_row_ struct store_row row = { 0 };
	_free_ char *what = NULL;
	bool running;
	int r;

	if (lookup_open(dir, STORE_EDIT, &s) < 0 || lookup_workload(s, name, &row) < 0)
		return EXIT_FAIL;
	running = row.running;
	if (call) {
		r = forget_call(s, &row, call, &what);
	} else {
		r = store_forget(s, row.id, &running);
		if (r == -EBUSY && row.mode != MODE_OBSERVE)
			log_err("%s: generation %" PRIu32 " is applied; 'tamis release %s' first",
				row.key, row.generation, row.key);
		else if (r == -EBUSY)
			log_err("%s: an oracle decides on its calls; 'tamis oracle %s --stop' "
				"first",
				row.key, row.key);
		else if (r < 0)
			lookup_failed(s, r);
	}
	if (r < 0 || lookup_commit(s) < 0)
		return EXIT_FAIL;
	say(&row, what, running);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *dir = DEFAULT_STATE_DIR;
	const struct option_row options[] = { OPTION_STATE(&dir), { 0 } };
	struct arguments args = { .min = 1, .max = 2 };
	struct call_name call;

	if (options_parse(&cmd_forget, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (args.cnt == 2 && call_name_parse(args.arg[1], &call) < 0)
		return EXIT_FAIL;
	return forget(dir, args.arg[0], args.cnt == 2 ? &call : NULL);
}

const struct cmd cmd_forget = {
	.name = "forget",
	.args = "WORKLOAD [CALL] [--state DIR]",
	.help = "forget a workload, or one call of it: NAME, ABI:NAME or ABI:#NUMBER",
	.run = run,
};
