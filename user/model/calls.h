/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call numbers and names, per ABI. Generated at build time from
 * user/model/calls/ABI.tbl (lines "NUMBER NAME"), which were made from the kernel's
 * public tables (uapi unistd headers, arch .tbl files); up to Linux 7.0.
 * Numbers are those of enum tamis_abi's sets: x32 without bit 30, ARM private calls moved.
 */
#pragma once

#include <stddef.h>

#include "model/abi.h"

/* NULL when the table has no such number. */
const char *calls_name(enum tamis_abi abi, unsigned nr);
/* The number, or -ENOENT. */
int calls_number(enum tamis_abi abi, const char *name);
/* One more than the highest number known. */
unsigned calls_end(enum tamis_abi abi);

/* Room for calls_print. */
#define CALLS_NAME_MAX 48
/* The name, or "#NR" for a number without one. Returns buf. */
const char *calls_print(enum tamis_abi abi, unsigned nr, char buf[CALLS_NAME_MAX]);
/* Reads a name or "#NR". -ENOENT when unknown or out of range. */
int calls_parse(enum tamis_abi abi, const char *text);
