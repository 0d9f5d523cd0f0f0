/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/completeness.h"
#include "cli/lookup.h"
#include "cli/mined.h"
#include "cli/options.h"
#include "cli/pending.h"
#include "cli/print.h"
#include "cli/scoring.h"
#include "cli/slept_text.h"
#include "learn/unattributed.h"

struct list_options {
	const char *dir;
	const char *engine; /* NULL: all */
	bool running, json;
};

/* What is said of a row besides what is in it. */
struct extra {
	unsigned pending;	/* calls that wait for a person's word */
	unsigned needed;	/* calls that mining denied, and that are made (cli/mined.h) */
	unsigned blocked, cves; /* cli/scoring.h */
	struct store_coverage coverage;
	struct slept slept;
};

/* --- for people -------------------------------------------------------------------------- */

static const char *name_of(const struct store_row *row)
{
	return row->name && *row->name ? row->name : row->key;
}

struct named {
	struct store_row *row;
};

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(name_of(x->row), name_of(y->row));
}

/* Names that don't tell a workload from others go: its key is shown instead. */
static int drop_namesakes(struct store_row *rows, size_t cnt)
{
	_free_ struct named *by_name = calloc(cnt + 1, sizeof(*by_name));
	size_t same;

	if (!by_name)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		by_name[i].row = &rows[i];
	qsort(by_name, cnt, sizeof(*by_name), compare_names);
	for (size_t i = 0; i < cnt; i += same) {
		same = 1;
		while (i + same < cnt && compare_names(&by_name[i], &by_name[i + same]) == 0)
			same++;
		for (size_t j = i; same > 1 && j < i + same; j++)
			free(TAKE_PTR(by_name[j].row->name));
	}
	return 0;
}

static void add_row(struct print_table *t, const struct store_row *row, const struct extra *extra)
{
	const struct evidence *e = &row->evidence;
	char state[128], waits[32] = "", needed[40] = "", mode[PRINT_MODE_MAX], score[32];
	char coverage[COMPLETENESS_CELL_MAX], slept[SLEPT_CELL_MAX];

	if (extra->pending)
		snprintf(waits, sizeof(waits), ", %u pending", extra->pending);
	if (extra->needed)
		snprintf(needed, sizeof(needed), ", %u needed after all", extra->needed);
	snprintf(score, sizeof(score), "%u/%u", extra->blocked, extra->cves);
	snprintf(state, sizeof(state), "%s%s%s%s%s%s%s", row->running ? "running" : "gone",
		 evidence_is_partial(e) ? ", partial" : "", slept_cell(&extra->slept, slept),
		 row->why_not ? ", unenforceable" : "", row->opted_out ? ", opted out" : "", waits,
		 needed);
	print_cell(t, row->engine);
	print_cell(t, name_of(row));
	print_cell(t, row->image);
	print_cell(t, state);
	print_cell(t, print_mode(row, mode));
	print_cell_u64(t, row->calls);
	print_cell(t, completeness_cell(&extra->coverage, coverage));
	print_cell(t, score);
	print_cell_u64(t, e->starts);
	print_cell_time(t, e->since);
	print_cell_time(t, e->last);
}

static int list_columns(const struct store_row *rows, const struct extra *extra, size_t cnt)
{
	static const char *const headings[] = { "ENGINE", "WORKLOAD", "IMAGE",	  "STATE",
						"MODE",	  "CALLS",    "COVERAGE", "SCORE",
						"STARTS", "FIRST",    "LAST" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < cnt; i++)
		add_row(&t, &rows[i], &extra[i]);
	return print_table_write(&t, stdout);
}

/* ----------------------------------------------------------------------------------------- */

static json_t *json_row(const struct store_row *row, const struct extra *extra)
{
	json_t *json = print_json_row(row, extra->pending);
	json_t *score = json_pack("{s:i,s:i}", "blocked", extra->blocked, "cves", extra->cves);

	int r = json_object_set_new(json, "coverage", completeness_json(&extra->coverage));

	if (r == 0)
		r = json_object_set_new(json, "watched", slept_json(&extra->slept));
	if (r == 0)
		r = json_object_set_new(json, "needed_count", json_integer(extra->needed));
	if (json_object_set_new(json, "score", score) == 0 && r == 0)
		return json;
	json_decref(json);
	return NULL;
}

