/* SPDX-License-Identifier: Apache-2.0 */
/* A skip says why: the line before it is what tests/run prints, and compares with skips.expected. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define skip_because(why)            \
	do {                         \
		printf("%s\n", why); \
		fflush(stdout);      \
		skip();              \
	} while (0)

static inline void need_root(void)
{
	if (geteuid() != 0)
		skip_because("needs root");
}
