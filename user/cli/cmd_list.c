/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/print.h"

static void add_row(struct print_table *t, const struct store_row *row)
{
	const struct evidence *e = &row->evidence;
	char state[32];

	snprintf(state, sizeof(state), "%s%s", row->running ? "running" : "gone",
		 evidence_is_partial(e) ? ", partial" : "");
	print_cell(t, row->engine);
	print_cell(t, row->name && *row->name ? row->name : row->key);
	print_cell(t, row->image);
	print_cell(t, state);
	print_cell_u64(t, row->calls);
	print_cell_u64(t, e->starts);
	print_cell_time(t, e->since);
	print_cell_time(t, e->last);
}

static int list_columns(const struct store_row *rows, size_t cnt)
{
	static const char *const headings[] = { "ENGINE", "WORKLOAD", "IMAGE", "STATE",
						"CALLS",  "STARTS",   "FIRST", "LAST" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < cnt; i++)
		add_row(&t, &rows[i]);
	return print_table_write(&t, stdout);
}

static int list_json(const struct store_row *rows, size_t cnt)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cnt; i++) {
		if (json_array_append_new(array, print_json_row(&rows[i])) < 0) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	return print_json(json_pack("{s:i, s:o}", "version", 1, "workloads", array), stdout);
}

static int list(const char *dir, bool json)
{
	_cleanup_(store_close) struct store *s = NULL;
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int r = lookup_open(dir, STORE_READ, &s);

	if (r < 0)
		return EXIT_FAIL;
	r = store_list(s, &rows, &cnt);
	if (r < 0) {
		log_err("%s", r == -ENOMEM ? strerror(-r) : store_error(s));
		return EXIT_FAIL;
	}
	r = json ? list_json(rows, cnt) : list_columns(rows, cnt);
	for (size_t i = 0; i < cnt; i++)
		store_row_done(&rows[i]);
	free(rows);
	if (r < 0)
		log_err_errno(r, "list");
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *dir = DEFAULT_STATE_DIR;
	bool json = false;
	const struct option_row options[] = { OPTION_JSON(&json), OPTION_STATE(&dir), { 0 } };
	struct arguments args = { .max = 0 };

	if (options_parse(&cmd_list, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return list(dir, json);
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "[--json] [--state DIR]",
	.help = "show the workloads that were observed",
	.run = run,
};
