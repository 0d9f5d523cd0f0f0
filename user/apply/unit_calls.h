/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "model/filter.h"
#include "model/generation.h"

/* The lines of [Service] that stand for a generation's filter: a list of allowed calls in the place of
 * the unit's own, from which what `g` denies is taken out even where systemd would add it. With
 * descendants a list of refused ones, with their errnos, beside the unit's own; numbers without a name
 * pass there. Sorted; the same filter gives the same lines. */
int unit_print_calls(const struct filter *filter, const struct generation *g, FILE *f);
