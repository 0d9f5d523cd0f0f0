/* SPDX-License-Identifier: Apache-2.0 */
#include "model/calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/calls_tables.h"

static const struct calls_table *table_of(enum tamis_abi abi)
{
	static const struct calls_table none;

	return (unsigned)abi < TAMIS_ABI_MAX ? &calls_tables[abi] : &none;
}

const char *calls_name(enum tamis_abi abi, unsigned nr)
{
	const struct calls_table *t = table_of(abi);

	return nr < t->end ? t->name[nr] : NULL;
}

int calls_number(enum tamis_abi abi, const char *name)
{
	const struct calls_table *t = table_of(abi);
	unsigned low = 0, high = t->cnt;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		int order = strcmp(name, t->name[t->by_name[mid]]);

		if (order == 0)
			return t->by_name[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -ENOENT;
}

unsigned calls_end(enum tamis_abi abi)
{
	return table_of(abi)->end;
}

const char *calls_print(enum tamis_abi abi, unsigned nr, char buf[CALLS_NAME_MAX])
{
	const char *name = calls_name(abi, nr);

	if (name)
		snprintf(buf, CALLS_NAME_MAX, "%s", name);
	else
		snprintf(buf, CALLS_NAME_MAX, "#%u", nr);
	return buf;
}

int calls_parse(enum tamis_abi abi, const char *text)
{
	size_t len = strlen(text);
	unsigned nr = 0;

	if (text[0] != '#')
		return calls_number(abi, text);
	/* Four digits are more than any set holds, and can't overflow. */
	if (len < 2 || len > 5 || strspn(text + 1, "0123456789") != len - 1)
		return -ENOENT;
	for (const char *p = text + 1; *p; p++)
		nr = nr * 10 + (unsigned)(*p - '0');
	return nr < TAMIS_CALLS ? (int)nr : -ENOENT;
}
