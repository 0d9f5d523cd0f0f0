/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/probes.h"

static const char *const levels[SUPPORT_MAX] = {
	[SUPPORT_FINE] = "fine",
	[SUPPORT_DEGRADED] = "degraded",
	[SUPPORT_MISSING] = "missing",
};

static int print_columns(const struct findings *f)
{
	__attribute__((cleanup(print_table_donep))) struct print_table t = PRINT_TABLE(3);

	for (size_t i = 0; i < f->cnt; i++) {
		print_cell(&t, levels[f->item[i].level]);
		print_cell(&t, f->item[i].name);
		print_cell(&t, f->item[i].text);
	}
	return print_table_write(&t, stdout);
}

static int print_findings_json(const struct findings *f)
{
	json_t *array = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->cnt; i++)
		r = json_array_append_new(array,
					  json_pack("{s:s, s:s, s:o}", "name", f->item[i].name,
						    "level", levels[f->item[i].level], "text",
						    print_json_text(f->item[i].text)));
	if (r < 0) {
		json_decref(array);
		return -ENOMEM;
	}
	return print_json(json_pack("{s:i, s:o}", "version", 1, "checks", array), stdout);
}

static int check(bool json)
{
	struct findings f = { 0 };
	int r;

	probes_kernel(&f);
	probes_tools(&f);
	probes_ways(&f);
	r = json ? print_findings_json(&f) : print_columns(&f);
	if (r < 0) {
		log_err_errno(r, "check");
		return EXIT_FAIL;
	}
	for (size_t i = 0; i < f.cnt; i++) {
		if (f.item[i].level == SUPPORT_MISSING)
			return EXIT_FAIL;
	}
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	bool json = false;
	const struct option_row options[] = { OPTION_JSON(&json), { 0 } };
	struct arguments args = { .max = 0 };

	if (options_parse(&cmd_check, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	return check(json);
}

const struct cmd cmd_check = {
	.name = "check",
	.args = "[--json]",
	.help = "say what this host supports",
	.run = run,
};
