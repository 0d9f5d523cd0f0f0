/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/applying.h"
#include "cli/calls_text.h"
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/mined.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/refused.h"

#define LACKS_SHOWN 8
#define WHY_SHOWN   512

struct history {
	struct store_row row;
	struct store_applied is;
	struct generation *g; /* oldest first */
	size_t cnt;
	struct refused *refused; /* of each */
	struct mined mined;
};

static void history_done(struct history *h)
{
	for (size_t i = 0; i < h->cnt; i++) {
		generation_done(&h->g[i]);
		if (h->refused)
			refused_done(&h->refused[i]);
	}
	free(h->g);
	free(h->refused);
	mined_done(&h->mined);
	store_row_done(&h->row);
}
#define _history_ __attribute__((cleanup(history_done)))

static int load_each(struct store *s, const char *state, unsigned trial_s, struct history *h)
{
	int r = 0;

	h->refused = calloc(h->cnt + 1, sizeof(*h->refused));
	if (!h->refused)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < h->cnt; i++) {
		applying_judge(state, s, &h->row, trial_s, &h->g[i]);
		r = refused_load(s, h->row.id, &h->g[i], &h->refused[i]);
	}
	return r;
}

static int load(const char *state, const char *name, unsigned trial_s, struct history *h)
{
	_cleanup_(store_close) struct store *s = NULL;
	struct verdicts said;
	int r = lookup_open(state, STORE_READ, &s);

	if (r == 0)
		r = lookup_workload(s, name, &h->row);
	if (r < 0)
		return r;
	r = store_applied_get(s, h->row.id, &h->is);
	if (r == 0)
		r = store_generations(s, h->row.id, &h->g, &h->cnt);
	if (r == 0)
		r = store_verdicts(s, h->row.id, &said);
	if (r == 0)
		r = mined_load(s, h->row.id, &said, &h->mined);
	if (r == 0)
		r = load_each(s, state, trial_s, h);
	return r < 0 ? lookup_failed(s, r) : 0;
}

static void lacks_of(const struct refused *r, struct sysset ret[TAMIS_ABI_MAX])
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		ret[abi] = r->calls[abi];
		sysset_merge(&ret[abi], &r->withheld[abi]);
	}
}

static bool is_applied(const struct history *h, const struct generation *g)
{
	return h->is.generation == g->number;
}

/* --- for people -------------------------------------------------------------------------- */

static void add_row(struct print_table *t, const struct history *h, size_t i)
{
	const struct generation *g = &h->g[i];
	struct sysset calls[TAMIS_ABI_MAX], lacks[TAMIS_ABI_MAX];
	_free_ char *names = NULL;
	char number[16];

	calls_of(g, calls);
	lacks_of(&h->refused[i], lacks);
	/* Left out on purpose: said below. */
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_remove(&lacks[abi], &h->refused[i].mined[abi]);
	names = calls_text(lacks, LACKS_SHOWN);
	snprintf(number, sizeof(number), "%c %" PRIu32, is_applied(h, g) ? '*' : ' ', g->number);
	print_cell(t, number);
	print_cell_time(t, g->created);
	print_cell(t, g->maker);
	snprintf(number, sizeof(number), "%.12s",
		 strchr(g->digest, ':') ? strchr(g->digest, ':') + 1 : g->digest);
	print_cell(t, number);
	print_cell(t, generation_state_name(g->state));
	print_cell_u64(t, calls_count(calls));
	print_cell_u64(t, g->image_cnt);
	print_cell(t, names);
}

/* Why each failed one did, and what it may have been. */
static void print_failures(const struct history *h)
{
	for (size_t i = 0; i < h->cnt; i++) {
		const struct generation *g = &h->g[i];
		struct sysset lacks[TAMIS_ABI_MAX];

		if (g->state != GENERATION_FAILED)
			continue;
		printf("\ngeneration %" PRIu32 " failed: ", g->number);
		text_escape(stdout, g->failed ?: "its workload didn't live under it", WHY_SHOWN);
		lacks_of(&h->refused[i], lacks);
		if (calls_count(lacks)) {
			fputs("\n  made by the workload, and not in it: ", stdout);
			calls_write(stdout, lacks, UINT_MAX);
		}
		putchar('\n');
	}
}

/* What mining took out of a generation, of those that get EPERM or ENOSYS. */
static bool mined_of(const struct history *h, const struct generation *g, bool eperm,
		     struct sysset ret[TAMIS_ABI_MAX])
{
	const struct mined *m = &h->mined;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++) {
			uint64_t with = m->eperm[abi].bits[i];

			ret[abi].bits[i] = g->denied[abi].bits[i] & m->calls[abi].bits[i] &
					   (eperm ? with : ~with);
		}
	return calls_count(ret) > 0;
}

