/* SPDX-License-Identifier: Apache-2.0 */
/* show --by unit: which sampling unit was the first to make a call, and which the only one. */
#pragma once

#include <stdbool.h>

#include "policy/store.h"

/* The tests of the last mining run, if there is one, and apart from them the daemon's epochs: a daemon
 * beside a run sees the same calls. Negative errno, having logged why. */
int show_units(struct store *s, const struct store_row *row, bool json);
