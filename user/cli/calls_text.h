/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of calls for people and for scripts. Sets are arrays of TAMIS_ABI_MAX. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "model/generation.h"

/* "bpf, futex, i386:open": by name, the native ABI's without its name. At most `max` of them, then
 * "and N more". */
void calls_write(FILE *f, const struct sysset *set, unsigned max);
/* The same as a string; NULL when out of memory. Caller frees. */
char *calls_text(const struct sysset *set, unsigned max);
/* [{"abi":, "nr":, "name":}], sorted by (abi, nr). New reference. */
json_t *calls_json(const struct sysset *set);

unsigned calls_count(const struct sysset *set);

/* What a generation's workload may call, sessions too. */
void calls_of(const struct generation *g, struct sysset ret[TAMIS_ABI_MAX]);
