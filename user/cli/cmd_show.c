/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/print.h"
#include "model/calls.h"

struct shown {
	struct store_row row;
	struct policy_origin *origin; /* sorted by (abi, stage as it is shown, name) */
	size_t cnt;
};

static void shown_donep(struct shown *s)
{
	store_row_done(&s->row);
	store_origins_free(s->origin, s->cnt);
}

/* What a policy is made of comes first. */
static int stage_rank(enum tamis_stage stage)
{
	static const int rank[TAMIS_STAGE_MAX] = {
		[TAMIS_WORKLOAD] = 0,
		[TAMIS_SESSION] = 1,
		[TAMIS_GATE] = 2,
		[TAMIS_SETUP] = 3,
	};

	return rank[stage];
}

static int compare_origins(const void *a, const void *b)
{
	const struct policy_origin *x = a, *y = b;
	char name_x[CALLS_NAME_MAX], name_y[CALLS_NAME_MAX];

	if (x->abi != y->abi)
		return (int)x->abi - (int)y->abi;
	if (x->stage != y->stage)
		return stage_rank(x->stage) - stage_rank(y->stage);
	return strcmp(calls_print(x->abi, x->nr, name_x), calls_print(y->abi, y->nr, name_y));
}

/* --- for people -------------------------------------------------------------------------- */

static void print_field(const char *label, const char *text, const char *more)
{
	if (!text || !*text)
		return;
	printf("%-10s ", label);
	text_escape(stdout, text, 1024);
	if (more && *more) {
		fputs(" (", stdout);
		text_escape(stdout, more, 1024);
		fputc(')', stdout);
	}
	putchar('\n');
}

static void print_head(const struct store_row *row)
{
	print_field("workload:", row->name && *row->name ? row->name : row->key, row->key);
	print_field("engine:", row->engine, NULL);
	print_field("image:", row->image, row->image_digest);
	printf("state:     %s, %" PRIu64 " instance%s seen\n", row->running ? "running" : "gone",
	       row->replicas, row->replicas == 1 ? "" : "s");
	print_evidence(&row->evidence, stdout);
	putchar('\n');
}

static void add_origin(struct print_table *t, const struct policy_origin *o)
{
	char name[CALLS_NAME_MAX];

	print_cell(t, abi_name(o->abi));
	print_cell(t, stage_name(o->stage));
	print_cell(t, calls_print(o->abi, o->nr, name));
	print_cell_time(t, o->first);
	print_cell_time(t, o->last);
	print_cell(t, o->comm);
	if (o->pid)
		print_cell_u64(t, o->pid);
	else
		print_cell(t, NULL);
	print_cell(t, o->exe);
}

static int show_columns(const struct shown *s)
{
	static const char *const headings[] = { "ABI",	"STAGE",    "CALL", "FIRST",
						"LAST", "FIRST BY", "PID",  "EXE" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < s->cnt; i++)
		add_origin(&t, &s->origin[i]);
	print_head(&s->row);
	if (s->cnt == 0)
		return puts("no call was seen") < 0 ? -EIO : 0;
	return print_table_write(&t, stdout);
}

/* --- for scripts ------------------------------------------------------------------------- */

static json_t *json_known(const char *text)
{
	return print_json_text(text && *text ? text : NULL);
}

static json_t *json_call(const struct policy_origin *o)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:o, s:o, s:o}", "abi", abi_name(o->abi),
			 "stage", stage_name(o->stage), "nr", (json_int_t)o->nr, "name",
			 calls_print(o->abi, o->nr, name), "first", (json_int_t)o->first, "last",
			 (json_int_t)o->last, "pid", o->pid ? json_integer(o->pid) : json_null(),
			 "comm", json_known(o->comm), "exe", json_known(o->exe));
}

/* As a row of list, with "version" and "calls". */
static int show_json(const struct shown *s)
{
	json_t *top = print_json_row(&s->row), *calls = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->cnt; i++)
		r = json_array_append_new(calls, json_call(&s->origin[i]));
	r |= json_object_set_new(top, "version", json_integer(1));
	r |= json_object_set_new(top, "calls", calls);
	if (r < 0) {
		json_decref(top);
		return -ENOMEM;
	}
	return print_json(top, stdout);
}

/* ----------------------------------------------------------------------------------------- */

static int show(const char *dir, const char *name, bool json)
{
	_cleanup_(store_close) struct store *store = NULL;
	__attribute__((cleanup(shown_donep))) struct shown s = { 0 };
	int r;

	if (lookup_open(dir, STORE_READ, &store) < 0 || lookup_workload(store, name, &s.row) < 0)
		return EXIT_FAIL;
	r = store_origins(store, s.row.id, &s.origin, &s.cnt);
	if (r < 0) {
		log_err("%s", r == -ENOMEM ? strerror(-r) : store_error(store));
		return EXIT_FAIL;
	}
	if (s.cnt)
		qsort(s.origin, s.cnt, sizeof(*s.origin), compare_origins);
	r = json ? show_json(&s) : show_columns(&s);
	if (r < 0)
		log_err_errno(r, "show");
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *dir = DEFAULT_STATE_DIR;
	bool json = false;
	const struct option_row options[] = { OPTION_JSON(&json), OPTION_STATE(&dir), { 0 } };
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_show, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return show(dir, args.arg[0], json);
}

const struct cmd cmd_show = {
	.name = "show",
	.args = "WORKLOAD [--json] [--state DIR]",
	.help = "show what is known of a workload, call by call",
	.run = run,
};
