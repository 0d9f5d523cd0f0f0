/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tamis-start: what runs inside an engine's start path. Every failure ends with the container
 * starting as the engine made it. Links no libbpf and no SQLite, ignores the environment, takes no
 * lock.
 *
 *	tamis-start precreate [--state DIR]          podman's hook: spec in, spec out
 *	tamis-start poststop  [--state DIR]          podman's hook: how it ended
 *	tamis-start prestart  [--tamis PATH] [--output-dir DIR]...   for oci-seccomp-bpf-hook's users
 *	tamis-start unit-started|unit-stopped NAME [--state DIR]     from a unit's drop-in
 *	tamis-start file KEY -f FORMAT [--state DIR]  the applied policy as a file
 *	PATH (by PATH.conf beside it)                 runtime wrapper
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "identity/start.h"

#define START_STATE   "/var/lib/tamis"
#define START_WAIT_MS 200 /* for the worker; the runtime's own timeouts are seconds */

/* From a spec to the spec that is started: everything between reading and writing. 1: *ret differs
 * (caller frees). 0: the container is to be started as it is, having reported why where that isn't
 * what somebody asked for. `runtime`: path of the one that will run, NULL: any of those installed. */
struct start_options {
	const char *state;
	const char *runtime;
	struct identity_options identity;
};
int start_spec(const struct start_options *o, const struct identity_start *from, char **ret,
	       size_t *ret_len);

/* Each returns the exit status. */
int start_precreate(const char *state);
int start_poststop(const char *state);
int start_unit(const char *state, const char *unit, bool stopped);
int start_file(const char *state, const char *key, const char *format);
int start_prestart(int argc, char **argv);
/* Never returns but for a runtime that can't be run: its exit status then. */
int start_wrapper(const char *self, int argc, char **argv);
