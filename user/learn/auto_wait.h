/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long images that no generation knows have been observed. In memory alone: a daemon that
 * starts again waits again.
 */
#pragma once

#include <stdbool.h>

#include "model/generation.h"

struct auto_wait {
	struct auto_waiting *list;
	size_t cnt;
};
void auto_wait_done(struct auto_wait *w);

/* Whether the images of `g` were the same for at least `seconds`; the first call begins. Out of
 * memory it never is. */
bool auto_wait_is_over(struct auto_wait *w, int64_t workload, const struct generation *g,
		       int64_t seconds, int64_t now);
/* There is nothing new to wait for. */
void auto_wait_forget(struct auto_wait *w, int64_t workload);
