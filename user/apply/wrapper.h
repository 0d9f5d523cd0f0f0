/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime wrapper: a copy of tamis-start with PATH.conf beside it (apply/runtime_conf.h), named in
 * an engine's configuration. Engines keep a container's runtime by path, so the path stays: what is
 * taken out of use is a shell script that execs the real runtime.
 */
#pragma once

#define WRAPPER_DIR "/usr/local/libexec"

enum wrapper_kind {
	WRAPPER_NONE, /* nothing is there */
	WRAPPER_OURS,
	WRAPPER_SHIM, /* was ours */
	WRAPPER_OTHER,
};
enum wrapper_kind wrapper_kind(const char *path);

/* May root run it on behalf of engines: an executable file, and its directory, of root's, which nobody
 * else writes to. -EPERM, -ENOENT, ... and a sentence (caller frees). */
int wrapper_check_program(const char *path, char **ret_why);

/* Writes PATH.conf, then the program. 1: both were there. All paths absolute. */
int wrapper_put(const char *path, const char *start, const char *runtime, const char *state);

/* Leaves a script there. 1: it was there. -EINVAL: no wrapper; -ENOENT; *ret_why (caller frees). */
int wrapper_disable(const char *path, char **ret_why);

/* The wrapper or its script goes, and its configuration. 1: there was none. -EINVAL: no wrapper. */
int wrapper_remove(const char *path);
