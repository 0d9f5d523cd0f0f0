/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets have in common. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the input, this holds. */
static inline void must(int ok)
{
	if (!ok)
		abort();
}

/* The input as a string of its own size: the sanitizer sees what is read past it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
