/* SPDX-License-Identifier: Apache-2.0 */
/* What a duty cycle may have missed, as commands show it. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "learn/slept.h"

/* As of now. `naps` NULL: they are read. */
int slept_load(struct store *s, int64_t workload, const struct naps *naps, struct slept *ret);
/* Nothing where all was watched. */
void slept_print(const struct slept *s, FILE *f);
/* ", watched 12.3 %"; "" likewise. */
#define SLEPT_CELL_MAX 32
const char *slept_cell(const struct slept *s, char buf[SLEPT_CELL_MAX]);
/* {"since", "share", "slept"}; null likewise. NULL: out of memory. */
json_t *slept_json(const struct slept *s);
