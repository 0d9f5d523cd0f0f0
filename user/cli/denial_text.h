/* SPDX-License-Identifier: Apache-2.0 */
/* A refused call for people and for scripts. */
#pragma once

#include <jansson.h>

#include "cli/print.h"
#include "policy/denials.h"

/* The heading, then rows. -ENOMEM. */
int denial_table(const struct store_denial *d, size_t cnt, FILE *f);
/* One line: that much more of it. */
void denial_line(const struct store_denial *d, uint64_t more, FILE *f);
/* A new reference; NULL when out of memory. */
json_t *denial_json(const struct store_denial *d);
