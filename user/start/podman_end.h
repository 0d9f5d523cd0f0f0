/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container of podman's ended, as it stands when podman runs its poststop hooks. 4.3.1 has
 * removed conmon's exit file by then and its own store is locked; its log of events has the exit code
 * already: a file, or the journal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "apply/trial.h"

/* The newest event "died" of container `id` in `text`, a JSON object a line, that isn't older than
 * `since` (seconds since the epoch). -ENOENT. Pure. */
int podman_end_of_events(const char *text, size_t len, const char *id, int64_t since,
			 int *ret_code);

/* "2026-11-22T03:52:18.884199414Z", "...+01:00": seconds since the epoch. -EINVAL. Pure. */
int podman_end_time(const char *text, int64_t *ret);

/* An exit code, as conmon has it, that stands for a signal. Pure. */
enum trial_end podman_end_of_code(int exit_code, int *ret_code);

/* -ENOENT: podman doesn't say. */
int podman_end_find(const char *id, int64_t since, int *ret_code);
