/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text. json_dumps isn't used: where there is no memory for a key it goes on without it
 * (jansson 2.14 doesn't look at what dump_string says), and calls that a success. */
#pragma once

#include <jansson.h>

/* `flags` are json_dumps'. Caller frees. NULL: no memory, or no JSON. */
char *json_text(const json_t *json, size_t flags);
