/* SPDX-License-Identifier: Apache-2.0 */
/* A worker is asked for the spec, and not believed. */
#pragma once

#include "start/start.h"

/* start_spec in a worker (start/worker.h) for START_WAIT_MS. 1 and what differs from s->text in
 * linux.seccomp alone, checked; caller frees. 0: the container is to be started as it is; *ret_fault
 * then is what the worker did instead of answering, static, or NULL. */
int ask_spec(const struct start_options *o, const struct identity_start *s, char **ret,
	     size_t *ret_len, const char **ret_fault);

/* One line about this start, by a process that may hang: its key is looked for. */
void ask_report(const struct start_options *o, const struct identity_start *s, const char *text);
