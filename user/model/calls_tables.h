/* SPDX-License-Identifier: Apache-2.0 */
/* What user/model/calls/tables.awk generates; for calls.c alone. */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"

struct calls_table {
	const char *const *name; /* by number, NULL in the gaps */
	unsigned end;
	const uint16_t *by_name; /* numbers, in strcmp order of their names */
	unsigned cnt;
};

extern const struct calls_table calls_tables[TAMIS_ABI_MAX];
