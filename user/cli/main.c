/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cmd.h"

#define VERSION "0.1.0"

static const struct cmd *const commands[] = {
	&cmd_daemon,  &cmd_record,  &cmd_list,	    &cmd_show,	  &cmd_allow,	&cmd_deny,
	&cmd_export,  &cmd_diff,    &cmd_run,	    &cmd_forget,  &cmd_merge,	&cmd_prune,
	&cmd_check,   &cmd_trace,   &cmd_apply,	    &cmd_history, &cmd_denials, &cmd_rollback,
	&cmd_release, &cmd_install, &cmd_uninstall, &cmd_oracle,  &cmd_score,	&cmd_mine,
};

static int print_help(void)
{
	printf("usage: tamis COMMAND [ARGUMENT]...\n\n"
	       "Learns which system calls each container needs and lets nothing else through.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->help);
	printf("\n'tamis COMMAND --help' shows a command's arguments, tamis(1) the rest.\n");
	return EXIT_OK;
}

static int print_command_help(const struct cmd *c)
{
	printf("usage: tamis %s %s\n\n%s\n", c->name, c->args, c->help);
	return EXIT_OK;
}

static const struct cmd *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	}
	return NULL;
}

static int dispatch(int argc, char **argv)
{
	const struct cmd *c;

	if (argc < 1) {
		log_err("a command is missing; see 'tamis --help'");
		return EXIT_USAGE;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return print_help();
	if (strcmp(argv[0], "--version") == 0)
		return puts("tamis " VERSION) < 0 ? EXIT_FAIL : EXIT_OK;
	c = find_command(argv[0]);
	if (!c) {
		log_err("unknown command \"%s\"; see 'tamis --help'", argv[0]);
		return EXIT_USAGE;
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return c->show_help ? c->show_help() : print_command_help(c);
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	int code = dispatch(argc - 1, argv + 1);

	/* A list cut short by a full disk must not look like a whole one. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_OK) {
		log_err("standard output: %s", strerror(errno));
		return EXIT_FAIL;
	}
	return code;
}
