/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process for what may crash, hang or lie: it is forked, answers over a pipe within a time, and
 * is killed with whatever it started when it doesn't. It has nothing of its parent's but a copy of
 * the memory and standard error: no descriptors, no environment.
 */
#pragma once

#include <stddef.h>

#define WORKER_ANSWER_MAX (16u << 20)

/*
 * `work` returns 1 and an answer (allocated), or 0 for none; a negative errno counts as none.
 * Returns 1 and *ret (caller frees), 0: it answered that there is nothing. Else a negative errno and what it
 * did, static: -ETIME, -ECHILD (died), -EBADMSG (not an answer), or of fork and pipe. `ret` NULL:
 * for the work alone.
 */
int worker_ask(int (*work)(void *ctx, char **ret, size_t *ret_len), void *ctx, unsigned wait_ms,
	       char **ret, size_t *ret_len, const char **ret_why);
