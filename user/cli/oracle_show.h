/* SPDX-License-Identifier: Apache-2.0 */
/* What `tamis oracle` shows. Both log why not. */
#pragma once

#include "policy/oracles.h"

/* All oracles, or with `row` that of one workload and its verdicts. */
int oracle_show(struct store *s, const struct store_row *row);
int oracle_show_json(struct store *s, const struct store_row *row);