static int list_json(const struct store_row *rows, const struct extra *extra, size_t cnt,
		     uint64_t unattributed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cnt; i++) {
		if (json_array_append_new(array, json_row(&rows[i], &extra[i])) < 0) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	return print_json(json_pack("{s:i, s:I, s:o}", "version", 1, "unattributed",
				    (json_int_t)unattributed, "workloads", array),
			  stdout);
}

/* Keeps the rows that are asked for, in order. */
static size_t choose(const struct list_options *o, struct store_row *rows, size_t cnt)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		const char *engine = rows[i].engine ?: "";

		if ((o->engine && strcmp(engine, o->engine) != 0) ||
		    (o->running && !rows[i].running))
			store_row_done(&rows[i]);
		else
			rows[kept++] = rows[i];
	}
	return kept;
}

static int look_at(struct store *s, const struct store_row *rows, size_t cnt, struct extra *extra)
{
	_scoring_quick_ struct scoring_quick quick = { 0 };
	_naps_ struct naps naps = { 0 };
	struct sysset pending[TAMIS_ABI_MAX];
	struct learned learned;
	int r = scoring_quick_load(&quick);

	if (r < 0)
		return r;
	r = store_naps(s, &naps);
	if (r < 0)
		return lookup_failed(s, r);
	for (size_t i = 0; i < cnt; i++) {
		r = pending_sift(s, rows[i].id, quick.risk.guard, pending, &learned);
		if (r == 0)
			r = completeness_load(s, rows[i].id, &extra[i].coverage);
		if (r == 0)
			r = slept_load(s, rows[i].id, &naps, &extra[i].slept);
		if (r == 0)
			r = mined_count_made(s, rows[i].id, &extra[i].needed);
		if (r < 0)
			return lookup_failed(s, r);
		extra[i].pending = pending_count(pending);
		scoring_quick(&quick, &learned, &extra[i].blocked, &extra[i].cves);
	}
	return 0;
}

static int print_rows(struct store *s, const struct list_options *o, const struct store_row *rows,
		      size_t cnt)
{
	_free_ struct extra *extra = calloc(cnt + 1, sizeof(*extra));
	uint64_t unattributed = 0;
	int r;

	if (!extra)
		return log_err_errno(-ENOMEM, "list");
	r = look_at(s, rows, cnt, extra);
	if (r < 0)
		return r;
	r = unattributed_get(s, &unattributed);
	if (r < 0)
		return lookup_failed(s, r);
	if (o->json)
		r = list_json(rows, extra, cnt, unattributed);
	else
		r = list_columns(rows, extra, cnt);
	if (r >= 0 && unattributed && !o->json)
		log_warn("%" PRIu64 " cgroups were gone before anybody could say whose they were: "
			 "what ran in them is in none of these",
			 unattributed);
	return r < 0 ? log_err_errno(r, "list") : 0;
}

static int list(const struct list_options *o)
{
	_cleanup_(store_close) struct store *s = NULL;
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int r;

	if (lookup_open(o->dir, STORE_READ, &s) < 0)
		return EXIT_FAIL;
	r = store_list(s, &rows, &cnt);
	if (r < 0) {
		(void)lookup_failed(s, r);
		return EXIT_FAIL;
	}
	if (!o->json && drop_namesakes(rows, cnt) < 0)
		r = log_err_errno(-ENOMEM, "list");
	cnt = choose(o, rows, cnt);
	if (r == 0)
		r = print_rows(s, o, rows, cnt);
	for (size_t i = 0; i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct list_options o = { .dir = DEFAULT_STATE_DIR };
	const struct option_row options[] = {
		{ "engine", .text = &o.engine },
		{ "running", .flag = &o.running },
		OPTION_JSON(&o.json),
		OPTION_STATE(&o.dir),
		{ 0 },
	};
	struct arguments args = { .max = 0 };

	if (options_parse(&cmd_list, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return list(&o);
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "[--engine NAME] [--running] [--json] [--state DIR]",
	.help = "show the workloads that were observed",
	.run = run,
};
