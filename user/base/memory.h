/* SPDX-License-Identifier: Apache-2.0 */
/* Whether memory was short. Many a question to a file is answered with "no" when the file isn't there, and
 * would be when there was no memory to read it with: who relies on a "no" asks here. Of this thread. */
#pragma once

#include <stdbool.h>

/* From here on: none failed yet. */
void memory_begin(void);

/* An allocation failed. By text_format(), stream_open(), file_read() and their like it is said; whoever else
 * turns one into an answer says it. */
void memory_failed(void);

/* One failed since memory_begin(). */
bool memory_was_short(void);
