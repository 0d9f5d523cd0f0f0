/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "model/filter.h"
#include "model/generation.h"

/* The lines of [Service] that say the filter: a list of allowed calls, or, where its default lets
 * through, of refused ones with their errnos, beside the unit's own list. What `g` denies is taken
 * out again even where systemd would add it. Sorted; the same filter gives the same lines. */
int unit_print_calls(const struct filter *filter, const struct generation *g, FILE *f);
