/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon says when something has to be tried again: seldom. */
#pragma once

#include <time.h>

#include "policy/store.h"

/* One line a minute for each `last`, which begins as 0: "WHAT: ERROR (STORE'S WORDS); THEN". */
void complain(time_t *last, int r, const char *what, const struct store *s, const char *then);
