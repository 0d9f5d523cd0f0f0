/* SPDX-License-Identifier: Apache-2.0 */
/* How complete what was learned of a workload is, as commands show it. */
#pragma once

#include <jansson.h>

#include "policy/mines.h"

/* The row of list: as the daemon computed it last, or that nobody did (`at` 0). -EIO etc. of the store. */
int completeness_load(struct store *s, int64_t workload, struct store_coverage *ret);

/* "97.3%"; "-": not known. */
#define COMPLETENESS_CELL_MAX 16
const char *completeness_cell(const struct store_coverage *c, char buf[COMPLETENESS_CELL_MAX]);
/* {"at", "units", "coverage", "low", "high", "next_hour"}, null where they aren't known. NULL: out of
 * memory. */
json_t *completeness_json(const struct store_coverage *c);

/* All that can be said now, for one workload: of its hours or, where there are too few, of the tests of
 * its last mining run. */
struct completeness {
	bool of_tests;
	struct unseen unseen;
	struct unseen_next hour; /* of_tests: not known */
};
int completeness_now(struct store *s, int64_t workload, struct completeness *ret);
void completeness_print(const struct completeness *c, FILE *f);
/* The same for scripts; NULL: out of memory. */
json_t *completeness_now_json(const struct completeness *c);