static void print_mined(const struct history *h)
{
	for (size_t i = 0; i < 2 * h->cnt; i++) {
		const struct generation *g = &h->g[i / 2];
		struct sysset calls[TAMIS_ABI_MAX];

		if (!mined_of(h, g, i % 2, calls))
			continue;
		printf("\ngeneration %" PRIu32 ": denied by mining (%s): ", g->number,
		       i % 2 ? "EPERM" : "ENOSYS");
		calls_write(stdout, calls, UINT_MAX);
		putchar('\n');
	}
}

static int print_shadow(const struct history *h)
{
	for (size_t i = 0; i < h->cnt; i++)
		if (h->is.mode == MODE_SHADOW && is_applied(h, &h->g[i]))
			return refused_print(&h->refused[i]);
	return 0;
}

static void print_head(const struct history *h)
{
	char since[PRINT_TIME_MAX];

	fputs("workload: ", stdout);
	text_escape(stdout, h->row.key, SIZE_MAX);
	printf("\nmode:     %s", policy_mode_name(h->is.mode));
	if (h->is.mode != MODE_OBSERVE)
		printf(", generation %" PRIu32 " since %s", h->is.generation,
		       print_time(h->is.since, since));
	if (h->is.mode == MODE_PROBATION)
		printf(", rule %s", probation_rule_name(h->is.rule));
	if (h->is.mode == MODE_ENFORCE && h->is.good)
		printf(", %" PRIu32 " if that fails", h->is.good);
	fputs("\n\n", stdout);
}

static int show_columns(const struct history *h)
{
	static const char *const headings[] = { "  GEN", "CREATED", "BY",     "DIGEST",
						"STATE", "CALLS",   "IMAGES", "LACKS" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < h->cnt; i++)
		add_row(&t, h, i);
	print_head(h);
	if (h->cnt == 0)
		return puts("no generation was made; 'tamis apply' makes one") < 0 ? -EIO : 0;
	r = print_table_write(&t, stdout);
	if (r < 0)
		return r;
	print_mined(h);
	print_failures(h);
	return print_shadow(h);
}

/* --- for scripts ------------------------------------------------------------------------- */

static json_t *json_generation(const struct history *h, size_t i)
{
	const struct generation *g = &h->g[i];
	struct sysset calls[TAMIS_ABI_MAX];

	calls_of(g, calls);
	return json_pack("{s:I, s:I, s:o, s:s, s:s, s:o, s:b, s:i, s:b, s:o, s:o, s:o, s:o}",
			 "number", (json_int_t)g->number, "created", (json_int_t)g->created,
			 "maker", print_json_text(g->maker), "digest", g->digest, "state",
			 generation_state_name(g->state), "failed", print_json_text(g->failed),
			 "applied", is_applied(h, g), "call_count", (int)calls_count(calls),
			 "descendants", g->descendants, "images",
			 print_json_texts(g->image, g->image_cnt), "denied", calls_json(g->denied),
			 "denied_eperm", calls_json(g->denied_eperm), "lacks",
			 refused_json(&h->refused[i]));
}

static json_t *json_number(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

static int show_json(const struct history *h)
{
	json_t *list = json_array();
	int r = list ? 0 : -1;

	for (size_t i = 0; r == 0 && i < h->cnt; i++)
		r = json_array_append_new(list, json_generation(h, i));
	if (r < 0) {
		json_decref(list);
		return -ENOMEM;
	}
	return print_json(
		json_pack("{s:i, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:o}",
			  "version", 1, "key", print_json_text(h->row.key), "name",
			  print_json_text(h->row.name), "mode", policy_mode_name(h->is.mode),
			  "rule", print_json_rule(&h->is), "generation",
			  json_number(h->is.generation), "good", json_number(h->is.good), "since",
			  h->is.mode == MODE_OBSERVE ? json_null() : json_integer(h->is.since),
			  "replace", h->is.replace, "unconfined", h->is.unconfined,
			  "keep_new_image", h->is.keep_new_image, "probe_new_image",
			  h->is.probe_new_image, "generations", list),
		stdout);
}

/* ----------------------------------------------------------------------------------------- */

static int history(const char *state, const char *config, const char *name, bool json)
{
	_history_ struct history h = { 0 };
	struct apply_config c = { 0 };
	int r = apply_config_read(config, &c);

	if (r < 0)
		return EXIT_FAIL;
	r = load(state, name, c.trial_s, &h);
	apply_config_done(&c);
	if (r < 0)
		return EXIT_FAIL;
	r = json ? show_json(&h) : show_columns(&h);
	if (r < 0)
		(void)log_err_errno(r, "history");
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *state = DEFAULT_STATE_DIR, *config = DAEMON_CONFIG;
	bool json = false;
	const struct option_row options[] = {
		{ "config", .text = &config },
		OPTION_JSON(&json),
		OPTION_STATE(&state),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_history, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return history(state, config, args.arg[0], json);
}

const struct cmd cmd_history = {
	.name = "history",
	.args = "WORKLOAD [--json] [--config FILE] [--state DIR]",
	.help = "show a workload's generations, what became of them and what they lack",
	.run = run,
};
