/* SPDX-License-Identifier: Apache-2.0 */
/* What is applied to whom, remembered: files are asked whether they changed every 100 ms at most. */
#pragma once

#include <stdint.h>

#include "apply/applied.h"

struct held;
int held_new(const char *state, struct held **ret);
void held_free(struct held *h);
/* NULL: nothing is, or its file can't be read (which is logged once for each file). Its own, until the
 * next call. `now`: some clock's ms. */
const struct applied *held_get(struct held *h, const char *key, int64_t now);
