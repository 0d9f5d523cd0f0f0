/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: one file each, found through the table in main.c. */
#pragma once

#include <stddef.h>

/* Exit codes of every command. diff alone uses 1 for "differ" and 2 for all trouble, like diff(1). */
enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2 };

struct cmd {
	const char *name;
	const char *args; /* "WORKLOAD -f FORMAT [-o FILE]" */
	const char *help; /* one line */
	/* argv[0] is the command's name. Returns the exit code, having logged why it isn't 0. */
	int (*run)(int argc, char **argv);
	/* What --help prints; NULL: usage and help. */
	int (*show_help)(void);
};

/* One line that names the thing, with "usage: tamis NAME ARGS"; return EXIT_USAGE. `opt` is what
 * getopt_long answered, ':' or '?', with opterr = 0 and options that begin with ':'; `arg` the
 * argument too many, NULL: one is missing. */
int cmd_bad_option(const struct cmd *c, int opt, char **argv);
int cmd_bad_argument(const struct cmd *c, const char *arg);

/* Where the store is when --state is not given. */
#define DEFAULT_STATE_DIR "/var/lib/tamis"

extern const struct cmd cmd_daemon, cmd_record, cmd_list, cmd_show, cmd_export, cmd_diff, cmd_run,
	cmd_forget, cmd_merge, cmd_prune, cmd_check, cmd_trace, cmd_allow, cmd_deny, cmd_apply,
	cmd_history, cmd_denials, cmd_rollback, cmd_release, cmd_install, cmd_uninstall, cmd_oracle,
	cmd_score, cmd_mine;
