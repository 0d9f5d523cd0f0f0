/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that an oracle runs, outside of the daemon's own sandbox: a transient unit where systemd is
 * process 1, else a child in process 1's mount namespace. Its environment is PATH and HOME alone, its
 * standard input empty.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

struct oracle_child;

/* Where its standard output goes, and with `errors` its standard error too: a file (0600; what was there
 * goes), NULL: nowhere. */
struct oracle_child_out {
	const char *path;
	bool errors;
};
/* argv[0] is absolute. */
int oracle_child_run(const char *const *argv, const struct oracle_child_out *out,
		     struct oracle_child **ret);
/* 0: it runs. 1: it ended; *ret_code (may be NULL) is its exit status, or 128 + signal. */
int oracle_child_ended(struct oracle_child *c, int *ret_code);
/* Ends it if it still runs. NULL is fine. */
void oracle_child_free(struct oracle_child *c);
CLEANUP_DEFINE(struct oracle_child *, oracle_child_free);

/* The first of the usual directories with an executable of that name. Caller frees. -ENOENT. */
int oracle_child_find(const char *name, char **ret);

/* --- learn/oracle_child_unit.c ----------------------------------------------------------- */

/* The transient unit's half. */
int oracle_child_unit_run(const char *unit, const char *const *argv,
			  const struct oracle_child_out *out);
/* As oracle_child_ended; what it left in systemd is gone then. */
int oracle_child_unit_ended(const char *unit, int *ret_code);
void oracle_child_unit_end(const char *unit);
