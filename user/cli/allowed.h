/* SPDX-License-Identifier: Apache-2.0 */
/* Guarded calls that a command line allows (--allow CALL): for commands without a store that would
 * remember a person's word. */
#pragma once

#include "cli/call_name.h"
#include "cli/policy_load.h"

#define ALLOWED_MAX 64

struct allowed {
	struct call_name call[ALLOWED_MAX];
	unsigned cnt;
};

/* An option's value (cli/options.h): ctx is a struct allowed. */
int allowed_take(const char *text, void *ctx);
/* Into calls->said, before policy_sift: of the ABIs that calls->learned has them in, and of this
 * machine's own. */
void allowed_say(const struct allowed *a, struct policy_calls *calls);
