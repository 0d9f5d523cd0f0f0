/* SPDX-License-Identifier: Apache-2.0 */
/* "90s", "15m", "12h", "30d", "2w": a number and its unit. */
#pragma once

#include <stdint.h>

/* At most a hundred years. -EINVAL, -ERANGE. */
int duration_parse(const char *text, int64_t *ret_seconds);
