/* SPDX-License-Identifier: Apache-2.0 */
/* What is random does a part of it where each step is many times slower (valgrind): TAMIS_LESS=N, the
 * N-th part. Said with the results. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static inline unsigned less(unsigned rounds)
{
	const char *part = getenv("TAMIS_LESS");
	unsigned n = part ? (unsigned)strtoul(part, NULL, 10) : 1;

	if (n <= 1 || rounds <= n)
		return rounds;
	print_message("# %u of %u, by TAMIS_LESS\n", rounds / n, rounds);
	return rounds / n;
}
