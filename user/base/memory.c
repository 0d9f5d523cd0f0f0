/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

static _Thread_local bool was_short;

void memory_begin(void)
{
	was_short = false;
}

void memory_failed(void)
{
	was_short = true;
}

bool memory_was_short(void)
{
	return was_short;
}
