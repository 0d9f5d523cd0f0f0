/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probes.h"

#include <stdarg.h>
#include <stdio.h>

void findings_add(struct findings *f, const char *name, enum support level, const char *fmt, ...)
{
	struct finding *item = &f->item[f->cnt];
	va_list args;

	if (f->cnt == FINDINGS_MAX)
		return;
	f->cnt++;
	item->name = name;
	item->level = level;
	va_start(args, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, args);
	va_end(args);
}
