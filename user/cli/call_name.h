/* SPDX-License-Identifier: Apache-2.0 */
/* A call as a person names it. */
#pragma once

#include <stdbool.h>

#include "model/abi.h"

struct call_name {
	const char *text;
	bool is_number, has_abi;
	int nr[TAMIS_ABI_MAX]; /* negative: none of that name */
};

/* NAME, #NUMBER, ABI:NAME or ABI:#NUMBER; without an ABI it is the call of every ABI that has it.
 * -ENOENT, having logged what is unknown. */
int call_name_parse(const char *text, struct call_name *ret);
