/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine asks of a runtime, read from its command line (runc(8), crun(1), youki). Pure. */
#pragma once

#include <stdbool.h>

struct runtime_call {
	const char *command; /* "create", "run", ... or NULL */
	const char *bundle;  /* "." by default */
	const char *
		config; /* crun's --config/-f, relative to where it was started; NULL: the bundle's */
	const char *id; /* NULL: none given */
	bool systemd;	/* --systemd-cgroup, --cgroup-manager=systemd */
	bool certain;	/* nothing on the line was doubtful: unknown options before the command */
};

void runtime_call_read(int argc, char *const argv[], struct runtime_call *ret);
/* create or run, certain, with an id. */
bool runtime_call_starts(const struct runtime_call *c);
