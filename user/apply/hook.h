/* SPDX-License-Identifier: Apache-2.0 */
/* podman's hooks: a JSON file (oci-hooks(5)) for each stage that tamis-start has a part in. */
#pragma once

#define HOOK_DIR "/usr/share/containers/oci/hooks.d"

/* Seconds that podman gives a hook; tamis-start gives itself less. */
#define HOOK_TIMEOUT 10

/* Files of a hooks directory, NULL-terminated. */
extern const char *const hook_files[];

/* Writes them to the directory `path`, making it. `start`: tamis-start's absolute path; `state`: where
 * applied policies are. 1: all were there already, as they are to be. */
int hook_put(const char *path, const char *start, const char *state);

/* 1: none was there. */
int hook_remove(const char *path);
