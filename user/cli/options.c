/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <stddef.h>

/* getopt's answer for a row: no letter of any option. */
#define ROW 0x100

struct getopt_table {
	struct option option[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
};

static bool has_value(const struct option_row *row)
{
	return !row->flag;
}

static void make_table(const struct option_row *table, bool own_options, struct getopt_table *ret)
{
	char *letter = ret->letters;

	*ret = (struct getopt_table){ 0 };
	if (own_options)
		*letter++ = '+';
	*letter++ = ':';
	for (int i = 0; table[i].name; i++) {
		assert(i < OPTIONS_MAX);
		ret->option[i] = (struct option){
			.name = table[i].name,
			.has_arg = has_value(&table[i]) ? required_argument : no_argument,
			.val = ROW + i,
		};
		if (!table[i].letter)
			continue;
		*letter++ = table[i].letter;
		if (has_value(&table[i]))
			*letter++ = ':';
	}
}

static const struct option_row *find_row(const struct option_row *table, int answer)
{
	if (answer >= ROW)
		return &table[answer - ROW];
	while (table->letter != answer)
		table++;
	return table;
}

static int take(const struct option_row *row)
{
	if (row->flag)
		*row->flag = true;
	else if (row->text)
		*row->text = optarg;
	else if (row->take(optarg, row->ctx) < 0)
		return EXIT_USAGE;
	return EXIT_OK;
}

int options_parse(const struct cmd *c, const struct option_row *table, int argc, char **argv,
		  struct arguments *args)
{
	struct getopt_table t;
	int answer;

	make_table(table, args->own_options, &t);
	opterr = 0;
	while ((answer = getopt_long(argc, argv, t.letters, t.option, NULL)) != -1) {
		if (answer == '?' || answer == ':')
			return cmd_bad_option(c, answer, argv);
		if (take(find_row(table, answer)) != EXIT_OK)
			return EXIT_USAGE;
	}
	args->arg = argv + optind;
	args->cnt = argc - optind;
	if (args->cnt < args->min)
		return cmd_bad_argument(c, NULL);
	if (args->max >= 0 && args->cnt > args->max)
		return cmd_bad_argument(c, args->arg[args->max]);
	return EXIT_OK;
}
